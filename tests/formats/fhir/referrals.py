"""A referral of made-up people, whole, for tests of the FHIR formats and of those who send and take them."""

from datetime import UTC, date, datetime

from activities.formats.fhir import systems
from activities.formats.fhir.condition import ConditionContent
from activities.formats.fhir.coverage import CoverageContent
from activities.formats.fhir.datatypes import Address, Coding, Concept, Identifier, PersonName, Reference, Telecom
from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.organization import OrganizationContent
from activities.formats.fhir.patient import PatientContent
from activities.formats.fhir.practitioner import PractitionerContent
from activities.formats.fhir.referral_bundle import Referral
from activities.formats.fhir.service_request import ServiceRequestContent
from activities.formats.fhir.task import TaskContent

LARKMOOR = "https://larkmoor.example/identifier"
BLANK = Reference("")
AT = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
TASK_ID = "018f3a52-0000-7000-8000-000000000001"


def number_of(number: str) -> Identifier:
    return Identifier(f"{LARKMOOR}/referral", number, "PLAC")


def a_patient() -> PatientContent:
    return PatientContent(
        identifiers=(Identifier(f"{LARKMOOR}/mrn", "LM-000104", "MR"),),
        name=PersonName("Ibarra-Quintanilla", ("Marisela",)),
        birth_date=date(1990, 5, 9),
        gender="female",
        telecoms=(Telecom("phone", "(208) 555-0114", "mobile"),),
        addresses=(Address(("14 Alder Row",), "Boise", "ID", "83702"),),
        language="es",
        interpreter=True,
    )


def a_task(base: str = "https://careloop.example/fhir", number: str = "R-20418") -> TaskContent:
    return TaskContent(
        address=f"{base}/Task/{TASK_ID}",
        number=number_of(number),
        focus=BLANK,
        patient=BLANK,
        requester=BLANK,
        owner=BLANK,
        priority="urgent",
        authored_at=AT,
        due_at=datetime(2026, 3, 3, 16, 30, tzinfo=UTC),
    )


def a_referral(base: str = "https://careloop.example/fhir", number: str = "R-20418") -> Referral:
    return Referral(
        patient=a_patient(),
        practitioner=PractitionerContent(PersonName("Valbrenna", ("Mateus",)), "2000001042"),
        sender=OrganizationContent("Larkmoor", (Identifier(f"{LARKMOOR}/organization", "larkmoor"),)),
        recipient=OrganizationContent("Quillon Digestive Health", (Identifier(f"{LARKMOOR}/organization", "quillon"),)),
        request=ServiceRequestContent(
            number=number_of(number),
            subject=BLANK,
            service=Concept((Coding(systems.SNOMED, "306098008", "Referral to gastroenterology service"),)),
            priority="urgent",
            requester=BLANK,
            question="Palpitations in pregnancy; is the anaemia of the bowel?",
            reasons=(Concept((Coding(systems.ICD10, "R00.2", "Palpitations"),)),),
            authored_at=AT,
        ),
        task=a_task(base, number),
        coverages=(
            CoverageContent(
                BLANK,
                Reference("", "Medicaid"),
                "SYN03-441",
                identifiers=(Identifier(f"{LARKMOOR}/coverage", "441"),),
            ),
        ),
        conditions=(
            ConditionContent(
                BLANK,
                Concept((Coding(systems.ICD10, "Z34.93", "Supervision of normal pregnancy"),)),
                (Identifier(f"{LARKMOOR}/condition", "77"),),
            ),
        ),
        documents=(
            DocumentContent(
                BLANK,
                Concept((Coding(systems.LOINC, "57133-1", "Referral note"),)),
                "application/pdf",
                "Referral letter",
                data=b"%PDF-1.7 letter",
                identifiers=(Identifier(f"{LARKMOOR}/document", "9001"),),
                at=AT,
            ),
        ),
    )
