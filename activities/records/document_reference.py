"""FHIR DocumentReference: what is on file, and its bytes, sealed and kept once for each content."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.audit_event import Action, Auditor
from activities.records.base import Base, Versioned, new_id
from activities.records.ring import KeyRing
from activities.records.sessions import Context


class DocumentType(StrEnum):
    CONSULT_NOTE = "consult-note"
    REFERRAL_LETTER = "referral-letter"
    RESULT = "result"
    IMAGING_REPORT = "imaging-report"
    ID_CARD = "id-card"
    AUTHORIZATION = "authorization"
    OTHER = "other"


class DocumentStatus(StrEnum):
    """FHIR document-reference-status."""

    CURRENT = "current"
    ENTERED_IN_ERROR = "entered-in-error"


class Source(StrEnum):
    """By which way it came; OURS was made here."""

    FAX = "fax"
    UPLOAD = "upload"
    PARTNER = "partner"
    OURS = "ours"


class DocumentReference(Versioned, Base):
    """`hash` is the SHA-256 of the plain bytes; `author` an account id, `system`, or empty where unknown."""

    __tablename__ = "document_reference"
    patient_id: Mapped[UUID | None] = mapped_column(default=None)
    case_id: Mapped[UUID | None] = mapped_column(default=None)
    type: Mapped[str]
    title: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    pages: Mapped[int]
    hash: Mapped[bytes]
    status: Mapped[str] = mapped_column(default=DocumentStatus.CURRENT)
    status_reason: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime]
    source: Mapped[str]
    received_from: Mapped[str] = mapped_column(default="")
    author: Mapped[str] = mapped_column(default="")
    sensitivity: Mapped[list[str]] = mapped_column(default=list)


class DocumentContent(Base):
    """Sealed for the place `document:<SHA-256 in hex>`; never changed."""

    __tablename__ = "document_content"
    tenant: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


@dataclass(frozen=True)
class NewDocument:
    """What is said of a document when it is stored; its bytes come beside it.

    `id` is the one-time token of what files it, so that the same filing twice is one document.
    """

    type: DocumentType
    title: str
    content_type: str
    pages: int
    source: Source
    received_at: datetime
    received_from: str = ""
    patient_id: UUID | None = None
    case_id: UUID | None = None
    author: str = ""
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class OpenedDocument:
    row: DocumentReference
    data: bytes


def store_document(session: Session, ring: KeyRing, context: Context, new: NewDocument, data: bytes) -> UUID:
    """Seals the bytes (once for each content), adds the record and its audit row; answers its id.

    A document that is there already under this id is left as it is.
    """
    if session.get(DocumentReference, new.id) is not None:
        return new.id
    digest = store_content(session, ring, context, data)
    session.add(
        DocumentReference(
            tenant=context.tenant, size=len(data), hash=digest, **(vars(new) | {"title": new.title[:200]})
        )
    )
    session.flush()
    detail: dict[str, object] = {"type": new.type, "source": new.source, "case": str(new.case_id or "")}
    Auditor(ring).write(session, context, Action.CREATE, "DocumentReference", str(new.id), new.patient_id, detail)
    return new.id


def open_document(session: Session, ring: KeyRing, context: Context, document_id: UUID) -> OpenedDocument | None:
    """The record and its plain bytes; None when this clinic has no such document. The caller records the view."""
    row = session.get(DocumentReference, document_id)
    return OpenedDocument(row, open_content(session, ring, context, row.hash)) if row else None


def withdraw_document(
    session: Session, ring: KeyRing, context: Context, document_id: UUID, reason: str
) -> DocumentReference | None:
    """Marks a document as entered in error; it and its bytes stay on file. None when it is so marked already."""
    row = session.get_one(DocumentReference, document_id, with_for_update=True)
    if row.status == DocumentStatus.ENTERED_IN_ERROR:
        return None
    row.status, row.status_reason = DocumentStatus.ENTERED_IN_ERROR, reason
    detail: dict[str, object] = {"status": row.status}
    Auditor(ring).write(session, context, Action.UPDATE, "DocumentReference", str(row.id), row.patient_id, detail)
    return row


def of_case(session: Session, case_id: UUID) -> list[DocumentReference]:
    """The case's documents, newest first; those entered in error are left out."""
    query = select(DocumentReference).where(
        DocumentReference.case_id == case_id, DocumentReference.status == DocumentStatus.CURRENT
    )
    return list(session.scalars(query.order_by(DocumentReference.received_at.desc(), DocumentReference.id.desc())))


def store_content(session: Session, ring: KeyRing, context: Context, data: bytes) -> bytes:
    """Seals bytes that are not there yet; answers their SHA-256."""
    digest = sha256(data).digest()
    known = select(DocumentContent.hash).where(DocumentContent.hash == digest)
    if session.scalar(known) is None:
        sealed = ring.seal(context.tenant, data, _place(digest))
        values = {"tenant": context.tenant, "hash": digest, "sealed": sealed}
        session.execute(insert(DocumentContent).values(values).on_conflict_do_nothing())
    return digest


def open_content(session: Session, ring: KeyRing, context: Context, digest: bytes) -> bytes:
    """The plain bytes of a content of this clinic."""
    sealed = session.scalars(select(DocumentContent.sealed).where(DocumentContent.hash == digest)).one()
    return ring.open(sealed, _place(digest), context.tenant)


def _place(digest: bytes) -> str:
    return f"document:{digest.hex()}"
