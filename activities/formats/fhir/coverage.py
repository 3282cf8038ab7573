"""FHIR Coverage: the insurance sent along with a referral."""

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
class CoverageContent:
    """`relationship` of the patient to the subscriber: self, spouse, child, parent, other or empty.

    `order` is 1 for the primary insurance; `payor` may carry only its display name.
    """

    beneficiary: Reference
    payor: Reference
    subscriber_id: str = ""
    relationship: str = "self"
    plan: str = ""
    order: int = 1
    status: str = "active"
    identifiers: tuple[Identifier, ...] = ()
    id: str = ""


def build_coverage(content: CoverageContent) -> Json:
    related = Concept((Coding(systems.SUBSCRIBER_RELATIONSHIP, content.relationship),))
    return checked(
        filled(
            {
                "resourceType": "Coverage",
                "id": content.id,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "status": content.status,
                "type": write_concept(Concept(text=content.plan)),
                "subscriberId": content.subscriber_id,
                "beneficiary": write_reference(content.beneficiary),
                "relationship": write_concept(related) if content.relationship else None,
                "payor": [write_reference(content.payor)],
                "order": content.order,
            }
        )
    )


def read_coverage(resource: Json) -> CoverageContent:
    related = read_concept(resource.get("relationship")) or Concept()
    payor = resource.get("payor", [{}])[0]
    return CoverageContent(
        beneficiary=read_reference(resource.get("beneficiary")) or Reference(""),
        payor=read_reference(payor) or Reference(""),
        subscriber_id=resource.get("subscriberId", ""),
        relationship=next((one.code for one in related.codings), ""),
        plan=(read_concept(resource.get("type")) or Concept()).words,
        order=resource.get("order", 1),
        status=resource.get("status", ""),
        identifiers=read_identifiers(resource.get("identifier", [])),
        id=resource.get("id", ""),
    )
