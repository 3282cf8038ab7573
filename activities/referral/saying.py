"""What each step of a referral says in its Task: the specialist's steps to the referrer, the referrer's to her."""

from dataclasses import dataclass, replace
from datetime import datetime

from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.task_answer import Saying
from activities.formats.fhir.task_step import Business, TaskStatus
from rules.referral.vocabulary import Facts, Standing, Step

# Nothing can be asked of a Task that has ended.
ENDED = frozenset([TaskStatus.REJECTED, TaskStatus.CANCELLED, TaskStatus.COMPLETED, TaskStatus.FAILED])
UNANSWERED = frozenset([TaskStatus.REQUESTED, TaskStatus.RECEIVED])

_S, _B = TaskStatus, Business
_ANSWERS: dict[Step, tuple[TaskStatus, Business | None]] = {
    Step.RECEIPT: (_S.RECEIVED, None),
    Step.ACCEPTANCE: (_S.ACCEPTED, None),
    Step.DECLINE: (_S.REJECTED, None),
    Step.REDIRECTION: (_S.REJECTED, _B.REDIRECTED),
    Step.ADVICE: (_S.COMPLETED, _B.ADVICE_GIVEN),
    Step.INFORMATION_REQUEST: (_S.RECEIVED, _B.AWAITING_INFORMATION),
    Step.ATTEMPT: (_S.ACCEPTED, _B.OUTREACH),
    Step.APPOINTMENT: (_S.IN_PROGRESS, _B.VISIT_SCHEDULED),
    Step.NO_SHOW: (_S.IN_PROGRESS, _B.NO_SHOW),
    Step.VISIT: (_S.IN_PROGRESS, _B.VISIT_COMPLETE),
    Step.REPORT: (_S.COMPLETED, None),
    Step.CANCELLATION_CONFIRMED: (_S.CANCELLED, None),
    Step.CANCELLATION_REFUSED: (_S.IN_PROGRESS, _B.CANCELLATION_REFUSED),
    Step.PRIORITY_CHANGE: (_S.RECEIVED, _B.PRIORITY_CHANGED),
    Step.CLOSURE: (_S.FAILED, None),
}
# A Task that was accepted stays so while these are said.
_LEAVE_ACCEPTED = frozenset([Step.INFORMATION_REQUEST, Step.PRIORITY_CHANGE])
SPECIALISTS = frozenset(_ANSWERS) | {Step.LATE_NOTE}
REFERRERS = frozenset(
    [
        Step.INFORMATION,
        Step.CANCELLATION,
        Step.PRIORITY_CHANGE,
        Step.CONVERSION,
        Step.CHOICE,
        Step.NEW_RECIPIENT,
        Step.CLOSURE,
        Step.EXPIRY,
    ]
)


@dataclass(frozen=True)
class Author:
    """Who says it, when, and a key of that saying's own."""

    name: str
    at: datetime
    key: str


def specialists(
    step: Step, facts: Facts, now: TaskStatus, author: Author, report: DocumentContent | None = None
) -> Saying | None:
    """What the specialist says by a step, from how her Task stands `now`; None for a step that says nothing."""
    blank = Saying(author.key, author.at, author.name, reason=facts.reason, note=facts.note)
    if step is Step.LATE_NOTE:
        return replace(blank, document=report)
    if step not in _ANSWERS:
        return None
    status, business = _ANSWERS[step]
    if step in _LEAVE_ACCEPTED and now not in UNANSWERED:
        status = now
    if step is Step.CLOSURE and now in UNANSWERED:
        status = TaskStatus.REJECTED
    said = replace(blank, status=status, business=business)
    match step:
        case Step.APPOINTMENT:
            return replace(said, appointment_at=facts.at)
        case Step.VISIT:
            return replace(said, visited_at=facts.at)
        case Step.REPORT:
            return replace(said, document=report, note="" if report else facts.note)
        case Step.ATTEMPT:
            return replace(said, outreach=facts.outcome, note=_tried(facts))
        case Step.PRIORITY_CHANGE:
            return replace(said, wanted=facts.priority)
    return said


def _tried(facts: Facts) -> str:
    words = f"{facts.channel}: {facts.outcome}".replace("-", " ").capitalize()
    return f"{words}. {facts.note}" if facts.note else words


def referrers(step: Step, facts: Facts, now: TaskStatus, standing: Standing | None, author: Author) -> Saying | None:
    """What the referrer says to one candidate by a step, from how that candidate's Task stands `now`.

    None for a step that does not concern this candidate.
    """
    blank = Saying(author.key, author.at, author.name, reason=facts.reason, note=facts.note)
    live = standing in (Standing.ASKED, Standing.ACCEPTED)
    if step is Step.CONVERSION and live:
        return replace(blank, status=TaskStatus.REQUESTED, business=Business.VISIT_REQUESTED)
    if now in ENDED:
        return None
    match step:
        case Step.INFORMATION if live:
            return replace(blank, status=now, business=Business.INFORMATION_SUPPLIED)
        case Step.CANCELLATION if live:
            return replace(blank, status=now, business=Business.CANCELLATION_REQUESTED)
        case Step.PRIORITY_CHANGE if live:
            return replace(blank, priority=facts.priority)
        case Step.CHOICE | Step.NEW_RECIPIENT if standing is Standing.NOT_SELECTED:
            return replace(blank, status=TaskStatus.CANCELLED, business=Business.NOT_SELECTED, reason=None, note="")
        case Step.CLOSURE | Step.EXPIRY:
            return replace(blank, status=TaskStatus.CANCELLED)
    return None
