"""One referral's case page: the request, who it is about, where it stands, and everything that happened."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.case_event import CaseEvent
from activities.records.document_reference import DocumentReference, of_case
from activities.records.message_log import MessageLog
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.process import Process
from activities.records.queries.summary import Summary, summary
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus

FIRST = ((Task.kind == "referral").desc(), Task.due_at)  # the process's own task before a review beside it


@dataclass(frozen=True)
class Case:
    """`chart` is of the person as she is known now: the request keeps the patient id it began with."""

    request: ServiceRequest
    chart: Summary
    partner: Organization
    process: Process
    task: Task | None
    events: list[CaseEvent]
    messages: dict[UUID, MessageLog]
    names: dict[str, str]
    documents: list[DocumentReference] = field(default_factory=list)

    @property
    def patient(self) -> Patient:
        return self.chart.patient


def find(session: Session, case_id: UUID) -> Case | None:
    """None when this clinic has no such referral."""
    row = session.execute(
        select(ServiceRequest, Organization, Process)
        .join(Organization, Organization.id == ServiceRequest.performer_id)
        .join(Process, (Process.case_id == ServiceRequest.id) & (Process.kind == "referral"))
        .where(ServiceRequest.id == case_id)
    ).one_or_none()
    if row is None:
        return None
    request, partner, process = row
    chart = summary(session, request.patient_id)
    assert chart is not None
    events = events_of(session, case_id)
    task = session.scalar(
        select(Task).where(Task.case_id == case_id, Task.status == TaskStatus.OPEN).order_by(*FIRST).limit(1)
    )
    messages = messages_of(session, case_id)
    names, documents = _names(session, events, process), of_case(session, case_id)
    return Case(request, chart, partner, process, task, events, messages, names, documents)


def events_of(session: Session, case_id: UUID) -> list[CaseEvent]:
    """What happened in a case, newest first."""
    order = (CaseEvent.at.desc(), CaseEvent.id.desc())
    return list(session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(*order)))


def messages_of(session: Session, case_id: UUID) -> dict[UUID, MessageLog]:
    """The messages that belong to a case."""
    return {row.id: row for row in session.scalars(select(MessageLog).where(MessageLog.case_id == case_id))}


def _names(session: Session, events: list[CaseEvent], process: Process) -> dict[str, str]:
    """The people named in a case, by account id."""
    known = {event.actor for event in events} | {process.next_owner}
    ids = [UUID(one) for one in known if _is_id(one)]
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    return {str(identity): name for identity, name in rows}


def _is_id(word: str) -> bool:
    return len(word) == 36 and word.count("-") == 4
