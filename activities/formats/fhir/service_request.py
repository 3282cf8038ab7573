"""FHIR ServiceRequest: what a referral asks."""

from dataclasses import dataclass
from datetime import datetime

from activities.formats.fhir.datatypes import (
    Concept,
    Identifier,
    Note,
    Reference,
    filled,
    moment,
    read_concept,
    read_identifiers,
    read_moment,
    read_notes,
    read_reference,
    write_concept,
    write_identifier,
    write_notes,
    write_reference,
)
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked


@dataclass(frozen=True)
class ServiceRequestContent:
    """`number` is the referral number with its assigner's system; `priority`: routine, urgent, asap or stat.

    `status` is a code of request-status; `reasons` are the diagnoses; `question` what the referrer asks. `chart` are
    the problems, allergies and medications that go along; they are read as `documents` are, in one list.
    """

    number: Identifier
    subject: Reference
    service: Concept
    priority: str
    requester: Reference
    performer: Reference | None = None
    question: str = ""
    reasons: tuple[Concept, ...] = ()
    status: str = "active"
    authored_at: datetime | None = None
    due_at: datetime | None = None
    conditions: tuple[Reference, ...] = ()
    coverages: tuple[Reference, ...] = ()
    documents: tuple[Reference, ...] = ()
    chart: tuple[Reference, ...] = ()
    id: str = ""
    version: str = ""


def build_service_request(content: ServiceRequestContent) -> Json:
    question = write_notes([Note(content.question)]) if content.question else None
    return checked(
        filled(
            {
                "resourceType": "ServiceRequest",
                "id": content.id,
                "meta": filled({"versionId": content.version}),
                "identifier": [write_identifier(content.number)],
                "status": content.status,
                "intent": "order",
                "priority": content.priority,
                "code": write_concept(content.service),
                "subject": write_reference(content.subject),
                "occurrencePeriod": filled({"end": moment(content.due_at)}),
                "authoredOn": moment(content.authored_at),
                "requester": write_reference(content.requester),
                "performer": [write_reference(content.performer)] if content.performer else None,
                "reasonCode": [write_concept(reason) for reason in content.reasons],
                "reasonReference": [write_reference(one) for one in content.conditions],
                "insurance": [write_reference(one) for one in content.coverages],
                "supportingInfo": [write_reference(one) for one in (*content.documents, *content.chart)],
                "note": question,
            }
        )
    )


def read_service_request(resource: Json) -> ServiceRequestContent:
    """From a checked ServiceRequest; several notes are joined by line breaks. No identifier: an empty number."""
    identifiers = read_identifiers(resource.get("identifier", []))
    placer = next((one for one in identifiers if one.type_code == "PLAC"), None)
    reasons = [read_concept(one) for one in resource.get("reasonCode", [])]
    performers = _references(resource.get("performer", []))
    return ServiceRequestContent(
        number=placer or next(iter(identifiers), Identifier("", "")),
        subject=read_reference(resource.get("subject")) or Reference(""),
        service=read_concept(resource.get("code")) or Concept(),
        priority=resource.get("priority", "routine"),
        requester=read_reference(resource.get("requester")) or Reference(""),
        performer=next(iter(performers), None),
        question="\n".join(note.text for note in read_notes(resource.get("note", []))),
        reasons=tuple(one for one in reasons if one is not None),
        status=resource["status"],
        authored_at=read_moment(resource.get("authoredOn")),
        due_at=read_moment(resource.get("occurrencePeriod", {}).get("end")),
        conditions=_references(resource.get("reasonReference", [])),
        coverages=_references(resource.get("insurance", [])),
        documents=_references(resource.get("supportingInfo", [])),
        id=resource.get("id", ""),
        version=resource.get("meta", {}).get("versionId", ""),
    )


def _references(values: list[Json]) -> tuple[Reference, ...]:
    return tuple(one for one in map(read_reference, values) if one is not None)
