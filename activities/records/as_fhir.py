"""Rows of the store as the contents of FHIR resources. `base` is our FHIR address."""

from collections.abc import Iterable

from activities.formats.fhir.datatypes import Address, Coding, Concept, Identifier, PersonName, Reference, Telecom
from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.organization import OrganizationContent
from activities.formats.fhir.patient import PatientContent
from activities.formats.fhir.practitioner import PractitionerContent
from activities.formats.fhir.service_request import ServiceRequestContent
from activities.formats.fhir.systems import ICD10, LOINC, NPI
from activities.records.document_reference import DocumentReference, DocumentType
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.patient_address import PatientAddress
from activities.records.patient_telecom import PatientTelecom
from activities.records.practitioner import Practitioner
from activities.records.service_request import ServiceRequest

# LOINC document codes; where it has none of this meaning the kind travels in words.
_DOCUMENTS = {
    DocumentType.CONSULT_NOTE: ("11488-4", "Consult note"),
    DocumentType.REFERRAL_LETTER: ("57133-1", "Referral note"),
    DocumentType.RESULT: ("11502-2", "Laboratory report"),
    DocumentType.IMAGING_REPORT: ("18748-4", "Diagnostic imaging study"),
    DocumentType.ID_CARD: ("64290-0", "Health insurance card"),
}


def system(base: str, tenant: str, kind: str) -> str:
    """The identifier system of a clinic's own numbers: `mrn`, `referral`."""
    return f"{base}/identifier/{tenant}/{kind}"


def number_of(base: str, request: ServiceRequest) -> Identifier:
    """A referral's number with its assigner: the referrer's own, where it was made to us."""
    if request.placer:
        assigner, _, value = request.placer.rpartition("|")
        return Identifier(assigner, value)
    return Identifier(system(base, request.tenant, "referral"), request.number)


def patient_content(
    base: str,
    row: Patient,
    telecoms: Iterable[PatientTelecom] | None = None,
    addresses: Iterable[PatientAddress] = (),
) -> PatientContent:
    """What a partner may know of a patient; where nothing is said of telecoms, the number on her record."""
    if telecoms is None:
        reached = [Telecom("phone", row.phone)] if row.phone else []
    else:
        reached = [Telecom(one.system, one.value, one.use) for one in telecoms]
    return PatientContent(
        identifiers=(Identifier(system(base, row.tenant, "mrn"), row.mrn, "MR"),),
        name=PersonName(row.family, (row.given,)),
        birth_date=row.birth_date,
        gender=row.sex,
        telecoms=tuple(reached),
        addresses=tuple(
            Address(tuple(one.lines), one.city, one.state, one.postal_code, one.country) for one in addresses
        ),
        language=row.language,
        interpreter=row.interpreter,
    )


def practitioner_content(request: ServiceRequest, known: Practitioner | None = None) -> PractitionerContent:
    """The referring clinician; `requester` is `Family, Given` or a name as it was written."""
    if known is not None:
        return PractitionerContent(PersonName(known.family, (known.given,)), known.npi)
    family, _, given = request.requester.partition(", ")
    return PractitionerContent(PersonName(family, (given,) if given else ()), request.requester_npi)


def organization_content(base: str, row: Organization) -> OrganizationContent:
    """A clinic or partner by its NPI, else by its place in our directory."""
    key = Identifier(NPI, row.npi) if row.npi else Identifier(f"{base}/directory", str(row.id))
    return OrganizationContent(row.name, (key,))


def request_content(base: str, row: ServiceRequest, subject: Reference, requester: Reference) -> ServiceRequestContent:
    """What is asked; the status is FHIR's, never our stage."""
    return ServiceRequestContent(
        number=number_of(base, row),
        subject=subject,
        service=Concept(text=row.service),
        priority=row.priority,
        requester=requester,
        question=row.question,
        reasons=tuple(Concept((Coding(ICD10, code),)) for code in row.diagnoses),
        status=row.status if row.status != "draft" else "active",
        authored_at=row.opened_at,
    )


def document_content(base: str, row: DocumentReference, data: bytes) -> DocumentContent:
    """A document on file, to go along with a referral."""
    code = _DOCUMENTS.get(DocumentType(row.type))
    kind = Concept((Coding(LOINC, *code),)) if code else Concept(text=row.type.replace("-", " ").capitalize())
    return DocumentContent(
        subject=Reference(""),
        kind=kind,
        content_type=row.content_type,
        title=row.title,
        data=data,
        identifiers=(Identifier(f"{base}/identifier/{row.tenant}/document", str(row.id)),),
        at=row.received_at,
    )


def document_type(kind: Concept) -> DocumentType:
    """What a partner's document is on file here."""
    codes = {one.code for one in kind.codings if one.system == LOINC}
    known = (meant for meant, (code, _) in _DOCUMENTS.items() if code in codes)
    return next(known, DocumentType.OTHER)
