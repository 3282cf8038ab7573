"""What partners write at the FHIR door: a Task's update, a document, a whole referral."""

import hashlib
from uuid import UUID

from flask import Response, request

from activities.formats.fhir.bundle import token
from activities.formats.fhir.datatypes import read_identifier
from activities.formats.fhir.document_reference import read_document_reference
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.referral_bundle import read_referral
from activities.formats.fhir.task_update import foreign_patients, refused_changes
from web.fhir.answers import answer, answer_recorded, etag, refuse
from web.fhir.door import Arrival, ArrivalKind, Door, Fate, Interface, Readable, Received
from web.fhir.requests import body, seen_version
from web.fhir.transaction import is_update, line_of, refuse_unfit_entries, refuse_unfit_referral

MAX_BUNDLE = 20_000_000
PATIENCE = 4.0


def update_task(door: Door, interface: Interface, base: str, task_id: str) -> Response:
    """200 with the Task as it is now, or 202 when the engine needs longer than four seconds."""
    version = seen_version()
    raw = body(MAX_BUNDLE)
    task = read_resource(raw, "Task", MAX_BUNDLE)
    if task.get("id") != task_id:
        raise refuse(400, "Task.id must be the one in the address.", "Task.id")
    stored = door.read(interface, Readable.TASK, task_id)
    if stored is None:
        raise refuse(404, "There is no Task with this id for you.")
    issues = refused_changes(stored.content, task, base) + foreign_patients(stored.content, task, base)
    if issues:
        raise Refused(422, *issues)
    named = f"Task/{task_id}/{version}:{_digest(raw)}"
    arrival = Arrival(ArrivalKind.TASK_UPDATE, raw, named, task_id, version)
    return _answered(_settled(door, interface, arrival), 200)


def create_document(door: Door, interface: Interface, base: str) -> Response:
    """201, or 200 with the same one when If-None-Exist names its own identifier and it is there already."""
    raw = body(MAX_BUNDLE)
    resource = read_resource(raw, "DocumentReference", MAX_BUNDLE)
    subject = read_document_reference(resource).subject.reference.removeprefix(base + "/")
    patient_id = subject.removeprefix("Patient/")
    if patient_id == subject or door.read(interface, Readable.PATIENT, patient_id) is None:
        words = "DocumentReference.subject must be a patient of a referral to you, as Patient/<id>."
        raise refuse(422, words, "DocumentReference.subject")
    if not any(name in resource["content"][0]["attachment"] for name in ("data", "url")):
        path = "DocumentReference.content[0].attachment"
        raise refuse(422, f"{path} needs the bytes (data) or the Binary they were sent in (url Binary/<id>).", path)
    line = _bytes(patient_id)
    arrival = Arrival(ArrivalKind.DOCUMENT, raw, _document_name(resource, raw), line=line)
    return _created(_settled(door, interface, arrival), base)


def create_binary(door: Door, interface: Interface, base: str) -> Response:
    raw = body(MAX_BUNDLE)
    kind = read_resource(raw, "Binary", MAX_BUNDLE)["contentType"]
    arrival = Arrival(ArrivalKind.BINARY, raw, f"Binary:{_digest(raw)}", content_type=kind)
    return _created(_settled(door, interface, arrival), base)


def take_referral(door: Door, interface: Interface) -> Response:
    """A transaction bundle holding one referral, or word of one: 200 with the response, 202 while it is being filed."""
    raw = body(MAX_BUNDLE)
    bundle = read_resource(raw, "Bundle", MAX_BUNDLE)
    if bundle["type"] != "transaction":
        raise refuse(422, "Bundle.type must be transaction.", "Bundle.type")
    refuse_unfit_entries(bundle)
    referral = read_referral(bundle)
    refuse_unfit_referral(bundle, referral)
    address = referral.task.addresses[0]
    arrival = Arrival(
        ArrivalKind.REFERRAL_UPDATE if is_update(bundle) else ArrivalKind.REFERRAL,
        raw,
        f"Bundle:{address}",
        line=line_of(bundle, referral).encode(),
        address=address,
        owner=referral.recipient.identifiers if referral.recipient else (),
    )
    return _answered(_settled(door, interface, arrival), 200)


def _document_name(resource: Json, raw: bytes) -> str:
    condition = request.headers.get("If-None-Exist")
    if condition is None:
        return f"DocumentReference:{_digest(raw)}"
    own = [token(read_identifier(one)) for one in resource.get("identifier", [])]
    wanted = condition.removeprefix("identifier=")
    if wanted == condition or wanted not in own:
        raise refuse(412, "If-None-Exist must be identifier= and an identifier of the resource itself.")
    return f"DocumentReference:{wanted}"


def _bytes(patient_id: str) -> bytes:
    try:
        return UUID(patient_id).bytes
    except ValueError:
        return patient_id.encode()


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _settled(door: Door, interface: Interface, arrival: Arrival) -> Received:
    received = door.receive(interface, arrival)
    if received.fate is Fate.RECORDED:
        return door.outcome(interface, received.message_id, PATIENCE)
    return received


def _answered(received: Received, done: int) -> Response:
    match received.fate:
        case Fate.APPLIED if received.resource is not None:
            return answer(received.resource, done, received.version)
        case Fate.STALE:
            words = f"The resource is at version {etag(received.version)} by now: read it again, then repeat."
            raise refuse(412, words)
        case Fate.REFUSED:
            raise refuse(409, received.words or "This does not apply to the referral as it stands now.")
        case Fate.WAITING:
            words = received.words or "Recorded. A person at the clinic will look at it."
            return answer_recorded(words, received.message_id)
    return answer_recorded("Recorded, being applied.", received.message_id)


def _created(received: Received, base: str) -> Response:
    response = _answered(received, 201)
    if response.status_code == 201 and received.resource is not None:
        kind, made = received.resource["resourceType"], received.resource["id"]
        response.headers["Location"] = f"{base}/{kind}/{made}"
    return response
