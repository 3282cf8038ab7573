"""Which step of a referral a partner's Task status and business status mean: one table, and no guessing.

Sources: FHIR R4 Task state machine; HL7 Clinical Order Workflows (example codes); HL7 BSeR
(TaskBusinessStatusCS). A pair that is not in the table is no step: it is shown to a person as it came.
"""

from enum import StrEnum

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import Coding, Concept
from rules.referral.vocabulary import Step


class TaskStatus(StrEnum):
    """http://hl7.org/fhir/task-status"""

    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    READY = "ready"
    CANCELLED = "cancelled"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    FAILED = "failed"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


class Business(StrEnum):
    """Task.businessStatus: codes of Clinical Order Workflows where it has one, else of our own code system."""

    AWAITING_INFORMATION = "awaiting-information"
    VISIT_SCHEDULED = "visit-scheduled"
    VISIT_COMPLETE = "visit-complete"
    PRELIMINARY_OUTCOME = "preliminary-outcome"
    REDIRECTED = "redirected"
    ADVICE_GIVEN = "advice-given"
    NO_SHOW = "no-show"
    VISIT_CANCELLED = "visit-cancelled"
    OUTREACH = "outreach"
    CANCELLATION_REQUESTED = "cancellation-requested"
    CANCELLATION_REFUSED = "cancellation-refused"
    PRIORITY_CHANGED = "priority-changed"
    INFORMATION_SUPPLIED = "information-supplied"
    VISIT_REQUESTED = "visit-requested"
    NOT_SELECTED = "not-selected"


# Said by the referrer: a specialist who leaves it in the Task says nothing by it.
_REFERRERS = frozenset([Business.INFORMATION_SUPPLIED, Business.VISIT_REQUESTED, Business.NOT_SELECTED])
_COW = (
    Business.AWAITING_INFORMATION,
    Business.VISIT_SCHEDULED,
    Business.VISIT_COMPLETE,
    Business.PRELIMINARY_OUTCOME,
)
_BSER = {
    "5.1.1": Business.VISIT_SCHEDULED,
    "5.1.2": Business.NO_SHOW,
    "5.1.3": Business.VISIT_CANCELLED,
    "5.1.4": Business.VISIT_COMPLETE,
    "5.2": Business.CANCELLATION_REQUESTED,
}
# BSeR also numbers what Task.status says already; these add nothing to it.
_BSER_RESTATED = {
    "2.0": TaskStatus.REQUESTED,
    "3.0": TaskStatus.ACCEPTED,
    "4.0": TaskStatus.REJECTED,
    "6.0": TaskStatus.CANCELLED,
    "7.0": TaskStatus.COMPLETED,
}

_S, _B = TaskStatus, Business
STEPS: dict[tuple[TaskStatus, Business | None], Step] = {
    (_S.RECEIVED, None): Step.RECEIPT,
    (_S.REQUESTED, _B.AWAITING_INFORMATION): Step.INFORMATION_REQUEST,
    (_S.RECEIVED, _B.AWAITING_INFORMATION): Step.INFORMATION_REQUEST,
    (_S.ON_HOLD, _B.AWAITING_INFORMATION): Step.INFORMATION_REQUEST,
    (_S.ACCEPTED, _B.AWAITING_INFORMATION): Step.INFORMATION_REQUEST,
    (_S.IN_PROGRESS, _B.AWAITING_INFORMATION): Step.INFORMATION_REQUEST,
    (_S.ACCEPTED, None): Step.ACCEPTANCE,
    (_S.REJECTED, None): Step.DECLINE,
    (_S.REJECTED, _B.REDIRECTED): Step.REDIRECTION,
    (_S.REJECTED, _B.ADVICE_GIVEN): Step.ADVICE,
    (_S.COMPLETED, _B.ADVICE_GIVEN): Step.ADVICE,
    (_S.ACCEPTED, _B.OUTREACH): Step.ATTEMPT,
    (_S.IN_PROGRESS, _B.OUTREACH): Step.ATTEMPT,
    (_S.ACCEPTED, _B.VISIT_SCHEDULED): Step.APPOINTMENT,
    (_S.IN_PROGRESS, _B.VISIT_SCHEDULED): Step.APPOINTMENT,
    (_S.ACCEPTED, _B.NO_SHOW): Step.NO_SHOW,
    (_S.IN_PROGRESS, _B.NO_SHOW): Step.NO_SHOW,
    (_S.IN_PROGRESS, _B.VISIT_COMPLETE): Step.VISIT,
    (_S.COMPLETED, None): Step.REPORT,
    (_S.COMPLETED, _B.VISIT_COMPLETE): Step.REPORT,
    (_S.CANCELLED, None): Step.CANCELLATION_CONFIRMED,
    (_S.CANCELLED, _B.CANCELLATION_REQUESTED): Step.CANCELLATION_CONFIRMED,
    (_S.ACCEPTED, _B.CANCELLATION_REFUSED): Step.CANCELLATION_REFUSED,
    (_S.IN_PROGRESS, _B.CANCELLATION_REFUSED): Step.CANCELLATION_REFUSED,
    (_S.RECEIVED, _B.PRIORITY_CHANGED): Step.PRIORITY_CHANGE,
    (_S.ACCEPTED, _B.PRIORITY_CHANGED): Step.PRIORITY_CHANGE,
    (_S.IN_PROGRESS, _B.PRIORITY_CHANGED): Step.PRIORITY_CHANGE,
}


def business_concept(business: Business) -> Concept:
    """The code and every translation of it that a partner may know."""
    codings = [Coding(systems.COW, business.value)] if business in _COW else []
    codings += [Coding(systems.BSER, code) for code, meant in _BSER.items() if meant is business]
    if business not in _COW:
        codings.append(Coding(systems.BUSINESS_STATUS, business.value))
    return Concept(tuple(codings))


def read_step(status: TaskStatus, given: Concept | None) -> Step | None:
    """The step, or None when the pair means nothing to us or its codings contradict each other."""
    if given is None:
        return STEPS.get((status, None))
    known = [None if one in _REFERRERS else one for one in _known(status, given)]
    return STEPS.get((status, known[0])) if len(known) == 1 else None


def read_business(status: TaskStatus, given: Concept | None) -> Business | None:
    """What a business status says beyond the status; None also where its codings contradict each other."""
    known = [] if given is None else _known(status, given)
    return known[0] if len(known) == 1 else None


def _known(status: TaskStatus, given: Concept) -> list[Business | None]:
    """The distinct meanings of the codings we know; None stands for "says the same as the status"."""
    meant: list[Business | None] = []
    for coding in given.codings:
        if coding.system == systems.BSER and _BSER_RESTATED.get(coding.code) is status:
            meant.append(None)
        elif (business := _business(coding)) is not None:
            meant.append(business)
    return list(dict.fromkeys(meant))


def _business(coding: Coding) -> Business | None:
    if coding.system == systems.BSER:
        return _BSER.get(coding.code)
    if coding.system in (systems.COW, systems.BUSINESS_STATUS) and coding.code in set(Business):
        return Business(coding.code)
    return None
