"""What each stage of a referral waits for: the next action in words, its owner's pool, and its clock.

Default clocks by priority (STAT, urgent, routine) are common practice and may be changed by a clinic.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.calendar import Clock, Unit
from rules.referral.table import TALKED
from rules.referral.vocabulary import Direction, Priority, Progress, Reached, Stage, Step

COORDINATORS, CLINICIANS, INTAKE = "referral_coordinator", "clinician", "intake"
MAX_ASKS, MAX_ATTEMPTS, MAX_REBOOKINGS, MAX_RUNGS = 3, 3, 2, 4
CALL_WITHIN = Clock(1, Unit.HOURS)
AFTER_VISIT = Clock(1, Unit.BUSINESS_DAYS)


class Since(StrEnum):
    """What a clock runs from: a stage entered, a visit, a try to reach the patient, an overdue task handed up."""

    STAGE = "stage"
    VISIT = "visit"
    ATTEMPT = "attempt"
    RUNG = "rung"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True)
class Waiting:
    """The one next action: a person's task (`person`), or a partner's answer with the pool that chases it.

    The clock runs from `start`, which is the instant that `since` names.
    """

    action: str
    why: str
    pool: str
    start: datetime
    clock: Clock
    person: bool
    step: Step
    since: Since = Since.STAGE


def _clocks(stat: str, urgent: str, routine: str) -> dict[Priority, Clock]:
    return {
        priority: Clock(int(words.split()[0]), Unit(words.split()[1]))
        for priority, words in zip(Priority, (stat, urgent, routine), strict=True)
    }


CLOCKS: dict[Stage, dict[Priority, Clock]] = {
    Stage.DRAFT: _clocks("4 h", "1 BD", "3 BD"),
    Stage.COVERAGE: _clocks("2 h", "1 BD", "2 BD"),
    Stage.SENT: _clocks("1 h", "4 h", "1 BD"),
    Stage.TRIAGE: _clocks("4 h", "1 BD", "5 BD"),
    Stage.AWAITING_INFO: _clocks("4 h", "1 BD", "5 BD"),
    Stage.SCHEDULING: _clocks("8 BH", "2 BD", "7 d"),
    Stage.OUTREACH: _clocks("8 h", "16 h", "2 d"),
    Stage.SCHEDULED: _clocks("24 h", "7 d", "30 d"),
    Stage.NO_SHOW: _clocks("8 BH", "1 BD", "3 BD"),
    Stage.SEEN: _clocks("24 h", "3 d", "7 d"),
    Stage.REPORT_RECEIVED: _clocks("1 BD", "3 BD", "7 d"),
    Stage.REVIEWED: _clocks("1 BD", "3 BD", "7 d"),
    Stage.PATIENT_TOLD: _clocks("1 BD", "3 BD", "7 d"),
    Stage.ADVICE: _clocks("4 h", "1 BD", "2 BD"),
    Stage.DECLINED: _clocks("4 h", "1 BD", "2 BD"),
    Stage.REDIRECTED: _clocks("4 h", "1 BD", "2 BD"),
    Stage.CANCEL_REQUESTED: _clocks("4 h", "24 h", "24 h"),
}
RUNGS = _clocks("2 h", "4 BH", "1 BD")

# Stage → action, why, pool, whether a person of ours acts first, and the step that ends it.
# `{partner}`, `{since}` and `{tries}` are filled in by `worded`; no patient's name belongs in them.
ACTIONS: dict[Stage, tuple[str, str, str, bool, Step]] = {
    Stage.DRAFT: (
        "Finish and send the referral",
        "Started {since}, not yet sent",
        COORDINATORS,
        True,
        Step.SENDING,
    ),
    Stage.COVERAGE: (
        "Check coverage and network",
        "The plan may ask for an authorization",
        COORDINATORS,
        True,
        Step.COVERAGE_CLEARANCE,
    ),
    Stage.SENT: (
        "Wait for {partner} to confirm",
        "Sent {since}, not yet confirmed",
        COORDINATORS,
        False,
        Step.RECEIPT,
    ),
    Stage.TRIAGE: (
        "Wait for {partner}'s answer",
        "With {partner} since {since}",
        COORDINATORS,
        False,
        Step.ACCEPTANCE,
    ),
    Stage.AWAITING_INFO: (
        "Send what {partner} asked for",
        "{partner} asked on {since}",
        COORDINATORS,
        True,
        Step.INFORMATION,
    ),
    Stage.SCHEDULING: (
        "Get the appointment booked with {partner}",
        "Accepted {since}, not yet booked",
        COORDINATORS,
        True,
        Step.APPOINTMENT,
    ),
    Stage.OUTREACH: ("Call the patient to book", "{tries}", COORDINATORS, True, Step.ATTEMPT),
    Stage.SCHEDULED: ("Wait for the visit", "Booked on {since}", COORDINATORS, False, Step.VISIT),
    Stage.NO_SHOW: (
        "Rebook with {partner}",
        "The patient did not come, told on {since}",
        COORDINATORS,
        True,
        Step.APPOINTMENT,
    ),
    Stage.SEEN: ("Wait for {partner}'s report", "Seen {since}, no report yet", COORDINATORS, False, Step.REPORT),
    Stage.REPORT_RECEIVED: ("Review the report", "The report came {since}", CLINICIANS, True, Step.REVIEW),
    Stage.REVIEWED: ("Tell the patient", "Reviewed {since}", COORDINATORS, True, Step.PATIENT_NOTICE),
    Stage.PATIENT_TOLD: (
        "Settle the follow-ups",
        "Told {since}; follow-ups are open",
        COORDINATORS,
        True,
        Step.FOLLOW_UP,
    ),
    Stage.ADVICE: (
        "Accept the advice or ask for a visit",
        "Advice came {since}",
        CLINICIANS,
        True,
        Step.ADVICE_ACCEPTANCE,
    ),
    Stage.DECLINED: (
        "Choose another specialist and tell the patient",
        "{partner} declined on {since}",
        COORDINATORS,
        True,
        Step.NEW_RECIPIENT,
    ),
    Stage.REDIRECTED: (
        "Send it where {partner} said",
        "{partner} redirected it on {since}",
        COORDINATORS,
        True,
        Step.NEW_RECIPIENT,
    ),
    Stage.CANCEL_REQUESTED: (
        "Wait for {partner} to confirm the cancellation",
        "Asked to cancel on {since}",
        COORDINATORS,
        False,
        Step.CANCELLATION_CONFIRMED,
    ),
}

# The same stages seen by the specialist's side.
INCOMING: dict[Stage, tuple[str, str, str, bool, Step]] = {
    Stage.TRIAGE: ("Triage: accept, decline or ask", "Referred to us on {since}", INTAKE, True, Step.ACCEPTANCE),
    Stage.AWAITING_INFO: (
        "Wait for {partner}'s information",
        "We asked on {since}",
        INTAKE,
        False,
        Step.INFORMATION,
    ),
    Stage.SCHEDULING: ("Book the visit", "Accepted, not yet booked", INTAKE, True, Step.APPOINTMENT),
    Stage.OUTREACH: ("Call the patient to book", "{tries}", INTAKE, True, Step.ATTEMPT),
    Stage.SCHEDULED: ("Record whether the patient came", "The appointment is made", INTAKE, False, Step.VISIT),
    Stage.NO_SHOW: ("Rebook the visit", "The patient did not come", INTAKE, True, Step.APPOINTMENT),
    Stage.SEEN: ("Send the report to {partner}", "Seen, the report is due", CLINICIANS, True, Step.REPORT),
    Stage.CANCEL_REQUESTED: (
        "Confirm or refuse the cancellation",
        "{partner} asked to cancel",
        INTAKE,
        True,
        Step.CANCELLATION_CONFIRMED,
    ),
}

# What a person does where the recipient has no connection.
BY_HAND: dict[Stage, str] = {
    Stage.SENT: "Fax the packet to {partner} and confirm it arrived",
    Stage.CANCEL_REQUESTED: "Tell {partner} that the referral is cancelled",
}

# The next try after the first, second and third attempt: days 0, 2, 7, letter on day 10; urgent 3 in 48 h.
NEXT_TRY: dict[Priority, tuple[Clock, ...]] = {
    Priority.STAT: (Clock(4, Unit.HOURS),),
    Priority.URGENT: (Clock(16, Unit.HOURS),),
    Priority.ROUTINE: (Clock(2, Unit.DAYS), Clock(5, Unit.DAYS), Clock(3, Unit.DAYS), Clock(4, Unit.DAYS)),
}
LETTER = "letter"

CHASES: dict[Step, str] = {
    Step.RECEIPT: "Ask {partner} whether it arrived",
    Step.ACCEPTANCE: "Ask {partner} for an answer",
    Step.VISIT: "Ask {partner} whether the patient came",
    Step.REPORT: "Call {partner} for the report",
    Step.CANCELLATION_CONFIRMED: "Ask {partner} to confirm the cancellation",
    Step.INFORMATION: "Ask {partner} for the information",
}


def waiting(progress: Progress) -> Waiting | None:
    """What an open referral waits for now; None when it has ended. `since` must be set."""
    if not progress.open or progress.since is None:
        return None
    actions = ACTIONS if progress.direction is Direction.OUT else INCOMING
    action, why, pool, person, step = actions.get(progress.stage, ACTIONS[progress.stage])
    clock = CLOCKS[progress.stage][progress.priority]
    base = Waiting(action, why, pool, progress.since, clock, person, step)
    return _exception(progress, base) or _chased(progress, _started(progress, base))


def worded(wait: Waiting, progress: Progress, partner: str, zone: str) -> Waiting:
    """The wait with its words filled in: whom it concerns, since which day of the site, what was tried."""
    since = progress.visit_at if progress.stage is Stage.SEEN and progress.visit_at else progress.since
    day = since.astimezone(ZoneInfo(zone)) if since else None
    tries = f"{progress.attempts} {'attempt' if progress.attempts == 1 else 'attempts'}"
    last = f", last: {progress.last_try.replace('-', ' ')}" if progress.last_try else ""
    facts = {
        "partner": partner,
        "since": f"{day:%b} {day.day}" if day else "",
        "tries": f"{tries}{last}" if progress.attempts else "Not called yet",
    }
    return replace(wait, action=wait.action.format(**facts), why=wait.why.format(**facts))


def _started(progress: Progress, base: Waiting) -> Waiting:
    """A visit is waited for until the day after it; a recipient without a connection is a person's work."""
    if progress.stage is Stage.SCHEDULED and progress.visit_at:
        return replace(base, start=progress.visit_at, clock=AFTER_VISIT, since=Since.VISIT)
    if progress.stage is Stage.OUTREACH and progress.attempts:
        clock = NEXT_TRY[progress.priority][min(progress.attempts, len(NEXT_TRY[progress.priority])) - 1]
        return replace(base, clock=clock, since=Since.ATTEMPT)
    if _to_announce(progress):
        why = f"{progress.priority.capitalize()}: a call as well as the message"
        return replace(
            base,
            action="Call {partner}: an urgent referral is there",
            why=why,
            person=True,
            clock=CALL_WITHIN,
            step=Step.CALL,
        )
    referring = progress.by_hand and progress.direction is Direction.OUT
    by_hand = BY_HAND.get(progress.stage) if referring else None
    return replace(base, action=by_hand, person=True) if by_hand else base


def _to_announce(progress: Progress) -> bool:
    """An urgent referral is announced by phone within the hour, unless the partner has answered already."""
    sent = progress.stage in (Stage.SENT, Stage.TRIAGE) and progress.direction is Direction.OUT
    answered = progress.asks > 0 or bool(progress.accepted)
    urgent = progress.priority is not Priority.ROUTINE
    return sent and urgent and not (progress.called or progress.by_hand or answered)


def _chased(progress: Progress, base: Waiting) -> Waiting:
    """Once a partner's instant has passed, the pool must ask."""
    if not progress.rung or base.person:
        return base
    step = Step.CHASE if base.step is Step.REPORT else base.step
    return replace(base, action=CHASES[base.step], person=True, step=step)


def _exception(progress: Progress, base: Waiting) -> Waiting | None:
    """The stages whose usual action no longer helps: a person must decide."""
    stage = progress.stage
    if progress.old and stage not in TALKED:
        expires = progress.direction is Direction.OUT and stage is not Stage.DRAFT
        step = Step.EXPIRY if expires else Step.CLOSURE
        return replace(_to_clinician(base, "Decide: open for half a year", "Open for 180 days"), step=step)
    if progress.failed_delivery:
        action = (
            "Send it another way or choose another specialist" if stage is Stage.SENT else "Tell {partner} by phone"
        )
        step = Step.NEW_RECIPIENT if stage is Stage.SENT else base.step
        return replace(base, action=action, why=_literal(progress.failed_delivery), person=True, step=step)
    if stage is Stage.TRIAGE and progress.accepted and progress.direction is Direction.OUT:
        why = f"{len(progress.accepted)} of {len(progress.live)} specialists accepted"
        return replace(base, action="Choose the specialist", why=why, person=True, step=Step.CHOICE)
    if stage is Stage.AWAITING_INFO and progress.asks >= MAX_ASKS and progress.direction is Direction.OUT:
        return _to_clinician(base, "Decide: third request for information", f"Asked {progress.asks} times")
    if stage is Stage.NO_SHOW and progress.rebookings > MAX_REBOOKINGS:
        return _to_clinician(base, "Decide after repeated no-shows", f"{progress.rebookings} missed visits")
    return _not_reached(progress, base) if stage is Stage.OUTREACH else None


def _not_reached(progress: Progress, base: Waiting) -> Waiting | None:
    """Calls at other hours and by another way, then a letter, then the referrer decides."""
    if progress.last_try == Reached.REFUSED:
        return _to_clinician(base, "Decide: the patient does not want it", "Said so when reached")
    if progress.last_try == Reached.WRONG_NUMBER:
        return replace(base, action="Find the patient's right number", why="Wrong number on the last call")
    if progress.attempts < MAX_ATTEMPTS:
        return None
    tried = f"{progress.attempts} attempts, {len(progress.channels)} ways"
    if progress.priority is Priority.ROUTINE and LETTER not in progress.channels:
        letter = replace(base, action="Send the patient a letter", why=tried)
        return replace(letter, clock=NEXT_TRY[Priority.ROUTINE][2], since=Since.ATTEMPT)
    return _to_clinician(base, "Decide: patient not reached", tried)


def _literal(words: str) -> str:
    """Somebody else's words, which `worded` must leave as they are."""
    return words.replace("{", "{{").replace("}", "}}")


def _to_clinician(base: Waiting, action: str, why: str) -> Waiting:
    return replace(base, action=action, why=why, pool=CLINICIANS, person=True, step=Step.CLOSURE)
