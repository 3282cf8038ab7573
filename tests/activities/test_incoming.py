"""Referrals made to us, filed on a real PostgreSQL."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.formats.fhir.datatypes import Concept, Identifier, Reference, write_concept
from activities.formats.fhir.document_reference import DocumentContent, build_document_reference
from activities.formats.fhir.read import Refused
from activities.formats.fhir.referral_bundle import Referral
from activities.formats.fhir.task import read_task
from activities.formats.fhir.task_answer import merged
from activities.formats.fhir.task_step import Business, TaskStatus, business_concept
from activities.records.audit_event import AuditEvent
from activities.records.document_inbox import DocumentInbox
from activities.records.document_reference import DocumentReference
from activities.records.message_log import Direction as Way
from activities.records.message_log import MessageLog, MessageState
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.process import Process
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.task import Task
from infra.bootstrap import Parts
from rules.referral.vocabulary import Direction, Facts, Reason, Stage, Step
from tests import make
from tests.incoming import HERONFIELD_NPI, Heronfield, clinic, sent, word
from tests.scans import blank, written
from web.fhir.door import Arrival, ArrivalKind, Fate
from web.fhir.door import Readable as Kind

UPDATE = ArrivalKind.REFERRAL_UPDATE
TERRENCE: dict[str, Any] = {
    "mrn": "HF-2001",
    "family": "Vailgood",
    "given": "Terrence",
    "birth_date": date(1964, 9, 30),
    "sex": "male",
    "phone": "+12085550115",
}


@pytest.fixture
def heronfield(parts: Parts) -> Heronfield:
    return Heronfield(parts)


def case_of(heronfield: Heronfield) -> ServiceRequest:
    (request,) = heronfield.rows(ServiceRequest)
    return request


def test_a_referral_becomes_a_case_with_an_owner_and_a_deadline(heronfield: Heronfield) -> None:
    told = heronfield.receive(sent(heronfield.referral()))
    request = case_of(heronfield)
    assert (told.fate, request.direction, request.stage) == (Fate.APPLIED, Direction.IN, Stage.TRIAGE)
    assert (request.performer_id, request.their_number) == (heronfield.larkmoor, "R-20418")
    assert (request.priority, request.diagnoses) == ("urgent", ["R00.2", "Z34.93"])
    triage = next(one for one in heronfield.rows(Task) if one.kind == "referral")
    assert (triage.pool, triage.action) == ("intake", "Triage: accept, decline or ask")
    (process,) = [one for one in heronfield.rows(Process) if one.case_id == request.id and one.kind == "referral"]
    assert process.next_due is not None
    assert heronfield.state(process.state, process.workflow_id).progress.direction is Direction.IN


def test_the_sender_learns_where_its_parts_are(heronfield: Heronfield) -> None:
    told = heronfield.receive(sent(heronfield.referral()))
    assert told.resource is not None
    request, (task,) = case_of(heronfield), heronfield.rows(Fulfilment)
    places = {one["response"].get("location", ""): one["response"]["status"] for one in told.resource["entry"]}
    assert places[f"ServiceRequest/{request.id}/_history/1"] == "201 Created"
    assert places[f"Task/{task.id}/_history/1"] == places[f"Patient/{request.patient_id}/_history/1"] == "201 Created"


def test_the_same_referral_again_makes_no_second_case(heronfield: Heronfield) -> None:
    bundle = sent(heronfield.referral())
    assert heronfield.receive(bundle) == heronfield.receive(bundle)
    assert heronfield.count(ServiceRequest) == heronfield.count(Patient) == 1


def test_the_same_number_rendered_anew_makes_no_second_case(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    again = heronfield.receive(sent(heronfield.referral(task=str(uuid4()), language="en")))
    assert again.resource is not None
    assert {one["response"]["status"] for one in again.resource["entry"]} == {"200 OK"}
    assert heronfield.count(ServiceRequest) == 1


def test_a_referral_sent_twice_at_once_is_one(heronfield: Heronfield) -> None:
    bundle = sent(heronfield.referral())
    heronfield.receive(bundle)
    batch = heronfield.file(heronfield.interface)
    assert batch.filed == ()


def test_the_same_number_from_another_sender_is_another_case(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    heronfield.connected("Ashgrove Family Clinic", "2000009991", "ashgrove")
    other = heronfield.through("ashgrove")
    heronfield.receive(sent(heronfield.referral()), interface=other)
    assert heronfield.count(ServiceRequest) == 2


def test_a_new_task_for_a_case_that_has_ended_is_a_new_case(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    heronfield.step(case_of(heronfield).id, Step.DECLINE, Facts(reason=Reason.NO_CAPACITY))
    heronfield.receive(sent(heronfield.referral()))
    assert heronfield.count(ServiceRequest) == 1
    heronfield.receive(sent(heronfield.referral(task=str(uuid4()))))
    assert sorted(one.stage for one in heronfield.rows(ServiceRequest)) == [Stage.CLOSED, Stage.TRIAGE]


@pytest.mark.parametrize(
    ("known", "said", "filed"),
    [
        ({}, {}, True),
        ({"given": "Térrence", "family": "VAILGOOD"}, {}, True),
        ({"phone": ""}, {}, False),
        ({"phone": "+12085550199"}, {}, False),
        ({"sex": "unknown"}, {"gender": "unknown"}, False),
        ({"given": "Terry"}, {}, False),
        ({"family": "Vailgood Jr"}, {}, False),
        ({"birth_date": date(1964, 9, 29)}, {}, False),
        ({}, {"telecoms": ()}, False),
        ({"family": "Another", "phone": ""}, {"identifiers": ("heronfield", "HF-2001")}, True),
        ({"birth_date": date(1964, 3, 9)}, {"identifiers": ("heronfield", "HF-2001")}, False),
        ({}, {"identifiers": ("larkmoor", "HF-2001"), "telecoms": ()}, False),
    ],
)
def test_only_whole_facts_file_to_a_patient(
    heronfield: Heronfield, known: dict[str, Any], said: dict[str, Any], filed: bool
) -> None:
    patient = make.patient(heronfield.parts, make.HERONFIELD, **(TERRENCE | known))
    if "identifiers" in said:
        assigner, number = said["identifiers"]
        system = f"{heronfield.base}/identifier/{assigner}/mrn"
        said = said | {"identifiers": (Identifier(system, number, "MR"),)}
    heronfield.receive(sent(heronfield.referral(**said)))
    assert (case_of(heronfield).patient_id == patient) is filed
    assert heronfield.count(Patient) == (1 if filed else 2)


def test_two_who_both_fit_are_left_to_a_person(heronfield: Heronfield) -> None:
    for number in ("HF-2001", "HF-2002"):
        make.patient(heronfield.parts, make.HERONFIELD, **(TERRENCE | {"mrn": number}))
    heronfield.receive(sent(heronfield.referral()))
    assert heronfield.count(Patient) == 3


def test_a_new_patient_is_marked_and_somebody_must_look(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    (patient,) = heronfield.rows(Patient)
    assert patient.alerts == ["Check identity: came with a referral"]
    assert patient.mrn.startswith("IN-")
    review = next(one for one in heronfield.rows(Task) if one.kind == "review")
    assert (review.pool, review.case_id) == ("intake", case_of(heronfield).id)
    assert review.action.startswith("Check identity")


def test_a_known_patient_needs_no_look(heronfield: Heronfield) -> None:
    make.patient(heronfield.parts, make.HERONFIELD, **TERRENCE)
    heronfield.receive(sent(heronfield.referral()))
    assert [one.kind for one in heronfield.rows(Task)] == ["referral"]


def test_a_referrer_nobody_knows_is_added_to_the_directory_and_marked(heronfield: Heronfield) -> None:
    whole = heronfield.referral()
    heronfield.receive(sent(replace(whole, sender=clinic("Ashgrove Family Clinic", "2000009991"))))
    request = case_of(heronfield)
    made = next(one for one in heronfield.rows(Organization) if one.npi == "2000009991")
    assert request.performer_id == made.id
    assert "Check Ashgrove Family Clinic in the directory" in {one.action for one in heronfield.rows(Task)}


def enclosing(heronfield: Heronfield, data: bytes) -> Referral:
    """The referral with one letter of these bytes."""
    whole = heronfield.referral()
    return replace(whole, documents=(replace(whole.documents[0], data=data),))


def test_its_documents_are_on_file_once_however_often_they_come(heronfield: Heronfield) -> None:
    whole = enclosing(heronfield, written(blank(2)))
    heronfield.receive(sent(whole))
    heronfield.receive(word(whole, note=[NOTE]), UPDATE)
    (document,) = heronfield.rows(DocumentReference)
    assert (document.case_id, document.pages, document.type) == (case_of(heronfield).id, 2, "referral-letter")
    assert (document.source, document.received_from) == ("partner", "Larkmoor Family Medicine")


def test_a_document_nobody_could_be_shown_stays_in_its_message(heronfield: Heronfield) -> None:
    told = heronfield.receive(sent(enclosing(heronfield, b"no page at all")))
    assert (told.fate, heronfield.count(DocumentReference)) == (Fate.APPLIED, 0)


def test_the_referrer_is_told_that_it_has_arrived(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    (task,) = heronfield.rows(Fulfilment)
    assert task.status == TaskStatus.RECEIVED
    (answer,) = [one for one in heronfield.rows(MessageLog) if one.direction == Way.OUT]
    assert (answer.kind, answer.interface_id, answer.state) == ("fhir.task-answer", heronfield.larkmoor, "ready")


def test_another_clinic_sees_nothing_of_it(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    for kind in (ServiceRequest, Fulfilment, Patient, Task, Process, MessageLog, AuditEvent):
        assert heronfield.count(kind, make.LARKMOOR) == 0


def test_a_partner_reads_only_referrals_between_the_two(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    heronfield.connected("Ashgrove Family Clinic", "2000009991", "ashgrove")
    (task,), request = heronfield.rows(Fulfilment), case_of(heronfield)
    wanted = ((Kind.TASK, task.id), (Kind.SERVICE_REQUEST, request.id), (Kind.PATIENT, request.patient_id))
    other = heronfield.through("ashgrove")
    for kind, identity in wanted:
        assert heronfield.door.read(heronfield.interface, kind, str(identity)) is not None
        assert heronfield.door.read(other, kind, str(identity)) is None


def test_our_copy_of_their_task_is_not_theirs_to_put(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    (task,) = heronfield.rows(Fulfilment)
    with pytest.raises(Refused) as refused:
        heronfield.door.receive(
            heronfield.interface,
            Arrival(ArrivalKind.TASK_UPDATE, b"{}", "Task/1", str(task.id), str(task.version)),
        )
    assert refused.value.status == 422


def misdirected(heronfield: Heronfield, address: str, npi: str) -> Refused:
    owner = clinic("", npi).identifiers
    with pytest.raises(Refused) as refused:
        heronfield.receive(sent(heronfield.referral()), address=address, owner=owner)
    assert heronfield.count(MessageLog) == 0
    return refused.value


def test_a_referral_for_somebody_else_is_refused(heronfield: Heronfield) -> None:
    refused = misdirected(heronfield, f"{heronfield.base}/Task/1", "2000009991")
    assert refused.issues[0].expression == "Task.owner"


def test_a_task_elsewhere_is_never_answered(heronfield: Heronfield) -> None:
    refused = misdirected(heronfield, "https://elsewhere.example/fhir/Task/1", HERONFIELD_NPI)
    assert refused.issues[0].expression == "Task.identifier"


NOTE = {"time": "2026-11-23T15:00:00Z", "text": "Here is the last panel."}


def business(code: str) -> dict[str, Any]:
    return write_concept(business_concept(Business(code))) or {}


@pytest.mark.parametrize(
    ("elements", "step"),
    [
        ({"note": [NOTE], "businessStatus": business("information-supplied")}, Step.INFORMATION),
        ({"businessStatus": business("cancellation-requested")}, Step.CANCELLATION),
        ({"priority": "stat"}, Step.PRIORITY_CHANGE),
        ({"status": "cancelled", "businessStatus": business("not-selected")}, Step.CLOSURE),
        ({}, None),
    ],
)
def test_word_of_a_referral_is_a_step_of_its_case(
    heronfield: Heronfield, elements: dict[str, Any], step: Step | None
) -> None:
    whole = heronfield.referral()
    heronfield.receive(sent(whole))
    heronfield.receive(word(whole, **elements), UPDATE)
    (update,) = [one for one in heronfield.rows(MessageLog) if one.kind == UPDATE]
    assert (heronfield.told(update), update.case_id) == (step, case_of(heronfield).id)
    assert (update.state, update.settled_at is None) == (MessageState.FILED, step is not None)
    assert heronfield.count(ServiceRequest) == 1


def test_word_filed_before_a_crash_says_the_same_again(heronfield: Heronfield) -> None:
    whole = heronfield.referral()
    heronfield.receive(sent(whole))
    heronfield.receive(word(whole, priority="stat"), UPDATE)
    first, second = (heronfield.file(heronfield.interface).filed for _ in range(2))
    assert first == second
    assert first[0].message is not None
    assert first[0].message.step is Step.PRIORITY_CHANGE


def test_word_of_a_referral_that_never_came_waits_for_a_person(heronfield: Heronfield) -> None:
    told = heronfield.receive(word(heronfield.referral(), status="cancelled"), UPDATE)
    assert told.fate is Fate.WAITING
    assert "never reached us" in told.words


def test_word_that_overtakes_its_referral_is_the_referral(heronfield: Heronfield) -> None:
    whole = heronfield.referral()
    heronfield.receive(word(whole, priority="stat"), UPDATE)
    heronfield.receive(sent(whole))
    assert heronfield.count(ServiceRequest) == 1


def test_a_visit_asked_for_after_advice_is_a_new_case(heronfield: Heronfield) -> None:
    whole = heronfield.referral()
    heronfield.receive(sent(whole))
    heronfield.step(case_of(heronfield).id, Step.ADVICE, Facts(note="Repeat the count in six weeks."))
    heronfield.receive(word(whole, businessStatus=business("visit-requested")), UPDATE)
    assert sorted(one.stage for one in heronfield.rows(ServiceRequest)) == [Stage.CLOSED, Stage.TRIAGE]


ANSWERS = [
    (Step.ACCEPTANCE, Facts(), TaskStatus.ACCEPTED, Step.ACCEPTANCE),
    (Step.DECLINE, Facts(reason=Reason.NO_CAPACITY), TaskStatus.REJECTED, Step.DECLINE),
    (Step.REDIRECTION, Facts(note="A nephrologist."), TaskStatus.REJECTED, Step.REDIRECTION),
    (Step.ADVICE, Facts(note="No visit is needed."), TaskStatus.COMPLETED, Step.ADVICE),
    (Step.INFORMATION_REQUEST, Facts(note="The last panel?"), TaskStatus.RECEIVED, Step.INFORMATION_REQUEST),
    (Step.APPOINTMENT, Facts(at=make.NOW), TaskStatus.IN_PROGRESS, Step.APPOINTMENT),
    (Step.ATTEMPT, Facts(channel="phone", outcome="voicemail"), TaskStatus.ACCEPTED, Step.ATTEMPT),
    (Step.VISIT, Facts(at=make.NOW), TaskStatus.IN_PROGRESS, Step.VISIT),
    (Step.REPORT, Facts(note="Findings: none."), TaskStatus.COMPLETED, Step.REPORT),
]


@pytest.mark.parametrize(("step", "facts", "status", "understood"), ANSWERS)
def test_what_we_decide_is_what_the_referrer_understands(
    heronfield: Heronfield, step: Step, facts: Facts, status: TaskStatus, understood: Step
) -> None:
    heronfield.receive(sent(heronfield.referral()))
    request = case_of(heronfield)
    before = {one.id for one in heronfield.rows(MessageLog)}
    recorded = heronfield.step(request.id, step, facts)
    (task,) = heronfield.rows(Fulfilment)
    assert task.status == status
    (answer,) = [one for one in heronfield.rows(MessageLog) if one.id not in before]
    assert recorded.sends == (str(answer.id),)
    said = json.loads(heronfield.parts.ring.open(answer.raw, f"message:{answer.id}"))
    read = read_task(merged({"resourceType": "Task", "status": "requested", "intent": "order"}, said))
    assert read.step is understood


def test_a_report_in_words_is_a_page_on_file_at_both_ends(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    heronfield.step(case_of(heronfield).id, Step.REPORT, Facts(note="Findings: none.\nPlan: back to you."))
    (document,) = heronfield.rows(DocumentReference)
    assert (document.type, document.content_type, document.pages) == ("consult-note", "application/pdf", 1)
    (task,) = heronfield.rows(Fulfilment)
    attachment = task.content["contained"][0]["content"][0]["attachment"]  # type: ignore[index]
    assert ("data" in attachment, attachment["size"]) == (False, document.size)


def test_a_step_taken_twice_is_told_once(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    heronfield.step(case_of(heronfield).id, Step.ACCEPTANCE)
    names = [one.external_id for one in heronfield.rows(MessageLog) if one.direction == Way.OUT]
    assert len(names) == len(set(names)) == 2


def test_a_loose_document_waits_in_the_inbox(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    told = heronfield.receive(a_document(case_of(heronfield).patient_id), ArrivalKind.DOCUMENT, name="D1")
    assert told.resource is not None
    assert "data" not in told.resource["content"][0]["attachment"]
    (file,) = heronfield.rows(DocumentInbox)
    assert (file.source, file.received_from, file.pages) == ("partner", "Larkmoor Family Medicine", 1)


def test_a_document_that_names_the_referral_is_filed_to_its_case(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    request = case_of(heronfield)
    related = (Reference(f"ServiceRequest/{request.id}"),)
    heronfield.receive(a_document(request.patient_id, related), ArrivalKind.DOCUMENT, name="D1")
    (document,) = heronfield.rows(DocumentReference)
    assert (document.case_id, document.title) == (request.id, "Letter")
    (message,) = [one for one in heronfield.rows(MessageLog) if one.kind == ArrivalKind.DOCUMENT]
    assert heronfield.told(message) is Step.INFORMATION


def test_bytes_sent_before_are_found_by_their_document(heronfield: Heronfield) -> None:
    heronfield.receive(sent(heronfield.referral()))
    request = case_of(heronfield)
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "RmluZGluZ3M="}
    told = heronfield.receive(binary, ArrivalKind.BINARY, line=b"", name="B1", content_type="text/plain")
    assert told.resource is not None
    related = (Reference(f"ServiceRequest/{request.id}"),)
    document = a_document(request.patient_id, related, url=f"Binary/{told.resource['id']}", data=b"")
    heronfield.receive(document, ArrivalKind.DOCUMENT, name="D1")
    assert heronfield.count(DocumentReference) == 1


def a_document(patient: UUID, related: tuple[Reference, ...] = (), **fields: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"data": b"Findings: none.", "title": "Letter", "related": related} | fields
    subject = Reference(f"Patient/{patient}")
    return build_document_reference(DocumentContent(subject, Concept(text="Letter"), "text/plain", **said))
