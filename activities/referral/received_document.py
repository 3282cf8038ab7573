"""Documents that partners send: put on file as they came, or as a page where they came as plain words."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.formats import scan
from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.pdf.content import Report
from activities.formats.pdf.render import render
from activities.records.as_fhir import document_type
from activities.records.as_paper import party
from activities.records.document_reference import NewDocument, Source, store_document
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.service_request import ServiceRequest
from activities.records.sessions import Context
from activities.records.tenant import Tenant

UNTITLED = "Document from a partner"


def readable(
    session: Session,
    context: Context,
    content: DocumentContent,
    partner: Organization,
    at: datetime,
    number: str = "",
    service: str = "",
) -> bytes:
    """The bytes, or a page with the words of a plain text."""
    if not content.content_type.startswith("text/"):
        return content.data
    local = at.astimezone(ZoneInfo(session.get_one(Tenant, context.tenant).zone))
    words = content.data.decode("utf-8", errors="replace")
    title = content.title or UNTITLED
    return render(Report(title, party(partner), number, service, local.date(), words, content.author), local)


def store_received(
    session: Session,
    ring: KeyRing,
    context: Context,
    content: DocumentContent,
    request: ServiceRequest,
    partner: Organization,
    at: datetime,
    identity: UUID,
) -> UUID | None:
    """Puts it on file for a case under this id; None for what nobody could be shown: it stays in its message."""
    data = readable(session, context, content, partner, at, request.their_number or request.number, request.service)
    try:
        looked = scan.read(data)
    except scan.ScanRefused:
        return None
    new = NewDocument(
        type=document_type(content.kind),
        title=content.title or UNTITLED,
        content_type=looked.content_type,
        pages=looked.pages,
        source=Source.PARTNER,
        received_at=at,
        received_from=partner.name,
        patient_id=request.patient_id,
        case_id=request.id,
        id=identity,
    )
    return store_document(session, ring, context, new, data)
