"""One thing said about a Task: as a message of its own, and laid over the Task as it stands at the other side."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import Coding, Concept, Note, filled, moment, write_concept, write_notes
from activities.formats.fhir.document_reference import DocumentContent, build_document_reference
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked
from activities.formats.fhir.task import OutputKind, reason_concept
from activities.formats.fhir.task_step import Business, TaskStatus, business_concept
from rules.referral.vocabulary import Priority, Reason

_WHO = ("identifier", "groupIdentifier", "intent", "code", "focus", "for")
_STANDING = ("status", "businessStatus", "statusReason")
_LISTS = ("note", "contained", "output")


@dataclass(frozen=True)
class Saying:
    """What one side says at an instant. `status` None leaves status, business status and reason as they are.

    `key` is unique among what is said of one Task: it names what comes attached. `priority` is the referrer's to
    set; a specialist who asks for another says so by `wanted`.
    """

    key: str
    at: datetime
    author: str
    status: TaskStatus | None = None
    business: Business | None = None
    reason: Reason | None = None
    note: str = ""
    priority: Priority | None = None
    wanted: Priority | None = None
    appointment_at: datetime | None = None
    visited_at: datetime | None = None
    outreach: str = ""
    document: DocumentContent | None = None


def build_answer(task: Json, saying: Saying) -> Json:
    """A Task that holds what names `task` and only what is said now."""
    said: Json = {name: task[name] for name in _WHO if name in task}
    if saying.status is None:
        said |= {name: task[name] for name in _STANDING if name in task}
    else:
        said |= {
            "status": saying.status.value,
            "businessStatus": write_concept(business_concept(saying.business)) if saying.business else None,
            "statusReason": write_concept(reason_concept(saying.reason)) if saying.reason else None,
        }
    contained, outputs = _attached(task, saying)
    note = [Note(saying.note, saying.at, saying.author)] if saying.note else []
    said |= {
        "resourceType": "Task",
        "priority": saying.priority,
        "lastModified": moment(saying.at),
        "executionPeriod": filled({"end": moment(saying.visited_at)}),
        "note": write_notes(note),
        "contained": contained,
        "output": outputs,
    }
    return checked(filled(said))


def _attached(task: Json, saying: Saying) -> tuple[list[Json], list[Json]]:
    things = {
        OutputKind.APPOINTMENT: _appointment(task, saying.appointment_at) if saying.appointment_at else None,
        OutputKind.REPORT: build_document_reference(saying.document) if saying.document else None,
    }
    contained = [{**thing, "id": f"{kind}-{saying.key}"} for kind, thing in things.items() if thing]
    values: dict[OutputKind, Json] = {
        kind: {"valueReference": {"reference": f"#{kind}-{saying.key}"}} for kind, thing in things.items() if thing
    }
    words = {OutputKind.OUTREACH: saying.outreach, OutputKind.PRIORITY: saying.wanted}
    values |= {kind: {"valueString": str(said)} for kind, said in words.items() if said}
    return contained, [_output(kind, value, saying.key) for kind, value in values.items()]


def _appointment(task: Json, at: datetime) -> Json:
    """R4: a booked Appointment has an end; how long the visit takes is not said by a referral."""
    who = filled({"actor": task.get("for"), "status": "accepted"})
    start = moment(at)
    return {"resourceType": "Appointment", "status": "booked", "start": start, "end": start, "participant": [who]}


def _output(kind: OutputKind, value: Json, key: str) -> Json:
    return {"id": f"{kind}-{key}", "type": write_concept(Concept((Coding(systems.OUTPUT, kind),))), **value}


def merged(task: Json, answer: Json) -> Json:
    """The Task after the answer: standing as it says, notes and attachments added where they are not there yet."""
    result = {name: value for name, value in task.items() if name not in _STANDING}
    result |= {name: answer[name] for name in (*_STANDING, "priority", "executionPeriod") if name in answer}
    for name in _LISTS:
        held = task.get(name, [])
        result |= filled({name: [*held, *(one for one in answer.get(name, []) if not _there(one, held))]})
    # R4 3.5.1.2: what is contained names the patient as the Task does where it now stands.
    if "contained" in result and "for" in task:
        result["contained"] = [_about(one, task["for"]) for one in result["contained"]]
    return {**result, "lastModified": answer.get("lastModified", task.get("lastModified"))}


def says(task: Json, answer: Json) -> bool:
    """Whether the Task says already what the answer says."""
    after = merged(task, answer)
    return {**after, "lastModified": None} == {**task, "lastModified": None}


def _there(one: Json, held: list[Json]) -> bool:
    """What is attached is known by its id: the same words twice are two attempts."""
    return one.get("id", one) in [other.get("id", other) for other in held]


def _about(resource: Json, patient: Any) -> Json:
    if resource.get("resourceType") == "Appointment":
        participants = [
            {**one, "actor": patient} if "Patient/" in one.get("actor", {}).get("reference", "") else one
            for one in resource.get("participant", [])
        ]
        return {**resource, "participant": participants}
    return {**resource, "subject": patient} if "subject" in resource else resource
