"""The inbox: files as they came, and each of their pages, which waits until a person files or rejects it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.formats import scan
from activities.records.audit_event import Action, Auditor
from activities.records.base import Base, Tenanted, Versioned, new_id
from activities.records.document_reference import (
    DocumentReference,
    DocumentType,
    NewDocument,
    Source,
    open_content,
    store_content,
    store_document,
    withdraw_document,
)
from activities.records.ring import KeyRing
from activities.records.sessions import Context


class PageState(StrEnum):
    WAITING = "waiting"
    FILED = "filed"
    REJECTED = "rejected"


class DocumentInbox(Tenanted, Base):
    """One received file. `received_from` is a fax number or a name; with a `problem` it has no pages."""

    __tablename__ = "document_inbox"
    source: Mapped[str]
    received_at: Mapped[datetime]
    received_from: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    content_type: Mapped[str] = mapped_column(default="")
    hash: Mapped[bytes]
    pages: Mapped[int]
    problem: Mapped[str] = mapped_column(default="")
    seen_by: Mapped[str] = mapped_column(default="")
    seen_at: Mapped[datetime | None] = mapped_column(default=None)


class InboxPage(Versioned, Base):
    """One page of a file; numbers begin at 1, `rotation` is clockwise."""

    __tablename__ = "inbox_page"
    file_id: Mapped[UUID]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default=PageState.WAITING)
    document_id: Mapped[UUID | None] = mapped_column(default=None)
    rotation: Mapped[int] = mapped_column(default=0)
    by: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")


class PagesTaken(Exception):
    """Somebody has filed or rejected one of these pages meanwhile; nothing was changed."""


@dataclass(frozen=True)
class Incoming:
    """A file as it arrives; `name` is what it was called, without any folder."""

    source: Source
    received_at: datetime
    received_from: str = ""
    name: str = ""


@dataclass(frozen=True)
class Received:
    """`known` when the same bytes came before; `problem` when no page could be read, in words."""

    file_id: UUID
    known: bool
    problem: str = ""


@dataclass(frozen=True)
class Filing:
    """Pages of one file, in this order, as one document. `id` is the form's one-time token."""

    id: UUID
    file_id: UUID
    pages: tuple[int, ...]
    type: DocumentType
    title: str
    patient_id: UUID
    case_id: UUID | None = None


@dataclass(frozen=True)
class Ledger:
    """Pages: what came in, and where each one is now."""

    received: int
    filed: int
    waiting: int
    rejected: int

    @property
    def balances(self) -> bool:
        return self.received == self.filed + self.waiting + self.rejected


def receive_file(session: Session, ring: KeyRing, context: Context, incoming: Incoming, data: bytes) -> Received:
    """Keeps a file with its pages waiting; the same bytes again change nothing.

    Bytes that cannot be read are kept too (unless they are too large), with the problem in words.
    """
    digest = sha256(data).digest()
    before = session.scalar(select(DocumentInbox).where(DocumentInbox.hash == digest))
    if before is not None:
        return Received(before.id, True, before.problem)
    found = _looked_into(data)
    if len(data) <= scan.MAX_BYTES:
        store_content(session, ring, context, data)
    values = vars(incoming) | found | {"id": new_id(), "tenant": context.tenant, "hash": digest}
    added = session.scalar(insert(DocumentInbox).values(values).on_conflict_do_nothing().returning(DocumentInbox))
    if added is None:  # the same bytes came by another way in this moment
        return receive_file(session, ring, context, incoming, data)
    session.add_all(
        InboxPage(id=new_id(), tenant=context.tenant, file_id=added.id, number=number)
        for number in range(1, added.pages + 1)
    )
    session.flush()
    detail: dict[str, object] = {"source": added.source, "pages": added.pages}
    Auditor(ring).write(session, context, Action.CREATE, "DocumentInbox", str(added.id), detail=detail)
    return Received(added.id, False, added.problem)


def _looked_into(data: bytes) -> dict[str, object]:
    """What the row says of the bytes: their type and pages, or the problem."""
    try:
        looked = scan.read(data)
    except scan.ScanRefused as refused:
        return {"pages": 0, "content_type": "", "problem": str(refused), "seen_by": ""}
    return {"pages": looked.pages, "content_type": looked.content_type, "problem": "", "seen_by": ""}


def file_pages(session: Session, ring: KeyRing, context: Context, filing: Filing) -> UUID:
    """Makes one document of waiting pages, turned as they are shown; filed before under this id, only answers it.

    Raises `PagesTaken`, and `scan.ScanRefused` for pages that cannot be taken out of their file.
    """
    if session.get(DocumentReference, filing.id) is not None:
        return filing.id
    file = session.get_one(DocumentInbox, filing.file_id)
    try:
        rows = _waiting(session, filing.file_id, filing.pages)
    except PagesTaken:
        if session.get(DocumentReference, filing.id) is None:
            raise
        return filing.id  # a double click: the first one has just filed them
    data = open_content(session, ring, context, file.hash)
    turns = {row.number: row.rotation for row in rows if row.rotation}
    content, kind = _taken_out(file, data, filing.pages, turns)
    document = NewDocument(
        id=filing.id,
        type=filing.type,
        title=filing.title,
        content_type=kind,
        pages=len(filing.pages),
        source=Source(file.source),
        received_at=file.received_at,
        received_from=file.received_from,
        patient_id=filing.patient_id,
        case_id=filing.case_id,
        author=context.actor,
    )
    store_document(session, ring, context, document, content)
    for row in rows:
        row.state, row.document_id = PageState.FILED, filing.id
        row.by, row.at = context.actor, datetime.now(UTC)
    session.flush()
    return filing.id


def reject_pages(
    session: Session, ring: KeyRing, context: Context, file_id: UUID, pages: Sequence[int], reason: str
) -> None:
    """Puts waiting pages aside for a reason; they stay on file. Raises `PagesTaken`."""
    for row in _waiting(session, file_id, pages):
        row.state, row.reason = PageState.REJECTED, reason
        row.by, row.at = context.actor, datetime.now(UTC)
    session.flush()
    detail: dict[str, object] = {"pages": list(pages), "reason": reason}
    Auditor(ring).write(session, context, Action.UPDATE, "DocumentInbox", str(file_id), detail=detail)


def return_pages(session: Session, ring: KeyRing, context: Context, file_id: UUID, pages: Sequence[int]) -> None:
    """Lets rejected pages wait again. Raises `PagesTaken` when one is not rejected."""
    for row in _in_state(session, file_id, pages, PageState.REJECTED):
        _wait_again(row)
    session.flush()
    detail: dict[str, object] = {"pages": list(pages), "returned": True}
    Auditor(ring).write(session, context, Action.UPDATE, "DocumentInbox", str(file_id), detail=detail)


def unfile_document(session: Session, ring: KeyRing, context: Context, document_id: UUID, reason: str) -> UUID | None:
    """Marks a document as entered in error and lets its pages wait again; answers the file they came in, if any."""
    if withdraw_document(session, ring, context, document_id, reason) is None:
        return None
    rows = list(session.scalars(select(InboxPage).where(InboxPage.document_id == document_id).with_for_update()))
    for row in rows:
        _wait_again(row)
    session.flush()
    return rows[0].file_id if rows else None


def turn_page(session: Session, file_id: UUID, number: int, rotation: int) -> None:
    """Shows, and later files, a waiting page turned; a page that is settled stays as it was filed."""
    session.execute(
        update(InboxPage)
        .where(InboxPage.file_id == file_id, InboxPage.number == number, InboxPage.state == PageState.WAITING)
        .values(rotation=rotation)
    )


def see_problem(session: Session, ring: KeyRing, context: Context, file_id: UUID) -> None:
    """Somebody has looked at a file that could not be read and seen to it."""
    session.execute(
        update(DocumentInbox)
        .where(DocumentInbox.id == file_id, DocumentInbox.problem != "", DocumentInbox.seen_at.is_(None))
        .values(seen_by=context.actor, seen_at=datetime.now(UTC))
    )
    Auditor(ring).write(session, context, Action.UPDATE, "DocumentInbox", str(file_id), detail={"seen": True})


def ledger(session: Session) -> Ledger:
    """The clinic's whole inbox in pages; `received` is counted from the files, the rest from their pages."""
    received = session.scalar(select(func.coalesce(func.sum(DocumentInbox.pages), 0))) or 0
    counted = session.execute(select(InboxPage.state, func.count()).group_by(InboxPage.state))
    count: dict[str, int] = {row[0]: row[1] for row in counted}
    return Ledger(int(received), *(count.get(state, 0) for state in ("filed", "waiting", "rejected")))


def waiting_files(session: Session) -> int:
    """How many files have a page that waits, or could not be read and were not looked at yet."""
    pages = select(func.count(InboxPage.file_id.distinct())).where(InboxPage.state == PageState.WAITING)
    problems = select(func.count()).where(DocumentInbox.problem != "", DocumentInbox.seen_at.is_(None))
    return (session.scalar(pages) or 0) + (session.scalar(problems) or 0)


def _taken_out(file: DocumentInbox, data: bytes, pages: Sequence[int], turns: dict[int, int]) -> tuple[bytes, str]:
    """The whole file as it came where nothing was left out or turned, else a PDF of the pages."""
    if not turns and list(pages) == list(range(1, file.pages + 1)):
        return data, file.content_type
    return scan.extract(data, pages, turns), scan.ScanType.PDF


def _waiting(session: Session, file_id: UUID, pages: Sequence[int]) -> list[InboxPage]:
    return _in_state(session, file_id, pages, PageState.WAITING)


def _in_state(session: Session, file_id: UUID, pages: Sequence[int], state: PageState) -> list[InboxPage]:
    """The pages, locked in their order; raises `PagesTaken` unless each is in that state."""
    query = select(InboxPage).where(InboxPage.file_id == file_id, InboxPage.number.in_(pages), InboxPage.state == state)
    rows = list(session.scalars(query.order_by(InboxPage.number).with_for_update()))
    if not rows or len(rows) != len(set(pages)):
        raise PagesTaken
    return rows


def _wait_again(row: InboxPage) -> None:
    row.state, row.document_id, row.by, row.at, row.reason = PageState.WAITING, None, "", None, ""
