"""FHIR DocumentReference and Binary: a document and its bytes."""

import base64
from dataclasses import dataclass
from datetime import datetime

from activities.formats.fhir.datatypes import (
    Concept,
    Identifier,
    Reference,
    filled,
    moment,
    read_concept,
    read_identifiers,
    read_moment,
    read_reference,
    write_concept,
    write_identifier,
    write_reference,
)
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked


@dataclass(frozen=True)
class DocumentContent:
    """A DocumentReference with one attachment: its bytes inline (`data`), or where they are (`url`)."""

    subject: Reference
    kind: Concept
    content_type: str
    title: str = ""
    url: str = ""
    data: bytes = b""
    identifiers: tuple[Identifier, ...] = ()
    at: datetime | None = None
    author: str = ""
    status: str = "current"
    related: tuple[Reference, ...] = ()
    id: str = ""


@dataclass(frozen=True)
class BinaryContent:
    content_type: str
    data: bytes
    id: str = ""


def build_document_reference(content: DocumentContent) -> Json:
    attachment = filled(
        {
            "contentType": content.content_type,
            "data": base64.b64encode(content.data).decode() if content.data else None,
            "url": content.url,
            "title": content.title,
        }
    )
    return checked(
        filled(
            {
                "resourceType": "DocumentReference",
                "id": content.id,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "status": content.status,
                "type": write_concept(content.kind),
                "subject": write_reference(content.subject),
                "date": moment(content.at),
                "author": [{"display": content.author}] if content.author else None,
                "content": [{"attachment": attachment}],
                "context": filled({"related": [write_reference(one) for one in content.related]}),
            }
        )
    )


def read_document_reference(resource: Json) -> DocumentContent:
    """The first attachment; further ones stay in the stored resource."""
    attachment = resource["content"][0]["attachment"]
    author: Json = next(iter(resource.get("author", [])), {})
    related = [read_reference(one) for one in resource.get("context", {}).get("related", [])]
    return DocumentContent(
        subject=read_reference(resource.get("subject")) or Reference(""),
        kind=read_concept(resource.get("type")) or Concept(),
        content_type=attachment.get("contentType", ""),
        title=attachment.get("title", ""),
        url=attachment.get("url", ""),
        data=base64.b64decode(attachment.get("data", "")),
        identifiers=read_identifiers(resource.get("identifier", [])),
        at=read_moment(resource.get("date")),
        author=author.get("display", ""),
        status=resource.get("status", ""),
        related=tuple(one for one in related if one is not None),
        id=resource.get("id", ""),
    )


def build_binary(content: BinaryContent) -> Json:
    return checked(
        filled(
            {
                "resourceType": "Binary",
                "id": content.id,
                "contentType": content.content_type,
                "data": base64.b64encode(content.data).decode(),
            }
        )
    )


def read_binary(resource: Json) -> BinaryContent:
    data = base64.b64decode(resource.get("data", ""))
    return BinaryContent(resource.get("contentType", ""), data, resource.get("id", ""))
