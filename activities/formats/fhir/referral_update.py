"""What the referrer's word about a Task sent to us before means, and the Task after it."""

from typing import Any

from activities.formats.fhir.datatypes import Concept, read_concept
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.task import read_reason
from activities.formats.fhir.task_step import Business, TaskStatus, read_business
from rules.referral.vocabulary import Facts, Priority, Reason, Step

_REFERRERS = frozenset(
    [
        Business.CANCELLATION_REQUESTED,
        Business.INFORMATION_SUPPLIED,
        Business.VISIT_REQUESTED,
        Business.NOT_SELECTED,
    ]
)
ENDED = frozenset([TaskStatus.CANCELLED, TaskStatus.REJECTED, TaskStatus.COMPLETED, TaskStatus.FAILED])
_PRIORITIES = {"asap": Priority.URGENT, **{one.value: one for one in Priority}}


def priority_of(code: str) -> Priority:
    """FHIR knows one urgency more than we do: `asap` is urgent."""
    return _PRIORITIES.get(code, Priority.ROUTINE)


def asks_anew(received: Json) -> bool:
    """Whether the referrer asks for a visit after the work on the Task had ended."""
    return received["status"] == TaskStatus.REQUESTED and business_of(received) is Business.VISIT_REQUESTED


def business_of(task: Json) -> Business | None:
    return read_business(TaskStatus(task["status"]), read_concept(task.get("businessStatus")))


def read_word(stored: Json, received: Json) -> tuple[Step, Facts] | None:
    """The step that the referrer's update of our `stored` Task is, and what is said with it; None: nothing new."""
    business, note = business_of(received), _new_notes(stored, received)
    reason = read_reason(read_concept(received.get("statusReason")))
    if received["status"] == TaskStatus.CANCELLED:
        if stored["status"] == TaskStatus.CANCELLED:
            return None
        return Step.CLOSURE, Facts(reason=reason or _why(business), note=note)
    if business is Business.CANCELLATION_REQUESTED and business_of(stored) is not business:
        return Step.CANCELLATION, Facts(reason=reason or Reason.OTHER, note=note)
    priority = priority_of(received.get("priority", "routine"))
    if priority is not priority_of(stored.get("priority", "routine")):
        return Step.PRIORITY_CHANGE, Facts(priority=priority, note=note or "No reason was given.")
    if note or (business is Business.INFORMATION_SUPPLIED and business_of(stored) is not business):
        return Step.INFORMATION, Facts(note=note or "Documents were sent.")
    return None


def _why(business: Business | None) -> Reason:
    return Reason.PATIENT_CHOICE if business is Business.NOT_SELECTED else Reason.OTHER


def taken(stored: Json, received: Json) -> Json:
    """Our Task after the referrer's word. How far the work is we say ourselves, unless the referrer has ended it."""
    after = {**stored, "priority": received.get("priority", "routine")}
    notes = [*stored.get("note", []), *_missing(stored, received)]
    if notes:
        after["note"] = notes
    if received["status"] == TaskStatus.CANCELLED or business_of(received) in _REFERRERS:
        after |= {name: received[name] for name in ("businessStatus", "statusReason") if name in received}
    if received["status"] == TaskStatus.CANCELLED:
        after["status"] = TaskStatus.CANCELLED.value
    return after


def _new_notes(stored: Json, received: Json) -> str:
    return "\n".join(note["text"] for note in _missing(stored, received))


def _missing(stored: Json, received: Json) -> list[Json]:
    known = {_named(one) for one in stored.get("note", [])}
    return [one for one in received.get("note", []) if _named(one) not in known]


def _named(note: Json) -> tuple[Any, ...]:
    return note.get("time"), note["text"]


def new_note(stored: Json, received: Json) -> str:
    """The newest note that was not in the Task before; empty without one."""
    said = _missing(stored, received)
    return str(said[-1]["text"]) if said else ""


def reason_words(task: Json) -> str:
    """The status reason for a person."""
    return (read_concept(task.get("statusReason")) or Concept()).words
