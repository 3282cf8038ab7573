"""The referral as a machine: which step may follow where, by whom, with what, and what it leads to.

Everything here is decided from values; the clock is an argument.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from rules.referral.vocabulary import (
    ACCEPTED,
    ENDED,
    OPEN,
    RETURNED,
    WITH_PARTNER,
    By,
    Evidence,
    Facts,
    Need,
    Progress,
    Stage,
    Step,
)


@dataclass(frozen=True)
class Refusal:
    """Why a step may not follow, in words for the person who tried."""

    words: str


@dataclass(frozen=True)
class Rule:
    """One line of the step table: from where, by whom, to where (None: the stage stays), with what."""

    label: str
    past: str
    frm: frozenset[Stage]
    to: Stage | None
    by: frozenset[By]
    needs: tuple[Need, ...] = ()


STAFF = frozenset({By.STAFF, By.CLINICIAN})
EITHER = STAFF | {By.PARTNER}
CLINICIAN = frozenset({By.CLINICIAN})
PARTNER = frozenset({By.PARTNER})
ENGINE = frozenset({By.ENGINE})

STEPS: dict[Step, Rule] = {
    Step.OPENING: Rule("Start the referral", "started the referral", frozenset(), Stage.DRAFT, STAFF),
    Step.SENDING: Rule("Send", "sent the referral", frozenset({Stage.DRAFT}), Stage.SENT, STAFF),
    Step.COVERAGE_CLEARANCE: Rule(
        "Coverage is cleared",
        "cleared coverage",
        frozenset({Stage.COVERAGE}),
        Stage.SENT,
        STAFF,
        (Need.NOTE,),
    ),
    Step.DELIVERY: Rule("Delivered", "took delivery", frozenset({Stage.SENT}), Stage.TRIAGE, ENGINE),
    Step.DELIVERY_FAILURE: Rule(
        "Not delivered", "refused delivery", frozenset({Stage.SENT}), None, ENGINE, (Need.NOTE,)
    ),
    Step.RECEIPT: Rule(
        "Confirm it arrived",
        "confirmed that it arrived",
        frozenset({Stage.SENT, Stage.TRIAGE}),
        Stage.TRIAGE,
        EITHER,
    ),
    Step.INFORMATION_REQUEST: Rule(
        "Partner asks for information…",
        "asked for more information",
        frozenset({Stage.SENT, Stage.TRIAGE, Stage.SCHEDULING}),
        Stage.AWAITING_INFO,
        EITHER,
        (Need.NOTE,),
    ),
    Step.INFORMATION: Rule(
        "Send the information…",
        "sent the information asked for",
        frozenset({Stage.AWAITING_INFO}),
        Stage.TRIAGE,
        STAFF,
        (Need.NOTE,),
    ),
    Step.ACCEPTANCE: Rule("Accepted", "accepted the referral", WITH_PARTNER, Stage.SCHEDULING, EITHER),
    Step.DECLINE: Rule(
        "Declined…",
        "declined the referral",
        WITH_PARTNER | {Stage.SCHEDULING},
        Stage.DECLINED,
        EITHER,
        (Need.REASON,),
    ),
    Step.REDIRECTION: Rule(
        "Redirected…", "said to send it elsewhere", WITH_PARTNER, Stage.REDIRECTED, EITHER, (Need.NOTE,)
    ),
    Step.ADVICE: Rule("Advice only…", "answered with advice", WITH_PARTNER, Stage.ADVICE, EITHER, (Need.NOTE,)),
    Step.ADVICE_ACCEPTANCE: Rule(
        "Accept the advice…",
        "accepted the advice",
        frozenset({Stage.ADVICE}),
        Stage.REVIEWED,
        CLINICIAN,
        (Need.NOTE,),
    ),
    Step.NEW_RECIPIENT: Rule(
        "Choose another specialist…",
        "chose another specialist",
        RETURNED | {Stage.SENT, Stage.OUTREACH, Stage.NO_SHOW},
        Stage.SENT,
        STAFF,
        (Need.RECIPIENT,),
    ),
    Step.ATTEMPT: Rule(
        "Log the call…",
        "tried to reach the patient",
        frozenset({Stage.SCHEDULING, Stage.OUTREACH, Stage.NO_SHOW}),
        Stage.OUTREACH,
        EITHER,
        (Need.CHANNEL, Need.OUTCOME),
    ),
    Step.APPOINTMENT: Rule(
        "Appointment made…",
        "booked the appointment",
        frozenset({Stage.TRIAGE}) | ACCEPTED,
        Stage.SCHEDULED,
        EITHER,
        (Need.AT,),
    ),
    Step.NO_SHOW: Rule(
        "Patient did not come", "reported a no-show", frozenset({Stage.SCHEDULED}), Stage.NO_SHOW, EITHER
    ),
    Step.VISIT: Rule("Patient was seen…", "saw the patient", ACCEPTED, Stage.SEEN, EITHER, (Need.AT,)),
    Step.CHASE: Rule(
        "Log the call…",
        "chased the report",
        frozenset({Stage.SEEN}),
        None,
        STAFF,
        (Need.CHANNEL, Need.OUTCOME),
    ),
    Step.REPORT: Rule("Report received…", "sent the report", ACCEPTED | {Stage.SEEN}, Stage.REPORT_RECEIVED, EITHER),
    Step.NO_REPORT: Rule(
        "Record that none will come…",
        "recorded that no report will come",
        frozenset({Stage.SEEN}),
        Stage.REPORT_RECEIVED,
        STAFF,
        (Need.NOTE,),
    ),
    Step.REVIEW: Rule(
        "Review the report…",
        "reviewed the report",
        frozenset({Stage.REPORT_RECEIVED}),
        Stage.REVIEWED,
        CLINICIAN,
        (Need.NOTE,),
    ),
    Step.PATIENT_NOTICE: Rule(
        "Patient told…",
        "told the patient",
        frozenset({Stage.REVIEWED}),
        Stage.PATIENT_TOLD,
        STAFF,
        (Need.CHANNEL,),
    ),
    Step.FOLLOW_UP: Rule(
        "Follow-ups settled…",
        "settled the follow-ups",
        frozenset({Stage.PATIENT_TOLD}),
        Stage.CLOSED,
        STAFF,
        (Need.OUTCOME,),
    ),
    Step.CANCELLATION: Rule(
        "Cancel the referral…",
        "asked to cancel",
        OPEN - {Stage.CANCEL_REQUESTED, Stage.REPORT_RECEIVED, Stage.REVIEWED, Stage.PATIENT_TOLD},
        Stage.CANCEL_REQUESTED,
        STAFF,
        (Need.REASON,),
    ),
    Step.CANCELLATION_CONFIRMED: Rule(
        "Cancellation confirmed",
        "confirmed the cancellation",
        frozenset({Stage.CANCEL_REQUESTED}),
        Stage.CANCELLED,
        EITHER,
    ),
    Step.CANCELLATION_REFUSED: Rule(
        "Cancellation refused…",
        "could not cancel",
        frozenset({Stage.CANCEL_REQUESTED}),
        None,
        EITHER,
        (Need.NOTE,),
    ),
    Step.PRIORITY_CHANGE: Rule(
        "Change priority…",
        "changed the priority",
        OPEN,
        None,
        CLINICIAN | PARTNER,
        (Need.PRIORITY, Need.NOTE),
    ),
    Step.EXPIRY: Rule(
        "Let it expire…",
        "let the referral expire",
        OPEN - {Stage.DRAFT},
        Stage.EXPIRED,
        CLINICIAN,
        (Need.REASON,),
    ),
    Step.CLOSURE: Rule("Close with a reason…", "closed the referral", OPEN, Stage.CLOSED, STAFF, (Need.REASON,)),
    Step.LATE_NOTE: Rule("Late note", "sent a late note", ENDED, None, EITHER),
    Step.UNEXPECTED: Rule("Unexpected answer", "sent an answer that does not fit", OPEN | ENDED, None, ENGINE),
    Step.OVERDUE: Rule("Overdue", "is overdue", OPEN, None, ENGINE),
}

MISSING: dict[Need, str] = {
    Need.REASON: "Choose a reason.",
    Need.NOTE: "Say it in a few words.",
    Need.AT: "Enter the date and time.",
    Need.RECIPIENT: "Choose who receives the referral.",
    Need.CHANNEL: "Say how it was done: phone, letter, text or in person.",
    Need.OUTCOME: "Say what came of it.",
    Need.PRIORITY: "Choose the new priority.",
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


def missing(step: Step, facts: Facts) -> tuple[Need, ...]:
    """The needs of a step that `facts` leave empty."""
    return tuple(need for need in STEPS[step].needs if not getattr(facts, need.value))


def refuses(progress: Progress, step: Step, facts: Facts, by: By) -> Refusal | None:
    """None when the step may follow now, else the reason in words."""
    rule = STEPS[step]
    if progress.stage not in rule.frm:
        return Refusal(f"This referral is {STAGE_WORDS[progress.stage]}, so “{_plain(rule.label)}” does not apply.")
    if by not in rule.by:
        who = "a clinician" if rule.by == CLINICIAN else "the specialist's side or the engine"
        return Refusal(f"“{_plain(rule.label)}” is for {who} to say.")
    lacking = missing(step, facts)
    return Refusal(MISSING[lacking[0]]) if lacking else None


def legal(progress: Progress, by: By) -> tuple[Step, ...]:
    """The steps this kind of actor may take now, in the order of the table."""
    return tuple(step for step, rule in STEPS.items() if progress.stage in rule.frm and by in rule.by)


def follow(progress: Progress, step: Step, facts: Facts, at: datetime) -> Progress:
    """The referral after a step that `refuses` has let through; `at` is when it truly happened."""
    after = _counted(progress, step, facts)
    stage = _stage_after(progress, step)
    if step is Step.OVERDUE:
        return replace(after, rung=progress.rung + 1)
    after = replace(after, evidence=_proved(progress.evidence, step, at), rung=0)
    return replace(after, stage=stage, since=at if _moves(progress, step, stage) else progress.since)


def _moves(progress: Progress, step: Step, stage: Stage) -> bool:
    return stage is not progress.stage or step in (Step.ATTEMPT, Step.CHASE)


def _stage_after(progress: Progress, step: Step) -> Stage:
    if step is Step.CANCELLATION and progress.stage in (Stage.DRAFT, Stage.COVERAGE, Stage.DECLINED):
        return Stage.CANCELLED
    if step is Step.CANCELLATION_REFUSED:
        return progress.before_cancel or Stage.TRIAGE
    return STEPS[step].to or progress.stage


def _counted(progress: Progress, step: Step, facts: Facts) -> Progress:
    match step:
        case Step.SENDING | Step.NEW_RECIPIENT:
            return replace(progress, round=progress.round + 1, asks=0, attempts=0, failed_delivery="")
        case Step.DELIVERY_FAILURE:
            return replace(progress, failed_delivery=facts.note)
        case Step.INFORMATION_REQUEST:
            return replace(progress, asks=progress.asks + 1)
        case Step.ATTEMPT:
            return replace(progress, attempts=progress.attempts + 1)
        case Step.APPOINTMENT | Step.VISIT:
            return replace(progress, visit_at=facts.at, attempts=0)
        case Step.NO_SHOW:
            return replace(progress, rebookings=progress.rebookings + 1, visit_at=None)
        case Step.CANCELLATION:
            return replace(progress, before_cancel=progress.stage, close_reason=facts.reason)
        case Step.CLOSURE | Step.EXPIRY:
            return replace(progress, close_reason=facts.reason)
        case Step.PRIORITY_CHANGE:
            return replace(progress, priority=facts.priority or progress.priority)
    return progress


def _proved(evidence: Evidence, step: Step, at: datetime) -> Evidence:
    match step:
        case Step.REPORT | Step.NO_REPORT:
            return replace(evidence, report=at, matched=at)
        case Step.REVIEW | Step.ADVICE_ACCEPTANCE:
            return replace(evidence, report=evidence.report or at, matched=evidence.matched or at, reviewed=at)
        case Step.PATIENT_NOTICE:
            return replace(evidence, told=at)
        case Step.FOLLOW_UP:
            return replace(evidence, followed=at)
    return evidence


def _plain(label: str) -> str:
    return label.rstrip("…")
