"""The referral as a machine: whether a step may follow, and where it leads.

Everything here is decided from values; the clock is an argument.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.referral.table import STEPS, Rule
from rules.referral.vocabulary import (
    ENDED,
    By,
    Candidate,
    Coverage,
    Direction,
    Evidence,
    Facts,
    Need,
    Progress,
    Reached,
    Stage,
    Standing,
    Step,
)

OLD = timedelta(days=180)

MISSING: dict[Need, str] = {
    Need.REASON: "Choose a reason.",
    Need.NOTE: "Say it in a few words.",
    Need.AT: "Enter the date and time.",
    Need.RECIPIENT: "Choose who receives the referral.",
    Need.CANDIDATE: "Choose which specialist.",
    Need.CHANNEL: "Say how it was done: phone, letter, text or in person.",
    Need.OUTCOME: "Say what came of it.",
    Need.PRIORITY: "Choose the new priority.",
    Need.CONSENT: "Say whether the patient's written consent is on file.",
    Need.DIAGNOSES: "Enter a diagnosis first: a specialist cannot triage without one.",
}

STAGE_WORDS: dict[Stage, str] = {
    Stage.DRAFT: "a draft",
    Stage.COVERAGE: "waiting for the coverage check",
    Stage.SENT: "sent and not yet confirmed",
    Stage.TRIAGE: "in the specialist's triage",
    Stage.AWAITING_INFO: "waiting for information",
    Stage.SCHEDULING: "accepted and to be scheduled",
    Stage.OUTREACH: "waiting to reach the patient",
    Stage.SCHEDULED: "scheduled",
    Stage.NO_SHOW: "missed by the patient",
    Stage.SEEN: "seen, with the report due",
    Stage.REPORT_RECEIVED: "waiting for the report's review",
    Stage.REVIEWED: "reviewed",
    Stage.PATIENT_TOLD: "told to the patient",
    Stage.ADVICE: "answered with advice",
    Stage.DECLINED: "declined",
    Stage.REDIRECTED: "redirected",
    Stage.CANCEL_REQUESTED: "being cancelled",
    Stage.CANCELLED: "cancelled",
    Stage.EXPIRED: "expired",
    Stage.CLOSED: "closed",
}


@dataclass(frozen=True)
class Refusal:
    """Why a step may not follow, in words for the person who tried."""

    words: str


def missing(step: Step, facts: Facts) -> tuple[Need, ...]:
    """The needs of a step that `facts` leave empty."""
    return tuple(need for need in STEPS[step].needs if not getattr(facts, need.value))


def refuses(progress: Progress, step: Step, facts: Facts, by: By) -> Refusal | None:
    """None when the step may follow now, else the reason in words."""
    rule = STEPS[step]
    allowed = _allowed(rule, progress)
    if progress.stage not in rule.frm or not allowed:
        return Refusal(f"This referral is {STAGE_WORDS[progress.stage]}, so “{_plain(rule.label)}” does not apply.")
    if by not in allowed:
        ours = bool({By.STAFF, By.CLINICIAN} & allowed)
        who = ("a clinician" if by is By.STAFF else "the clinic") if ours else "the other side or the engine"
        return Refusal(f"“{_plain(rule.label)}” is for {who} to say.")
    lacking = missing(step, facts)
    if lacking:
        return Refusal(MISSING[lacking[0]])
    return _unfit(progress, step, facts)


def _unfit(progress: Progress, step: Step, facts: Facts) -> Refusal | None:
    """What the table cannot say: which candidate, how many."""
    if step is Step.CHOICE and facts.candidate not in {one.task for one in progress.accepted}:
        return Refusal("Choose a specialist who has accepted.")
    if step is Step.FOLLOW_UP and not replace(progress.evidence, followed=progress.since).complete:
        return Refusal("The loop cannot close yet: the report, its review or the word to the patient is not on record.")
    if step is Step.ANOTHER_CANDIDATE and facts.recipient in {one.organization for one in progress.live}:
        return Refusal("This specialist has the referral already.")
    if facts.candidate and progress.candidates and facts.candidate not in {one.task for one in progress.live}:
        return Refusal("The referral is not with this specialist any more.")
    return None


def legal(progress: Progress, by: By) -> tuple[Step, ...]:
    """The steps this kind of actor may take now, in the order of the table."""
    return tuple(
        step
        for step, rule in STEPS.items()
        if progress.stage in rule.frm and by in _allowed(rule, progress) and _sensible(progress, step)
    )


def _allowed(rule: Rule, progress: Progress) -> frozenset[By]:
    return rule.by if progress.direction is Direction.OUT else rule.incoming


def _sensible(progress: Progress, step: Step) -> bool:
    """Steps that are legal but would say nothing now."""
    if step is Step.CHOICE:
        return len(progress.live) > 1 and bool(progress.accepted)
    if step is Step.FOLLOW_UP:
        return _unfit(progress, step, Facts()) is None
    if step is Step.CALL:
        return not progress.called
    return step is not Step.RECEIPT or progress.stage is Stage.SENT


def received(progress: Progress, step: Step, facts: Facts) -> Step:
    """The step a partner's answer is taken as: itself, a late note, or one that a person must look at."""
    if refuses(progress, step, facts, By.PARTNER) is None:
        return step
    return Step.LATE_NOTE if progress.stage in ENDED else Step.UNEXPECTED


def follow(progress: Progress, step: Step, facts: Facts, at: datetime) -> Progress:
    """The referral after a step that `refuses` has let through; `at` is when it truly happened."""
    if step is Step.OVERDUE:
        old = progress.opened is not None and at >= progress.opened + OLD
        return replace(progress, rung=progress.rung + 1, old=progress.old or old)
    if step in (Step.UNEXPECTED, Step.LATE_NOTE, Step.CALL):
        return replace(progress, called=progress.called or step is Step.CALL)
    after = _candidates(_counted(progress, step, facts, at), step, facts)
    stage = _stage_after(after, step, facts)
    undelivered = after.failed_delivery if step is Step.DELIVERY_FAILURE else ""
    evidence = _proved(after.evidence, step, at)
    after = replace(after, stage=stage, evidence=evidence, rung=0, failed_delivery=undelivered)
    if stage is not progress.stage or step in (Step.ATTEMPT, Step.CHASE, Step.APPOINTMENT):
        after = replace(after, since=at)
    return after


def _stage_after(progress: Progress, step: Step, facts: Facts) -> Stage:
    stage = STEPS[step].to or progress.stage
    match step:
        case Step.SENDING if facts.outcome == Coverage.CHECK:
            return Stage.COVERAGE
        case Step.CANCELLATION if progress.stage in (Stage.DRAFT, Stage.COVERAGE, Stage.DECLINED):
            return Stage.CANCELLED
        case Step.CANCELLATION_REFUSED:
            return progress.before_cancel or Stage.TRIAGE
        case Step.ATTEMPT if facts.outcome == Reached.REACHED:
            return Stage.SCHEDULING
        case Step.ACCEPTANCE if len(progress.live) > 1:
            return Stage.TRIAGE
        case Step.DECLINE if progress.live:
            return Stage.SCHEDULING if len(progress.live) == len(progress.accepted) == 1 else progress.stage
    ends = (Step.DECLINE, Step.REDIRECTION, Step.ADVICE, Step.REPORT)
    return Stage.CLOSED if progress.direction is Direction.IN and step in ends else stage


def _counted(progress: Progress, step: Step, facts: Facts, at: datetime) -> Progress:
    match step:
        case Step.SENDING | Step.NEW_RECIPIENT | Step.COVERAGE_CLEARANCE:
            again = 0 if step is Step.SENDING and facts.outcome == Coverage.CHECK else 1
            return replace(progress, round=progress.round + again, asks=0, tries=(), failed_delivery="", called=False)
        case Step.ANOTHER_CANDIDATE:
            return replace(progress, round=progress.round + 1)
        case Step.DELIVERY_FAILURE:
            return replace(progress, failed_delivery=facts.note)
        case Step.INFORMATION_REQUEST:
            return replace(progress, asks=progress.asks + 1, called=True)
        case Step.ATTEMPT:
            channels = tuple(sorted({*progress.channels, facts.channel}))
            return replace(progress, tries=(*progress.tries, at), channels=channels, last_try=facts.outcome)
        case Step.APPOINTMENT | Step.VISIT:
            return replace(progress, visit_at=facts.at, tries=(), channels=(), last_try="")
        case Step.NO_SHOW:
            return replace(progress, rebookings=progress.rebookings + 1, visit_at=None)
        case Step.CANCELLATION:
            return replace(progress, before_cancel=progress.stage, close_reason=facts.reason)
        case Step.CLOSURE | Step.EXPIRY | Step.DECLINE:
            return replace(progress, close_reason=facts.reason if step is not Step.DECLINE else progress.close_reason)
        case Step.PRIORITY_CHANGE:
            return replace(progress, priority=facts.priority or progress.priority)
    return progress


def _candidates(progress: Progress, step: Step, facts: Facts) -> Progress:
    """How the candidates stand after an answer; without a name it is the only one's."""
    match step:
        case Step.ACCEPTANCE:
            changed = _marked(progress, facts, Standing.ACCEPTED)
        case Step.DECLINE | Step.REDIRECTION:
            changed = _marked(progress, facts, Standing.DECLINED)
        case Step.NEW_RECIPIENT:
            changed = tuple(replace(one, standing=Standing.NOT_SELECTED) for one in progress.candidates)
        case Step.CHOICE:
            changed = tuple(
                one
                if one.task == facts.candidate or one not in progress.live
                else replace(one, standing=Standing.NOT_SELECTED)
                for one in progress.candidates
            )
        case _:
            return progress
    return replace(progress, candidates=changed)


def _marked(progress: Progress, facts: Facts, standing: Standing) -> tuple[Candidate, ...]:
    only = progress.live[0].task if len(progress.live) == 1 else ""
    return tuple(
        replace(one, standing=standing) if one.task == (facts.candidate or only) else one for one in progress.candidates
    )


def _proved(evidence: Evidence, step: Step, at: datetime) -> Evidence:
    match step:
        case Step.REPORT | Step.NO_REPORT:
            # A new version of a report is reviewed and told anew.
            return Evidence(report=at, matched=at)
        case Step.REVIEW | Step.ADVICE_ACCEPTANCE:
            return replace(evidence, report=evidence.report or at, matched=evidence.matched or at, reviewed=at)
        case Step.PATIENT_NOTICE:
            return replace(evidence, told=at)
        case Step.FOLLOW_UP:
            return replace(evidence, followed=at)
    return evidence


def _plain(label: str) -> str:
    return label.rstrip("…")
