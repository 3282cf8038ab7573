"""FHIR Task: the work of fulfilling a referral, as we show it and as a partner answers with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import (
    Coding,
    Concept,
    Identifier,
    Note,
    Reference,
    filled,
    moment,
    read_concept,
    read_identifiers,
    read_moment,
    read_notes,
    read_reference,
    write_concept,
    write_identifier,
    write_notes,
    write_reference,
)
from activities.formats.fhir.document_reference import DocumentContent, read_document_reference
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked
from activities.formats.fhir.task_step import TaskStatus, read_step
from rules.referral.vocabulary import Facts, Priority, Reason, Step


@dataclass(frozen=True)
class TaskContent:
    """`address` is where this Task is read and updated: the partner answers there (`<FHIR base>/Task/<id>`).

    `number` is the referral number; `owner` the organisation asked; `due_at` when the answer is due.
    """

    address: str
    number: Identifier
    focus: Reference
    patient: Reference
    requester: Reference
    owner: Reference
    priority: str = "routine"
    status: TaskStatus = TaskStatus.REQUESTED
    business: Concept | None = None
    reason: Concept | None = None
    description: str = ""
    authored_at: datetime | None = None
    modified_at: datetime | None = None
    due_at: datetime | None = None
    notes: tuple[Note, ...] = ()
    id: str = ""
    version: str = ""


class OutputKind(StrEnum):
    """Task.output.type in our own code system."""

    APPOINTMENT = "appointment"
    REPORT = "report"
    OUTREACH = "outreach"
    PRIORITY = "priority"


@dataclass(frozen=True)
class Output:
    """What a partner attached: a contained or referenced document, an appointment, or a plain value in words."""

    kind: Concept
    reference: str = ""
    document: DocumentContent | None = None
    at: datetime | None = None
    words: str = ""


@dataclass(frozen=True)
class TaskAnswer:
    """A partner's Task. `step` is None where (status, business status) is not in our table: show `raw` to a person.

    `appointment_at` is the start of the visit booked last; `visited_at` when the visit was. `patient` is Task.for, as
    written.
    """

    task_id: str
    version: str
    status: TaskStatus
    business: Concept | None
    reason: Concept | None
    step: Step | None
    raw: str
    patient: str
    focus: str
    addresses: tuple[str, ...]
    number: str
    notes: tuple[Note, ...]
    outputs: tuple[Output, ...]
    appointment_at: datetime | None
    visited_at: datetime | None

    @property
    def note(self) -> str:
        """The newest note's words; empty without one."""
        return self.notes[-1].text if self.notes else ""

    def said(self, kind: OutputKind) -> str:
        """The newest output of a kind of ours, in words; empty without one."""
        return next((one.words for one in reversed(self.outputs) if _is(one, kind)), "")

    @property
    def documents(self) -> tuple[Output, ...]:
        """The outputs that are or name a document."""
        return tuple(one for one in self.outputs if one.document or "DocumentReference/" in one.reference)


def build_task(content: TaskContent) -> Json:
    return checked(
        filled(
            {
                "resourceType": "Task",
                "id": content.id,
                "meta": filled({"versionId": content.version, "lastUpdated": moment(content.modified_at)}),
                "identifier": [write_identifier(Identifier(systems.URI, content.address))],
                "groupIdentifier": write_identifier(content.number),
                "status": content.status.value,
                "statusReason": write_concept(content.reason),
                "businessStatus": write_concept(content.business),
                "intent": "order",
                "priority": content.priority,
                "code": write_concept(Concept((Coding(systems.TASK_CODE, "fulfill"),))),
                "description": content.description,
                "focus": write_reference(content.focus),
                "for": write_reference(content.patient),
                "authoredOn": moment(content.authored_at),
                "lastModified": moment(content.modified_at),
                "requester": write_reference(content.requester),
                "owner": write_reference(content.owner),
                "note": write_notes(content.notes),
                "restriction": filled({"period": filled({"end": moment(content.due_at)})}),
            }
        )
    )


def read_task(resource: Json) -> TaskAnswer:
    """From a checked Task. Completed without a document is no report: its step is None, for a person to see."""
    status = TaskStatus(resource["status"])
    business = read_concept(resource.get("businessStatus"))
    identifiers = read_identifiers(resource.get("identifier", []))
    outputs = tuple(_output(one, resource) for one in resource.get("output", []))
    period = resource.get("executionPeriod", {})
    answer = TaskAnswer(
        task_id=resource.get("id", ""),
        version=resource.get("meta", {}).get("versionId", ""),
        status=status,
        business=business,
        reason=read_concept(resource.get("statusReason")),
        step=read_step(status, business),
        raw=" · ".join(part for part in (status.value, business.words if business else "") if part),
        patient=_target(resource.get("for")),
        focus=_target(resource.get("focus")),
        addresses=tuple(one.value for one in identifiers if one.system == systems.URI),
        number=resource.get("groupIdentifier", {}).get("value", ""),
        notes=read_notes(resource.get("note", [])),
        outputs=outputs,
        appointment_at=next((one.at for one in reversed(outputs) if one.at), None),
        visited_at=read_moment(period.get("end")) or read_moment(period.get("start")),
    )
    return _without_claim(answer) if answer.step is Step.REPORT and not answer.documents else answer


def _without_claim(answer: TaskAnswer) -> TaskAnswer:
    raw = f"{answer.raw} without a report"
    return TaskAnswer(**{**vars(answer), "step": None, "raw": raw})


def _target(value: Json | None) -> str:
    return (read_reference(value) or Reference("")).reference


def _output(output: Json, task: Json) -> Output:
    kind = read_concept(output["type"]) or Concept()
    target = _target(output.get("valueReference"))
    contained = _contained(target, task)
    if contained.get("resourceType") == "DocumentReference":
        return Output(kind, target, document=read_document_reference(contained))
    if contained.get("resourceType") == "Appointment":
        return Output(kind, target, at=read_moment(contained.get("start")))
    period = output.get("valuePeriod", {})
    at = output.get("valueDateTime") or output.get("valueInstant") or period.get("start")
    return Output(kind, target, at=read_moment(at), words=output.get("valueString", "") or (at or ""))


def _contained(target: str, task: Json) -> Json:
    if not target.startswith("#"):
        return {}
    return next((one for one in task.get("contained", []) if one.get("id") == target[1:]), {})


def _is(output: Output, kind: OutputKind) -> bool:
    return any(one.system == systems.OUTPUT and one.code == kind for one in output.kind.codings)


def read_facts(answer: TaskAnswer) -> Facts:
    """What the answer says about its step. A reason we have no code for is `other`, its words in the note."""
    reason = read_reason(answer.reason)
    priority = answer.said(OutputKind.PRIORITY) if answer.step is Step.PRIORITY_CHANGE else ""
    said = answer.reason.words if answer.reason else ""
    foreign = said if reason is Reason.OTHER and said not in answer.note else ""
    visit = answer.step is Step.VISIT
    outreach = answer.step is Step.ATTEMPT
    return Facts(
        reason=reason,
        note="\n".join(part for part in (foreign, answer.note) if part),
        at=(answer.visited_at or answer.appointment_at) if visit else answer.appointment_at,
        channel="specialist" if outreach else "",
        outcome=(answer.said(OutputKind.OUTREACH) or answer.note) if outreach else "",
        priority=Priority(priority) if priority in set(Priority) else None,
    )


def read_reason(given: Concept | None) -> Reason | None:
    """The reason by our code; `other` for one that is said in another."""
    if given is None or not given.words:
        return None
    codes = [one.code for one in given.codings if one.system == systems.STATUS_REASON]
    known = next((code for code in codes if code in set(Reason)), None)
    return Reason(known) if known else Reason.OTHER


def reason_concept(reason: Reason) -> Concept:
    """Our code for a decline, redirection or cancellation."""
    return Concept((Coding(systems.STATUS_REASON, reason.value),))
