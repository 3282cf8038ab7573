"""FHIR AllergyIntolerance: what a patient must not be given, or that none is known."""

from dataclasses import dataclass
from datetime import date

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import (
    Coding,
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

NO_KNOWN_ALLERGY = Coding(systems.SNOMED, "716186003", "No known allergy")


@dataclass(frozen=True)
class AllergyContent:
    """`severity`: mild, moderate, severe or empty.

    `substance` is `NO_KNOWN_ALLERGY` when the patient was asked and knows of none.
    """

    patient: Reference
    substance: Concept
    identifiers: tuple[Identifier, ...] = ()
    reaction: str = ""
    severity: str = ""
    clinical_status: str = "active"
    recorded_on: date | None = None
    id: str = ""


def build_allergy(content: AllergyContent) -> Json:
    status = Concept((Coding(systems.ALLERGY_CLINICAL, content.clinical_status),))
    manifested = {"manifestation": [write_concept(Concept(text=content.reaction))], "severity": content.severity}
    return checked(
        filled(
            {
                "resourceType": "AllergyIntolerance",
                "id": content.id,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "clinicalStatus": write_concept(status),
                "code": write_concept(content.substance),
                "patient": write_reference(content.patient),
                "recordedDate": content.recorded_on.isoformat() if content.recorded_on else None,
                "reaction": [filled(manifested)] if content.reaction else None,
            }
        )
    )


def read_allergy(resource: Json) -> AllergyContent:
    """From a checked AllergyIntolerance; of several reactions the first."""
    reaction: Json = next(iter(resource.get("reaction", [])), {})
    manifested = [read_concept(one) for one in reaction.get("manifestation", [])]
    status = read_concept(resource.get("clinicalStatus")) or Concept()
    recorded = resource.get("recordedDate", "")[:10]
    return AllergyContent(
        patient=read_reference(resource.get("patient")) or Reference(""),
        substance=read_concept(resource.get("code")) or Concept(),
        identifiers=read_identifiers(resource.get("identifier", [])),
        reaction=", ".join(one.words for one in manifested if one),
        severity=reaction.get("severity", ""),
        clinical_status=next((one.code for one in status.codings), ""),
        recorded_on=date.fromisoformat(recorded) if len(recorded) == 10 else None,
        id=resource.get("id", ""),
    )
