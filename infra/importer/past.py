"""The past of a row as steps with their true dates: what must have happened for it to stand where it stands."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from activities.records.service_request import PastStep
from infra.importer.problem import NotUnderstood
from infra.importer.row import AHEAD, Row
from rules.referral.vocabulary import Coverage, Facts, Reached, Reason, Stage, Step

TAKEN = (Step.SENDING, Step.RECEIPT)
ACCEPTED = (*TAKEN, Step.ACCEPTANCE)
BOOKED = (*ACCEPTED, Step.APPOINTMENT)
REPORTED = (*BOOKED, Step.VISIT, Step.REPORT)
PATHS: dict[Stage, tuple[Step, ...]] = {
    Stage.DRAFT: (),
    Stage.COVERAGE: (Step.SENDING,),
    Stage.SENT: (Step.SENDING,),
    Stage.TRIAGE: TAKEN,
    Stage.AWAITING_INFO: (*TAKEN, Step.INFORMATION_REQUEST),
    Stage.SCHEDULING: ACCEPTED,
    Stage.OUTREACH: (*ACCEPTED, Step.ATTEMPT),
    Stage.SCHEDULED: BOOKED,
    Stage.NO_SHOW: (*BOOKED, Step.NO_SHOW),
    Stage.SEEN: (*BOOKED, Step.VISIT),
    Stage.REPORT_RECEIVED: REPORTED,
    Stage.REVIEWED: (*REPORTED, Step.REVIEW),
    Stage.PATIENT_TOLD: (*REPORTED, Step.REVIEW, Step.PATIENT_NOTICE),
    Stage.ADVICE: (*TAKEN, Step.ADVICE),
    Stage.DECLINED: (*TAKEN, Step.DECLINE),
    Stage.REDIRECTED: (*TAKEN, Step.REDIRECTION),
    Stage.CANCEL_REQUESTED: (*TAKEN, Step.CANCELLATION),
}
# The columns that date a step, its own one first; the others are borrowed where it is empty.
DATED: dict[Step, tuple[str, ...]] = {
    Step.SENDING: ("sent",),
    Step.RECEIPT: ("sent",),
    Step.ACCEPTANCE: ("accepted", "sent"),
    Step.APPOINTMENT: ("accepted", "sent"),
    Step.VISIT: ("visit", "appointment"),
    Step.REPORT: ("report",),
    Step.REVIEW: ("reviewed",),
}
# The last step is the one since which the referral stands where it stands: its clock runs from there.
LAST: dict[Step, tuple[str, ...]] = {
    Step.SENDING: ("sent", "since"),
    Step.RECEIPT: ("since", "sent"),
    Step.ACCEPTANCE: ("accepted", "since"),
    Step.ATTEMPT: ("last_attempt", "since"),
    Step.APPOINTMENT: ("since", "accepted", "sent"),
    Step.NO_SHOW: ("since", "appointment"),
    Step.VISIT: ("visit",),
    Step.REPORT: ("report", "since"),
    Step.REVIEW: ("reviewed", "since"),
}
SAME_DAY = timedelta(hours=12)
BY_PARTNER = frozenset(
    {
        *(Step.RECEIPT, Step.INFORMATION_REQUEST, Step.ACCEPTANCE, Step.APPOINTMENT, Step.NO_SHOW, Step.VISIT),
        *(Step.REPORT, Step.ADVICE, Step.DECLINE, Step.REDIRECTION),
    }
)
UNSAID = "The list says no more."
COORDINATOR = "coordinator, before go-live"


def opened_at(row: Row) -> datetime:
    """When it was written: `opened`, else the earliest date there is."""
    if "opened" in row.dates:
        return row.dates["opened"]
    if happened := [at for name, at in row.dates.items() if name not in AHEAD]:
        return min(happened)
    column = "opened" if row.stage is Stage.DRAFT else "sent"
    raise NotUnderstood(column, "", "nothing says when this began", "write the day")


def past_of(row: Row, partner: str) -> tuple[PastStep, ...]:
    """Oldest first; raises NotUnderstood naming the column that lacks."""
    return tuple(_steps(row, partner))


def _steps(row: Row, partner: str) -> Iterator[PastStep]:
    """Of days without a time the order within a day is not known: what led to a step never comes after it then."""
    path, before = PATHS[row.stage], opened_at(row)
    for place, step in enumerate(path, 1):
        names = LAST.get(step, ("since",)) if place == len(path) else DATED.get(step, ("since",))
        name, at = _dated(row, names)
        if before - SAME_DAY <= at < before or name != names[0]:
            at = max(before, at)
        before = at
        yield PastStep(step, at, _who(row, step, partner), _facts(row, step))


def _dated(row: Row, names: tuple[str, ...]) -> tuple[str, datetime]:
    for name in names:
        if name in row.dates:
            return name, row.dates[name]
    raise _lacks(row, names)


def _lacks(row: Row, names: tuple[str, ...]) -> NotUnderstood:
    words = f"a referral that is “{row.stage.replace('_', ' ')}” needs this date"
    return NotUnderstood(names[0], "", words, f"fill in {' or '.join(names)}")


def _who(row: Row, step: Step, partner: str) -> str:
    if step is Step.REVIEW:
        return row.requester or COORDINATOR
    return partner if step in BY_PARTNER else COORDINATOR


def _facts(row: Row, step: Step) -> Facts:
    make: Callable[[Row], Facts] = FACTS.get(step, lambda _: Facts())
    return make(row)


def _visit_at(row: Row) -> datetime:
    for name in ("appointment", "visit"):
        if name in row.dates:
            return row.dates[name]
    ahead = row.stage in (Stage.SCHEDULED, Stage.NO_SHOW)
    raise _lacks(row, ("appointment",) if ahead else ("visit",))


def _seen(row: Row) -> Facts:
    due = row.dates.get("report_due")
    return Facts(at=row.dates.get("visit"), note=f"Report promised by {due:%Y-%m-%d}." if due else "")


FACTS: dict[Step, Callable[[Row], Facts]] = {
    Step.SENDING: lambda row: Facts(outcome=Coverage.CHECK if row.stage is Stage.COVERAGE else ""),
    Step.APPOINTMENT: lambda row: Facts(at=_visit_at(row)),
    Step.ATTEMPT: lambda row: Facts(channel="phone", outcome=Reached.NO_ANSWER, note=row.note),
    Step.VISIT: _seen,
    Step.REVIEW: lambda row: Facts(note=row.note or UNSAID),
    Step.PATIENT_NOTICE: lambda row: Facts(channel="phone", note=row.note),
    Step.DECLINE: lambda row: Facts(reason=Reason.OTHER, note=row.note or UNSAID),
    Step.CANCELLATION: lambda row: Facts(reason=Reason.OTHER, note=row.note or UNSAID),
    Step.INFORMATION_REQUEST: lambda row: Facts(note=row.note or UNSAID),
    Step.REDIRECTION: lambda row: Facts(note=row.note or UNSAID),
    Step.ADVICE: lambda row: Facts(note=row.note or UNSAID),
}
