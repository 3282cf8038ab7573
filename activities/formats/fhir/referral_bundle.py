"""A referral as it travels: who, what is asked, the Task that carries it, and the documents sent along."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from activities.formats.fhir.allergy_intolerance import AllergyContent, build_allergy, read_allergy
from activities.formats.fhir.bundle import Entry, build_transaction, name_within, resources
from activities.formats.fhir.condition import ConditionContent, build_condition, read_condition
from activities.formats.fhir.coverage import CoverageContent, build_coverage, read_coverage
from activities.formats.fhir.datatypes import Identifier, Reference, write_reference
from activities.formats.fhir.document_reference import (
    BinaryContent,
    DocumentContent,
    build_binary,
    build_document_reference,
    read_binary,
    read_document_reference,
)
from activities.formats.fhir.medication_statement import MedicationContent, build_medication, read_medication
from activities.formats.fhir.operation_outcome import Issue, IssueType, Json
from activities.formats.fhir.organization import OrganizationContent, build_organization, read_organization
from activities.formats.fhir.patient import PatientContent, build_patient, read_patient
from activities.formats.fhir.practitioner import PractitionerContent, build_practitioner, read_practitioner
from activities.formats.fhir.read import Refused
from activities.formats.fhir.render import checked
from activities.formats.fhir.service_request import (
    ServiceRequestContent,
    build_service_request,
    read_service_request,
)
from activities.formats.fhir.systems import NPI, URI
from activities.formats.fhir.task import TaskAnswer, TaskContent, build_task, read_task


@dataclass(frozen=True)
class Referral:
    """Everything sent at once. References between these parts are filled in by `build_referral`; leave them blank.

    Each of patient, organisations, coverages, conditions, problems, allergies, medications and documents carries at
    least one identifier. `conditions` are what the referral is for, `problems` the others of the patient's list.
    A practitioner without NPI travels by name only.
    """

    patient: PatientContent
    practitioner: PractitionerContent
    sender: OrganizationContent
    recipient: OrganizationContent
    request: ServiceRequestContent
    task: TaskContent
    coverages: tuple[CoverageContent, ...] = ()
    conditions: tuple[ConditionContent, ...] = ()
    documents: tuple[DocumentContent, ...] = ()
    problems: tuple[ConditionContent, ...] = ()
    allergies: tuple[AllergyContent, ...] = ()
    medications: tuple[MedicationContent, ...] = ()


@dataclass(frozen=True)
class ReceivedReferral:
    """The parts of a referral sent to us; `task.addresses` says where its Task is answered.

    `problems` are the conditions that only support the request; all others are what it is for.

    `sender` and `recipient` are the Task's requester and owner, None where the bundle does not hold them; `work` is
    the Task as it came.
    """

    patient: PatientContent
    practitioner: PractitionerContent | None
    organizations: tuple[OrganizationContent, ...]
    sender: OrganizationContent | None
    recipient: OrganizationContent | None
    request: ServiceRequestContent
    task: TaskAnswer
    work: Json
    coverages: tuple[CoverageContent, ...]
    conditions: tuple[ConditionContent, ...]
    documents: tuple[DocumentContent, ...]
    problems: tuple[ConditionContent, ...] = ()
    allergies: tuple[AllergyContent, ...] = ()
    medications: tuple[MedicationContent, ...] = ()


def build_referral(referral: Referral) -> Json:
    """The transaction bundle, entry order: people, organisations, chart, documents, request, task."""
    return build_transaction((*_entries(referral), _request(referral), _task(referral)))


def build_update(referral: Referral, task: Json) -> Json:
    """Word of a referral sent before: the same bundle, its request and its Task put where they are.

    `task` is the whole Task as it is now; `referral.documents` are those that go along for the first time.
    """
    told = {**{name: value for name, value in task.items() if name not in ("id", "meta")}, **_places(referral)}
    key = Identifier(URI, referral.task.address)
    put = Entry(checked(told), _named("Task", key).reference, key, update=True)
    return build_transaction((*_entries(referral), replace(_request(referral), update=True), put))


def _entries(whole: Referral) -> Iterator[Entry]:
    patient = whole.patient.identifiers[0]
    sender, recipient = whole.sender.identifiers[0], whole.recipient.identifiers[0]
    subject = _named("Patient", patient)
    yield Entry(build_patient(whole.patient), subject.reference, patient)
    if whole.practitioner.npi:
        doctor = Identifier(NPI, whole.practitioner.npi)
        yield Entry(build_practitioner(whole.practitioner), _named("Practitioner", doctor).reference, doctor)
    yield Entry(build_organization(whole.sender), _named("Organization", sender).reference, sender)
    yield Entry(build_organization(whole.recipient), _named("Organization", recipient).reference, recipient)
    for coverage in whole.coverages:
        key = coverage.identifiers[0]
        resource = build_coverage(replace(coverage, beneficiary=subject))
        yield Entry(resource, _named("Coverage", key).reference, key)
    for condition in (*whole.conditions, *whole.problems):
        key = condition.identifiers[0]
        resource = build_condition(replace(condition, subject=subject))
        yield Entry(resource, _named("Condition", key).reference, key)
    for allergy in whole.allergies:
        key = allergy.identifiers[0]
        resource = build_allergy(replace(allergy, patient=subject))
        yield Entry(resource, _named("AllergyIntolerance", key).reference, key)
    for medication in whole.medications:
        key = medication.identifiers[0]
        resource = build_medication(replace(medication, subject=subject))
        yield Entry(resource, _named("MedicationStatement", key).reference, key)
    for document in whole.documents:
        yield from _document(document, subject)


def _document(document: DocumentContent, subject: Reference) -> Iterator[Entry]:
    key = document.identifiers[0]
    kept_at = name_within("Binary", key.system, key.value)
    if document.data:
        put_id = kept_at.removeprefix("urn:uuid:")
        yield Entry(build_binary(BinaryContent(document.content_type, document.data)), kept_at, put_id=put_id)
    placed = replace(document, subject=subject, data=b"", url=kept_at if document.data else document.url)
    yield Entry(build_document_reference(placed), _named("DocumentReference", key).reference, key)


def _request(whole: Referral) -> Entry:
    request = replace(
        whole.request,
        subject=_named("Patient", whole.patient.identifiers[0]),
        requester=_requester(whole.practitioner),
        performer=_named("Organization", whole.recipient.identifiers[0]),
        conditions=tuple(_named("Condition", one.identifiers[0]) for one in whole.conditions),
        coverages=tuple(_named("Coverage", one.identifiers[0]) for one in whole.coverages),
        documents=tuple(_named("DocumentReference", one.identifiers[0]) for one in whole.documents),
        chart=(
            *(_named("Condition", one.identifiers[0]) for one in whole.problems),
            *(_named("AllergyIntolerance", one.identifiers[0]) for one in whole.allergies),
            *(_named("MedicationStatement", one.identifiers[0]) for one in whole.medications),
        ),
        id="",
        version="",
    )
    return Entry(build_service_request(request), _named("ServiceRequest", request.number).reference, request.number)


def _requester(practitioner: PractitionerContent) -> Reference:
    name = " ".join((*practitioner.name.given, practitioner.name.family))
    known = _named("Practitioner", Identifier(NPI, practitioner.npi)) if practitioner.npi else Reference("")
    return replace(known, display=name)


def _task(whole: Referral) -> Entry:
    key = Identifier(URI, whole.task.address)
    task = {**build_task(replace(whole.task, id="", version="")), **_places(whole)}
    return Entry(checked(task), _named("Task", key).reference, key)


def _places(whole: Referral) -> Json:
    """Whom and what the Task names, as entries of this bundle."""
    return {
        "focus": write_reference(_named("ServiceRequest", whole.request.number)),
        "for": write_reference(_named("Patient", whole.patient.identifiers[0])),
        "requester": write_reference(_named("Organization", whole.sender.identifiers[0])),
        "owner": write_reference(_named("Organization", whole.recipient.identifiers[0])),
    }


def _named(kind: str, identifier: Identifier) -> Reference:
    return Reference(name_within(kind, identifier.system, identifier.value))


def read_referral(bundle: Json) -> ReceivedReferral:
    """From a checked transaction bundle. Refused 422: not exactly one Patient, ServiceRequest and Task, or the
    request and task are about somebody else than that patient.
    """
    patient_url, patient = _only(bundle, "Patient")
    request_url, request = _only(bundle, "ServiceRequest")
    _, work = _only(bundle, "Task")
    asked, task = read_service_request(request), read_task(work)
    _agree(asked.subject.reference, patient_url, "ServiceRequest.subject")
    _agree(task.patient, patient_url, "Task.for")
    _agree(task.focus, request_url, "Task.focus")
    practitioners = resources(bundle, "Practitioner")
    organizations = {url: read_organization(one) for url, one in resources(bundle, "Organization")}
    binaries = dict(resources(bundle, "Binary"))
    conditions, beside = resources(bundle, "Condition"), {one.reference for one in asked.documents}
    documents = [read_document_reference(one) for _, one in resources(bundle, "DocumentReference")]
    return ReceivedReferral(
        patient=read_patient(patient),
        practitioner=read_practitioner(practitioners[0][1]) if practitioners else None,
        organizations=tuple(organizations.values()),
        sender=organizations.get(work.get("requester", {}).get("reference", "")),
        recipient=organizations.get(work.get("owner", {}).get("reference", "")),
        request=asked,
        task=task,
        work=work,
        coverages=tuple(read_coverage(one) for _, one in resources(bundle, "Coverage")),
        conditions=tuple(read_condition(one) for url, one in conditions if url not in beside),
        documents=tuple(_with_bytes(one, binaries) for one in documents),
        problems=tuple(read_condition(one) for url, one in conditions if url in beside),
        allergies=tuple(read_allergy(one) for _, one in resources(bundle, "AllergyIntolerance")),
        medications=tuple(read_medication(one) for _, one in resources(bundle, "MedicationStatement")),
    )


def _with_bytes(document: DocumentContent, binaries: dict[str, Json]) -> DocumentContent:
    found = binaries.get(document.url)
    return document if found is None else replace(document, data=read_binary(found).data)


def _only(bundle: Json, kind: str) -> tuple[str, Json]:
    found = resources(bundle, kind)
    if len(found) != 1:
        words = f"A referral holds exactly one {kind}; this bundle has {len(found)}."
        raise Refused(422, Issue(IssueType.BUSINESS_RULE, words, "Bundle.entry"))
    return found[0]


def _agree(reference: str, expected: str, path: str) -> None:
    if reference != expected:
        words = f"{path} must name the one in this bundle."
        raise Refused(422, Issue(IssueType.BUSINESS_RULE, words, path))
