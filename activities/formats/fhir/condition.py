"""FHIR Condition: the diagnosis a referral is for, or a problem of the patient's list."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class ConditionContent:
    """`clinical_status`: active, recurrence, relapse, inactive, remission, resolved or empty."""

    subject: Reference
    code: Concept
    identifiers: tuple[Identifier, ...] = ()
    clinical_status: str = "active"
    verification_status: str = "confirmed"
    id: str = ""


def build_condition(content: ConditionContent) -> Json:
    return checked(
        filled(
            {
                "resourceType": "Condition",
                "id": content.id,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "clinicalStatus": _status(systems.CONDITION_CLINICAL, content.clinical_status),
                "verificationStatus": _status(systems.CONDITION_VERIFICATION, content.verification_status),
                "code": write_concept(content.code),
                "subject": write_reference(content.subject),
            }
        )
    )


def _status(system: str, code: str) -> Json | None:
    return write_concept(Concept((Coding(system, code),))) if code else None


def read_condition(resource: Json) -> ConditionContent:
    return ConditionContent(
        subject=read_reference(resource.get("subject")) or Reference(""),
        code=read_concept(resource.get("code")) or Concept(),
        identifiers=read_identifiers(resource.get("identifier", [])),
        clinical_status=_code(resource.get("clinicalStatus"), systems.CONDITION_CLINICAL),
        verification_status=_code(resource.get("verificationStatus"), systems.CONDITION_VERIFICATION),
        id=resource.get("id", ""),
    )


def _code(value: Json | None, system: str) -> str:
    concept = read_concept(value) or Concept()
    return next((one.code for one in concept.codings if one.system == system), "")
