"""The documents of a case as its page lists them."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from activities.records.case_event import CaseEvent
from activities.records.document_reference import DocumentReference, DocumentType, Source
from activities.records.service_request import ServiceRequest
from rules.access import Permission
from rules.referral.vocabulary import Direction
from web.access import Person
from web.documents.words import TYPE_WORDS, pages_words
from web.present import Act, moment_words
from web.referrals.present import DocumentLine

ICONS = {
    DocumentType.CONSULT_NOTE: "report-medical",
    DocumentType.REFERRAL_LETTER: "send",
    DocumentType.RESULT: "test-pipe",
    DocumentType.IMAGING_REPORT: "scan",
    DocumentType.ID_CARD: "id",
    DocumentType.AUTHORIZATION: "shield-check",
    DocumentType.OTHER: "file-text",
}
NOT_TAKEN = "not taken as the report: look at it"


def document_lines(
    request: ServiceRequest, documents: Sequence[DocumentReference], events: Sequence[CaseEvent], now: datetime,
    zone: ZoneInfo,
) -> tuple[DocumentLine, ...]:  # fmt: skip
    """The case's documents; a consult note that moved nothing says so, until somebody has looked."""
    taken = {str(event.facts.get("document", "")) for event in events}
    return tuple(
        DocumentLine(
            title=row.title,
            words=_line_words(row, request, str(row.id) in taken, now, zone),
            url=f"/documents/{row.id}",
            icon=ICONS[DocumentType(row.type)],
        )
        for row in documents
    )


def _line_words(row: DocumentReference, request: ServiceRequest, taken: bool, now: datetime, zone: ZoneInfo) -> str:
    said = [TYPE_WORDS[DocumentType(row.type)], moment_words(row.received_at, now, zone), pages_words(row.pages)]
    waits = row.type == DocumentType.CONSULT_NOTE and row.source != Source.OURS and not taken
    if waits and request.direction == Direction.OUT:
        said.append(NOT_TAKEN)
    return " · ".join(said)


def paper_acts(request: ServiceRequest, person: Person) -> tuple[Act, ...]:
    """What one may put on paper for a case."""
    base = f"/referrals/{request.id}"
    acts = []
    if request.direction == Direction.OUT and person.may(Permission.DOCUMENT_READ):
        acts.append(Act("Packet", f"{base}/packet.pdf", "download", quiet=True))
    if person.may(Permission.DOCUMENT_WRITE):
        acts.append(Act("Write a letter…", f"{base}/letters", "pencil", quiet=True))
    return tuple(acts)
