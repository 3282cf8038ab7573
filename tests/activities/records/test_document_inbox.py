"""Files in the inbox, page by page, on the real store."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from activities.formats import scan
from activities.records.audit_event import AuditEvent
from activities.records.base import new_id
from activities.records.document_inbox import (
    DocumentInbox,
    Filing,
    InboxPage,
    Incoming,
    Ledger,
    PagesTaken,
    PageState,
    Received,
    file_pages,
    ledger,
    receive_file,
    reject_pages,
    return_pages,
    see_problem,
    turn_page,
    unfile_document,
    waiting_files,
)
from activities.records.document_reference import (
    DocumentContent,
    DocumentReference,
    DocumentStatus,
    DocumentType,
    Source,
    open_document,
)
from activities.records.queries.inbox import pages_of, waiting_list
from activities.records.sessions import Context
from infra.bootstrap import Parts
from tests import make
from tests.documents import FAX, received
from tests.scans import fax


class Inbox:
    """One clinic's inbox; every act is its own transaction."""

    def __init__(self, parts: Parts, context: Context = make.LARKMOOR) -> None:
        self.parts, self.context = parts, context
        self.patient = make.patient(parts, context)

    def receive(self, data: bytes, name: str = "fax.tif") -> Received:
        with self.parts.sessions.begin(self.context) as session:
            incoming = Incoming(Source.FAX, make.NOW, FAX, name)
            return receive_file(session, self.parts.ring, self.context, incoming, data)

    def filing(self, file_id: UUID, *pages: int) -> Filing:
        return Filing(new_id(), file_id, pages, DocumentType.CONSULT_NOTE, "Consult note", self.patient)

    def file(self, filing: Filing) -> UUID:
        with self.parts.sessions.begin(self.context) as session:
            return file_pages(session, self.parts.ring, self.context, filing)

    def reject(self, file_id: UUID, *pages: int) -> None:
        with self.parts.sessions.begin(self.context) as session:
            reject_pages(session, self.parts.ring, self.context, file_id, pages, "advertisement")

    def give_back(self, file_id: UUID, *pages: int) -> None:
        with self.parts.sessions.begin(self.context) as session:
            return_pages(session, self.parts.ring, self.context, file_id, pages)

    def unfile(self, document_id: UUID) -> UUID | None:
        with self.parts.sessions.begin(self.context) as session:
            return unfile_document(session, self.parts.ring, self.context, document_id, "wrong patient")

    def turn(self, file_id: UUID, number: int, rotation: int) -> None:
        with self.parts.sessions.begin(self.context) as session:
            turn_page(session, file_id, number, rotation)

    def document(self, document_id: UUID) -> tuple[DocumentReference, bytes]:
        with self.parts.sessions.begin(self.context) as session:
            opened = open_document(session, self.parts.ring, self.context, document_id)
        assert opened is not None
        return opened.row, opened.data

    def states(self, file_id: UUID) -> list[PageState]:
        with self.parts.sessions.begin(self.context) as session:
            return [PageState(shown.page.state) for shown in pages_of(session, file_id)]

    def ledger(self) -> Ledger:
        with self.parts.sessions.begin(self.context) as session:
            return ledger(session)

    def count(self, kind: type) -> int:
        with self.parts.sessions.begin(self.context) as session:
            return session.scalar(select(func.count()).select_from(kind)) or 0


WAITING, FILED, REJECTED = PageState.WAITING, PageState.FILED, PageState.REJECTED


def test_a_received_file_waits_page_by_page(inbox: Inbox) -> None:
    file = inbox.receive(fax(3)).file_id
    assert inbox.states(file) == [WAITING] * 3
    with inbox.parts.sessions.begin(inbox.context) as session:
        (shown,) = waiting_list(session)
        assert (shown.waiting, waiting_files(session)) == (3, 1)


def test_the_same_bytes_again_are_the_same_file(inbox: Inbox) -> None:
    first, again = inbox.receive(fax(2)), inbox.receive(fax(2), "again.tif")
    assert again == Received(first.file_id, known=True)
    assert inbox.ledger() == Ledger(2, 0, 2, 0)


def test_pages_are_filed_as_one_document_of_the_patient(inbox: Inbox) -> None:
    file = inbox.receive(fax(3)).file_id
    filing = inbox.filing(file, 3, 1)
    document = inbox.file(filing)
    row, data = inbox.document(document)
    assert document == filing.id
    assert (row.pages, row.content_type, row.patient_id) == (2, "application/pdf", inbox.patient)
    assert (row.source, row.received_from, row.received_at) == (Source.FAX, FAX, make.NOW)
    assert scan.read(data).pages == 2
    assert inbox.states(file) == [FILED, WAITING, FILED]


def test_a_whole_file_is_filed_as_the_very_bytes_that_came(inbox: Inbox) -> None:
    file = inbox.receive(fax(2)).file_id
    row, data = inbox.document(inbox.file(inbox.filing(file, 1, 2)))
    assert data == fax(2)
    assert row.content_type == "image/tiff"
    assert inbox.count(DocumentContent) == 1


def test_a_turned_page_is_filed_turned(inbox: Inbox) -> None:
    file = inbox.receive(fax(1)).file_id
    upright = scan.page_picture(fax(1), 1, 100)
    inbox.turn(file, 1, 90)
    _, data = inbox.document(inbox.file(inbox.filing(file, 1)))
    assert scan.page_picture(data, 1, 100) != upright
    inbox.turn(file, 1, 180)
    with inbox.parts.sessions.begin(inbox.context) as session:
        assert [shown.page.rotation for shown in pages_of(session, file)] == [90]


def test_the_same_filing_twice_is_one_document(inbox: Inbox) -> None:
    file = inbox.receive(fax(2)).file_id
    filing = inbox.filing(file, 1)
    assert inbox.file(filing) == inbox.file(filing)
    assert inbox.count(DocumentReference) == 1
    assert inbox.states(file) == [FILED, WAITING]


@pytest.mark.parametrize("pages", [(1,), (1, 2), (9,), ()])
def test_pages_that_do_not_wait_are_neither_filed_nor_rejected(inbox: Inbox, pages: tuple[int, ...]) -> None:
    file = inbox.receive(fax(2)).file_id
    inbox.file(inbox.filing(file, 1))
    with pytest.raises(PagesTaken):
        inbox.file(inbox.filing(file, *pages))
    with pytest.raises(PagesTaken):
        inbox.reject(file, *pages)
    assert inbox.states(file) == [FILED, WAITING]


def test_a_document_filed_in_error_gives_its_pages_back(inbox: Inbox) -> None:
    file = inbox.receive(fax(2)).file_id
    document = inbox.file(inbox.filing(file, 1, 2))
    assert inbox.unfile(document) == file
    row, _ = inbox.document(document)
    assert (row.status, row.status_reason) == (DocumentStatus.ENTERED_IN_ERROR, "wrong patient")
    assert inbox.states(file) == [WAITING, WAITING]
    assert inbox.unfile(document) is None
    assert inbox.file(inbox.filing(file, 1, 2)) != document


def test_a_rejected_page_can_wait_again(inbox: Inbox) -> None:
    file = inbox.receive(fax(1)).file_id
    inbox.reject(file, 1)
    assert inbox.states(file) == [REJECTED]
    inbox.give_back(file, 1)
    assert inbox.states(file) == [WAITING]


def test_a_file_that_cannot_be_read_is_kept_until_somebody_has_seen_it(inbox: Inbox) -> None:
    got = inbox.receive(b"PK\x03\x04 a letter", "letter.docx")
    assert "Save it as PDF" in got.problem
    assert inbox.ledger() == Ledger(0, 0, 0, 0)
    with inbox.parts.sessions.begin(inbox.context) as session:
        (shown,) = waiting_list(session)
        assert shown.file.problem == got.problem
        assert waiting_files(session) == 1
        see_problem(session, inbox.parts.ring, inbox.context, got.file_id)
    with inbox.parts.sessions.begin(inbox.context) as session:
        assert (waiting_list(session), waiting_files(session)) == ([], 0)
    assert inbox.count(DocumentContent) == 1


def test_bytes_are_sealed_for_their_clinic_and_place(inbox: Inbox) -> None:
    inbox.receive(fax(1))
    with inbox.parts.sessions.begin(inbox.context) as session:
        sealed = session.scalars(select(DocumentContent.sealed)).one()
    assert fax(1)[:40] not in sealed


def test_another_clinic_has_its_own_file_of_the_same_bytes(inbox: Inbox) -> None:
    theirs = Inbox(inbox.parts, make.HERONFIELD)
    ours, other = inbox.receive(fax(1)), theirs.receive(fax(1))
    assert ours.file_id != other.file_id
    assert not other.known
    assert [inbox.count(kind) for kind in (DocumentInbox, InboxPage, DocumentContent)] == [1, 1, 1]
    document = theirs.file(theirs.filing(other.file_id, 1))
    with inbox.parts.sessions.begin(inbox.context) as session:
        assert open_document(session, inbox.parts.ring, inbox.context, document) is None


def test_what_came_and_what_is_on_file_can_never_be_rewritten(inbox: Inbox) -> None:
    received(inbox.parts, 1)
    for statement in (
        "update document_content set sealed = ''",
        "delete from document_content",
        "update document_inbox set pages = 0",
        "delete from document_inbox",
        "delete from inbox_page",
        "delete from document_reference",
    ):
        with pytest.raises(SQLAlchemyError, match="permission denied"), inbox.parts.sessions.begin(inbox.context) as db:
            db.execute(text(statement))


def test_filing_leaves_an_audit_row_with_the_patient(inbox: Inbox) -> None:
    file = inbox.receive(fax(1)).file_id
    inbox.file(inbox.filing(file, 1))
    with inbox.parts.sessions.begin(inbox.context) as session:
        said = select(AuditEvent.action, AuditEvent.patient_id).where(AuditEvent.entity == "DocumentReference")
        assert list(session.execute(said)) == [("C", inbox.patient)]


ACTS = st.lists(
    st.tuples(st.sampled_from(["receive", "file", "reject", "return", "unfile"]), st.integers(0, 7)), max_size=25
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_received_is_always_filed_and_waiting_and_rejected(inbox: Inbox, acts: list[tuple[str, int]]) -> None:
    files: list[UUID] = []
    documents: list[UUID] = []
    for act, number in acts:
        before = inbox.ledger()
        if act == "receive":
            files.append(inbox.receive(fax(number % 3 + 1, f"Fax {len(files)} {new_id()}")).file_id)
        elif act == "unfile" and documents:
            inbox.unfile(documents.pop(number % len(documents)))
        elif act != "unfile" and files:
            attempt(inbox, act, files[number % len(files)], number % 3 + 1, documents)
        after = inbox.ledger()
        assert after.balances
        assert after.received >= before.received


def attempt(inbox: Inbox, act: str, file: UUID, page: int, documents: list[UUID]) -> None:
    """One act on one page, which may be refused."""
    try:
        if act == "file":
            documents.append(inbox.file(replace(inbox.filing(file, page), type=DocumentType.OTHER)))
        else:
            (inbox.reject if act == "reject" else inbox.give_back)(file, page)
    except PagesTaken:
        return


@pytest.fixture
def inbox(parts: Parts) -> Iterator[Inbox]:
    make.clinics(parts)
    received(parts, 2, make.HERONFIELD, sender="noise")
    yield Inbox(parts)
