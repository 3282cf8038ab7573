"""Rows of the store as the contents of FHIR resources. `base` is our FHIR address."""

from activities.formats.fhir.datatypes import Coding, Concept, Identifier, PersonName, Reference, Telecom
from activities.formats.fhir.organization import OrganizationContent
from activities.formats.fhir.patient import PatientContent
from activities.formats.fhir.practitioner import PractitionerContent
from activities.formats.fhir.service_request import ServiceRequestContent
from activities.formats.fhir.systems import ICD10, NPI
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.service_request import ServiceRequest


def system(base: str, tenant: str, kind: str) -> str:
    """The identifier system of a clinic's own numbers: `mrn`, `referral`."""
    return f"{base}/identifier/{tenant}/{kind}"


def number_of(base: str, request: ServiceRequest) -> Identifier:
    """A referral's number with its assigner."""
    return Identifier(system(base, request.tenant, "referral"), request.number)


def patient_content(base: str, row: Patient) -> PatientContent:
    """What a partner may know of a patient."""
    return PatientContent(
        identifiers=(Identifier(system(base, row.tenant, "mrn"), row.mrn, "MR"),),
        name=PersonName(row.family, (row.given,)),
        birth_date=row.birth_date,
        gender=row.sex,
        telecoms=(Telecom("phone", row.phone),) if row.phone else (),
        language=row.language,
        interpreter=row.interpreter,
    )


def practitioner_content(request: ServiceRequest) -> PractitionerContent:
    """The referring clinician; `requester` is `Family, Given` or a name as it was written."""
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
