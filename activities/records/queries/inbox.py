"""The document inbox: what waits, page by page, and for which case it may have come."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from activities.records.document_inbox import DocumentInbox, InboxPage, PageState
from activities.records.document_reference import DocumentReference
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.process import Process
from activities.records.queries.find_patient import find_patients
from activities.records.service_request import ServiceRequest
from rules.referral.vocabulary import ACCEPTED, ENDED, Direction, Stage

MOST_FILES, MOST_CASES, MOST_PATIENTS = 200, 12, 8
NUMBER = re.compile(r"R-?(\d{3,})", re.IGNORECASE)
BIRTH_DATE = re.compile(r"\b(\d{1,2}[/-]\d{1,2}[/-]\d{4}|\d{4}-\d{2}-\d{2})\b")


@dataclass(frozen=True)
class WaitingFile:
    """A file with pages that wait, or with a problem nobody has seen to; `sender` is known by the fax number."""

    file: DocumentInbox
    waiting: int
    sender: Organization | None


@dataclass(frozen=True)
class ShownPage:
    """A page, and the document it was filed as."""

    page: InboxPage
    document: DocumentReference | None


@dataclass(frozen=True)
class SuggestedCase:
    """A referral the pages may belong to, and why it is thought so."""

    request: ServiceRequest
    patient: Patient
    partner: Organization
    process: Process
    from_sender: bool

    @property
    def report_due(self) -> bool:
        return self.request.direction == Direction.OUT and self.request.stage == Stage.SEEN


@dataclass(frozen=True)
class Suggestions:
    """Ranked: the likeliest first. Patients are given only where somebody has asked for one."""

    cases: tuple[SuggestedCase, ...]
    patients: tuple[Patient, ...] = ()


def waiting_list(session: Session) -> list[WaitingFile]:
    """Up to 200 files with something to do, the oldest first."""
    waiting = (
        select(InboxPage.file_id, func.count().label("pages"))
        .where(InboxPage.state == PageState.WAITING)
        .group_by(InboxPage.file_id)
        .subquery()
    )
    rows = session.execute(
        select(DocumentInbox, func.coalesce(waiting.c.pages, 0))
        .outerjoin(waiting, waiting.c.file_id == DocumentInbox.id)
        .where(or_(waiting.c.pages > 0, (DocumentInbox.problem != "") & DocumentInbox.seen_at.is_(None)))
        .order_by(DocumentInbox.received_at, DocumentInbox.id)
        .limit(MOST_FILES)
    )
    known = _by_fax(session)
    return [WaitingFile(row[0], row[1], known.get(digits(row[0].received_from))) for row in rows]


def pages_of(session: Session, file_id: UUID) -> list[ShownPage]:
    """All pages of a file, in order."""
    rows = session.execute(
        select(InboxPage, DocumentReference)
        .outerjoin(DocumentReference, DocumentReference.id == InboxPage.document_id)
        .where(InboxPage.file_id == file_id)
        .order_by(InboxPage.number)
    )
    return [ShownPage(row[0], row[1]) for row in rows]


def sender_of(session: Session, received_from: str) -> Organization | None:
    """The partner whose fax number this is."""
    return _by_fax(session).get(digits(received_from))


def suggestions(session: Session, received_from: str, words: str = "") -> Suggestions:
    """For which cases and patients pages from this sender may be.

    Open referrals with the sending partner come first, those whose report is due before the rest, the longest
    waiting before the newer. `words` (a name, a birth date, both, an MRN or a referral's number) narrow them to
    whom they name, closed referrals included: a late note belongs to one.
    """
    sender = sender_of(session, received_from)
    if not words.strip():
        wanted = (ServiceRequest.performer_id == sender.id) & _open() if sender else None
        return Suggestions(_cases(session, wanted, sender))
    if number := NUMBER.fullmatch(words.strip()):
        return Suggestions(_cases(session, ServiceRequest.number == f"R-{number[1]}", sender))
    people = _patients(session, words.strip())
    named = ServiceRequest.patient_id.in_([one.id for one in people])
    return Suggestions(_cases(session, named if people else None, sender), tuple(people[:MOST_PATIENTS]))


def digits(number: str) -> str:
    """A fax number as it is compared: the last ten digits, empty when there are fewer."""
    found = re.sub(r"\D", "", number)
    return found[-10:] if len(found) >= 10 else ""


def _by_fax(session: Session) -> dict[str, Organization]:
    partners = session.scalars(select(Organization).where(Organization.partner.is_(True), Organization.fax != ""))
    return {digits(one.fax): one for one in partners if digits(one.fax)}


def _open() -> ColumnElement[bool]:
    return ServiceRequest.stage.not_in(list(ENDED))


def _cases(
    session: Session, wanted: ColumnElement[bool] | None, sender: Organization | None
) -> tuple[SuggestedCase, ...]:
    if wanted is None:
        return ()
    rows = session.execute(
        select(ServiceRequest, Patient, Organization, Process)
        .join(Patient, Patient.id == ServiceRequest.patient_id)
        .join(Organization, Organization.id == ServiceRequest.performer_id)
        .join(Process, Process.case_id == ServiceRequest.id)
        .where(wanted)
        .order_by(ServiceRequest.stage_since)
        .limit(500)
    )
    found = [SuggestedCase(*row, from_sender=bool(sender and row[2].id == sender.id)) for row in rows]
    return tuple(sorted(found, key=_rank)[:MOST_CASES])


def _rank(case: SuggestedCase) -> tuple[bool, int, float]:
    """The sender's own before others; report due, then accepted, then the rest, ended ones last; longest wait."""
    stage, since = Stage(case.request.stage), case.request.stage_since.timestamp()
    if stage in ENDED:
        return (not case.from_sender, 3, -since)
    nearness = 0 if case.report_due else 1 if stage in ACCEPTED else 2
    return (not case.from_sender, nearness, since)


def _patients(session: Session, words: str) -> list[Patient]:
    """By birth date and name together where both are given."""
    born = BIRTH_DATE.search(words)
    name = BIRTH_DATE.sub("", words).strip(" ,")
    if not born:
        return find_patients(session, words)
    found = find_patients(session, born[1])
    parts = [one for one in re.split(r"[,\s]+", name.casefold()) if one]
    return [one for one in found if all(_named(one, part) for part in parts)]


def _named(patient: Patient, part: str) -> bool:
    return part in f"{patient.family} {patient.given}".casefold()


@dataclass(frozen=True)
class OpenWith:
    """How many referrals are open with a partner, and on how many of them the report is due."""

    open: int
    reports_due: int


def open_with(session: Session, partners: Collection[UUID]) -> dict[UUID, OpenWith]:
    """What is open with each of these partners; one without anything open is left out."""
    due = (ServiceRequest.stage == Stage.SEEN) & (ServiceRequest.direction == Direction.OUT)
    rows = session.execute(
        select(ServiceRequest.performer_id, func.count(), func.count().filter(due))
        .where(ServiceRequest.performer_id.in_(partners), _open())
        .group_by(ServiceRequest.performer_id)
    )
    return {row[0]: OpenWith(row[1], row[2]) for row in rows}
