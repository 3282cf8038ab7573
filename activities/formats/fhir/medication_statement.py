"""FHIR MedicationStatement: what a patient takes."""

from dataclasses import dataclass
from datetime import date

from activities.formats.fhir.datatypes import (
    Concept,
    Identifier,
    Reference,
    filled,
    read_concept,
    read_identifiers,
    read_reference,
    write_concept,
    write_identifier,
    write_reference,
)
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked


@dataclass(frozen=True)
class MedicationContent:
    """`dosage` in words; `status`: active, completed, stopped, on-hold, intended, unknown or entered-in-error."""

    subject: Reference
    medication: Concept
    identifiers: tuple[Identifier, ...] = ()
    dosage: str = ""
    status: str = "active"
    starts_on: date | None = None
    id: str = ""


def build_medication(content: MedicationContent) -> Json:
    return checked(
        filled(
            {
                "resourceType": "MedicationStatement",
                "id": content.id,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "status": content.status,
                "medicationCodeableConcept": write_concept(content.medication),
                "subject": write_reference(content.subject),
                "effectivePeriod": {"start": content.starts_on.isoformat()} if content.starts_on else None,
                "dosage": [{"text": content.dosage}] if content.dosage else None,
            }
        )
    )


def read_medication(resource: Json) -> MedicationContent:
    """From a checked MedicationStatement; a medication that is only referred to has no words."""
    start = resource.get("effectivePeriod", {}).get("start", "")[:10]
    dosages = [one.get("text", "") for one in resource.get("dosage", [])]
    return MedicationContent(
        subject=read_reference(resource.get("subject")) or Reference(""),
        medication=read_concept(resource.get("medicationCodeableConcept")) or Concept(),
        identifiers=read_identifiers(resource.get("identifier", [])),
        dosage=", ".join(one for one in dosages if one),
        status=resource.get("status", ""),
        starts_on=date.fromisoformat(start) if len(start) == 10 else None,
        id=resource.get("id", ""),
    )
