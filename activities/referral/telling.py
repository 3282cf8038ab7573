"""Telling the other side of a referral what was decided here, by the Task that both sides know."""

from datetime import UTC, datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.formats import scan
from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.referral_bundle import build_update
from activities.formats.fhir.task import read_task
from activities.formats.fhir.task_answer import Saying, build_answer, merged
from activities.formats.fhir.task_step import TaskStatus
from activities.formats.fhir.task_update import without_bytes
from activities.formats.pdf.content import Report
from activities.formats.pdf.render import render
from activities.records.account import Account
from activities.records.as_paper import sender, subject
from activities.records.document_reference import (
    DocumentReference,
    DocumentType,
    NewDocument,
    Source,
    store_document,
)
from activities.records.message_log import MessageLog
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from activities.referral.outgoing import ANSWER, UPDATE, Outgoing, own
from activities.referral.saying import REFERRERS, SPECIALISTS, Author, referrers, specialists
from rules.referral.vocabulary import Direction, Facts, Progress, Step

REPORT_TITLE = "Consultation report"


class Telling:
    """Changes the Tasks of a referral in the step's own transaction, and leaves the messages that say so."""

    def __init__(self, ring: KeyRing, outgoing: Outgoing) -> None:
        self._ring, self._outgoing = ring, outgoing

    def tell(
        self, session: Session, context: Context, request: ServiceRequest, step: Step, facts: Facts, progress: Progress
    ) -> tuple[str, ...]:
        """The messages to be sent because of a step that was decided here; none for one that concerns nobody else."""
        if request.direction == Direction.IN:
            return self._answer(session, context, request, step, facts) if step in SPECIALISTS else ()
        return self._word(session, context, request, step, facts, progress) if step in REFERRERS else ()

    def note(self, session: Session, request: ServiceRequest, step: Step, facts: Facts) -> None:
        """The specialist has said it by phone or fax: her Task shows it, nobody is told."""
        rows = _tasks(session, request) if step in SPECIALISTS else []
        wanted = next((row for row in rows if str(row.id) == facts.candidate), rows[0] if rows else None)
        if wanted is None:
            return
        partner = session.get_one(Organization, wanted.organization_id)
        said = specialists(step, facts, TaskStatus(wanted.status), _author(wanted, partner.name))
        if said:
            _put(wanted, said)

    def _answer(
        self, session: Session, context: Context, request: ServiceRequest, step: Step, facts: Facts
    ) -> tuple[str, ...]:
        rows = _tasks(session, request)
        if not rows:
            return ()
        task, author = rows[0], _author(rows[0], own(session).name)
        report = self._report(session, context, request, task, step, facts)
        said = specialists(step, facts, TaskStatus(task.status), author, report)
        if said is None:
            return ()
        answer = _put(task, said)
        partner = session.get_one(Organization, task.organization_id)
        if partner.transport != Transport.FHIR or not task.address:
            return ()
        name = f"{request.number}/{task.id}/{author.key}"
        return self._leave(session, self._outgoing.message(request, partner, task, ANSWER, answer, name))

    def _word(
        self, session: Session, context: Context, request: ServiceRequest, step: Step, facts: Facts, progress: Progress
    ) -> tuple[str, ...]:
        standing = {one.task: one.standing for one in progress.candidates}
        name = own(session).name
        sends: list[str] = []
        for task in _tasks(session, request):
            now = TaskStatus(task.status)
            said = referrers(step, facts, now, standing.get(str(task.id)), _author(task, name))
            if said:
                _put(task, said)
                sends += self._update(session, context, request, task, facts)
        return tuple(sends)

    def _update(
        self, session: Session, context: Context, request: ServiceRequest, task: Fulfilment, facts: Facts
    ) -> tuple[str, ...]:
        partner = session.get_one(Organization, task.organization_id)
        if partner.transport != Transport.FHIR:
            return ()
        enclosed = self._enclosed(session, context, facts)
        known = self._outgoing.task(request, task)
        whole = self._outgoing.whole(session, request, partner, known, enclosed, facts.consent)
        said = build_update(whole, task.content)
        name = f"{request.number}/{task.id}/{task.version}"
        return self._leave(session, self._outgoing.message(request, partner, task, UPDATE, said, name))

    def _enclosed(self, session: Session, context: Context, facts: Facts) -> tuple[DocumentContent, ...]:
        row = session.get(DocumentReference, UUID(facts.document)) if facts.document else None
        return (self._outgoing.document(session, context, row),) if row else ()

    def _leave(self, session: Session, message: MessageLog) -> tuple[str, ...]:
        session.add(message)
        session.flush()
        return (str(message.id),)

    def _report(
        self, session: Session, context: Context, request: ServiceRequest, task: Fulfilment, step: Step, facts: Facts
    ) -> DocumentContent | None:
        """The document that was chosen, else the words as a page; None where nothing was said."""
        if step not in (Step.REPORT, Step.LATE_NOTE):
            return None
        row = session.get(DocumentReference, UUID(facts.document)) if facts.document else None
        if row is None and facts.note and step is Step.REPORT:
            row = self._written(session, context, request, task, facts.note)
        return self._outgoing.document(session, context, row) if row else None

    def _written(
        self, session: Session, context: Context, request: ServiceRequest, task: Fulfilment, words: str
    ) -> DocumentReference:
        at = datetime.now(UTC)
        zone = ZoneInfo(session.get_one(Tenant, context.tenant).zone)
        paper = Report(
            REPORT_TITLE,
            sender(session, request.site),
            request.their_number or request.number,
            request.service,
            at.astimezone(zone).date(),
            words,
            _name(session, context),
            subject(session.get_one(Patient, request.patient_id)),
        )
        data = render(paper, at.astimezone(zone))
        new = NewDocument(
            DocumentType.CONSULT_NOTE,
            REPORT_TITLE,
            scan.ScanType.PDF,
            scan.read(data).pages,
            Source.OURS,
            at,
            patient_id=request.patient_id,
            case_id=request.id,
            author=context.actor,
            id=uuid5(task.id, f"report {task.version}"),
        )
        return session.get_one(DocumentReference, store_document(session, self._ring, context, new, data))


def _tasks(session: Session, request: ServiceRequest) -> list[Fulfilment]:
    """The Tasks of a referral, locked, newest first."""
    query = select(Fulfilment).where(Fulfilment.service_request_id == request.id)
    return list(session.scalars(query.order_by(Fulfilment.round.desc(), Fulfilment.id).with_for_update()))


def _author(task: Fulfilment, name: str) -> Author:
    return Author(name, datetime.now(UTC), f"{task.version}-{task.id.hex[-8:]}")


def _put(task: Fulfilment, saying: Saying) -> dict[str, object]:
    """Lays what is said over the Task; gives it as a message."""
    answer = build_answer(task.content, saying)
    task.content = without_bytes(merged(task.content, answer))
    read = read_task(task.content)
    task.status = read.status
    task.business_status = read.business.words if read.business else ""
    task.status_reason = read.reason.words if read.reason else ""
    return answer


def _name(session: Session, context: Context) -> str:
    """The person who says it; empty when it is the system."""
    try:
        account = session.get(Account, UUID(context.actor))
    except ValueError:
        return ""
    return account.name if account else ""
