"""Beside a case's own events: who looked at it, what changed in its records, and how it was at a past instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnClause, column, func, select, table, text, union_all
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.allergy import AllergyIntolerance
from activities.records.audit_event import Action, AuditEvent
from activities.records.case_event import CaseEvent
from activities.records.coverage import Coverage
from activities.records.document_reference import DocumentReference
from activities.records.interface import Interface
from activities.records.organization import Organization
from activities.records.patient_link import same_person
from activities.records.patient_telecom import PatientTelecom
from activities.records.process import Process
from activities.records.queries.case import Case, events_of, messages_of
from activities.records.queries.summary import summary
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus

AUTHOR_WITHIN = timedelta(seconds=5)
ONE_LOOK = timedelta(hours=1)
MOST = 500
WATCHED: Mapping[str, tuple[str, ...]] = {
    "service_request": ("service", "question", "diagnoses", "requester", "site"),
    "patient": ("family", "given", "birth_date", "phone", "language", "interpreter", "alerts"),
    "patient_telecom": ("value", "sms_ok", "wrong"),
    "allergy_intolerance": ("substance", "reaction", "severity", "clinical_status"),
    "coverage": ("payer", "plan", "rank", "status"),
    "task": ("owner", "snoozed_until"),
}


@dataclass(frozen=True)
class Look:
    """Somebody opened the case; several times within an hour is one."""

    at: datetime
    actor: str
    times: int = 1


@dataclass(frozen=True)
class RecordChange:
    """One field of a record of the case; `actor` is empty where nobody is named for it."""

    at: datetime
    actor: str
    record: str
    field: str
    before: Any
    after: Any


def looks(session: Session, record_id: UUID, until: datetime, entity: str = "ServiceRequest") -> list[Look]:
    """Who opened a record's page, newest first."""
    rows = session.execute(
        select(AuditEvent.recorded_at, AuditEvent.actor)
        .where(
            AuditEvent.entity_id == str(record_id),
            AuditEvent.action == Action.READ,
            AuditEvent.entity == entity,
            AuditEvent.recorded_at <= until,
        )
        .order_by(AuditEvent.recorded_at.desc())
        .limit(MOST)
    )
    found: list[Look] = []
    for row in rows:
        last = found[-1] if found else None
        if last and last.actor == row.actor and last.at - row.recorded_at < ONE_LOOK:
            found[-1] = Look(last.at, last.actor, last.times + 1)
        else:
            found.append(Look(row.recorded_at, row.actor))
    return found


def record_changes(session: Session, case: Case, until: datetime) -> list[RecordChange]:
    """What changed in the request, its patient's chart and its task since the case began, newest first."""
    records = [("service_request", case.request.id), ("patient", case.patient.id)]
    person = same_person(session, case.patient.id)
    for kind in (PatientTelecom, AllergyIntolerance, Coverage):
        of_person = session.scalars(select(kind.id).where(kind.patient_id.in_(person)))
        records += [(kind.__tablename__, one) for one in of_person]
    records += [("task", one) for one in session.scalars(select(Task.id).where(Task.case_id == case.request.id))]
    changes = [one for name, identity in records for one in _changes(session, name, identity)]
    began = case.request.opened_at
    return sorted((one for one in changes if began <= one.at <= until), key=lambda one: one.at, reverse=True)


def _changes(session: Session, name: str, identity: UUID) -> Iterable[RecordChange]:
    versions = _versions(session, name, identity)
    if len(versions) < 2:
        return
    authors = _authors(session, identity)
    for before, after in pairwise(versions):
        actor = _author(authors, after["recorded_at"])
        for field in WATCHED[name]:
            if before[field] != after[field]:
                yield RecordChange(after["recorded_at"], actor, name, field, before[field], after[field])


def _versions(session: Session, name: str, identity: UUID) -> list[Mapping[str, Any]]:
    """Every version of a record, oldest first."""
    columns: list[ColumnClause[Any]] = [column(one) for one in ("id", "version", "recorded_at", *WATCHED[name])]
    halves = [select(*columns).select_from(table(one)) for one in (name, f"{name}_history")]
    both = union_all(*(half.where(column("id") == identity) for half in halves)).subquery()
    return [dict(row._mapping) for row in session.execute(select(both).order_by(both.c.version))]


def _authors(session: Session, identity: UUID) -> list[tuple[datetime, str]]:
    rows = session.execute(
        select(AuditEvent.recorded_at, AuditEvent.actor).where(
            AuditEvent.entity_id == str(identity), AuditEvent.action == Action.UPDATE
        )
    )
    return [(row.recorded_at, row.actor) for row in rows]


def _author(authors: list[tuple[datetime, str]], at: datetime) -> str:
    """Who is named for the same record in the same moment."""
    near = [(abs(when - at), actor) for when, actor in authors if abs(when - at) <= AUTHOR_WITHIN]
    return min(near)[1] if near else ""


def as_of(session: Session, case_id: UUID, at: datetime) -> Case | None:
    """The case as the store knew it at an instant; None before it was there.

    Its `process` says the next action only.
    """
    request = _then(session, ServiceRequest, case_id, at)
    if request is None:
        return None
    chart, partner = summary(session, request.patient_id, at), _then(session, Organization, request.performer_id, at)
    if chart is None or partner is None:
        return None
    tasks = select(Task).from_statement(text("select * from app.task_as_of(:at) where case_id = :id"))
    held = session.scalars(tasks, {"at": at, "id": case_id}).all()
    task = next((one for one in held if one.status == TaskStatus.OPEN and one.kind == "referral"), None)
    events = [one for one in events_of(session, case_id) if one.recorded_at <= at]
    messages = {one.id: one for one in messages_of(session, case_id).values() if one.received_at <= at}
    process, documents = _process_of(request, task), _documents(session, case_id, at)
    return Case(request, chart, partner, process, task, events, messages, {}, documents)


def _documents(session: Session, case_id: UUID, at: datetime) -> list[DocumentReference]:
    """Newest first, without those that had turned out to be wrong by then."""
    read = text(
        "select * from app.document_reference_as_of(:at) where case_id = :id and status = 'current' "
        "order by received_at desc"
    )
    return list(session.scalars(select(DocumentReference).from_statement(read), {"at": at, "id": case_id}))


def _process_of(request: ServiceRequest, task: Task | None) -> Process:
    """What was to be done then; the row itself keeps only the present."""
    return Process(
        workflow_id="",
        tenant=request.tenant,
        kind="referral",
        case_id=request.id,
        stage=request.stage,
        next_action=task.action if task else "",
        next_owner=(str(task.owner) if task.owner else task.pool) if task else "",
        next_due=task.due_at if task else None,
        opened_at=request.opened_at,
        closed_at=request.closed_at,
    )


def _then(session: Session, kind: Any, identity: UUID, at: datetime) -> Any:
    read = text(f"select * from app.{kind.__tablename__}_as_of(:at) where id = :id")  # noqa: S608 a table of ours
    return session.scalar(select(kind).from_statement(read), {"at": at, "id": identity})


def names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """The people and connected partners behind the actors of events, by actor."""
    wanted = set(actors)
    people = session.execute(select(Account.id, Account.name).where(Account.id.in_(_ids(wanted, ""))))
    doors = session.execute(select(Interface.id, Interface.name).where(Interface.id.in_(_ids(wanted, "interface:"))))
    return {str(row.id): row.name for row in people} | {f"interface:{row.id}": row.name for row in doors}


def _ids(actors: set[str], prefix: str) -> list[UUID]:
    found = [one.removeprefix(prefix) for one in actors if one.startswith(prefix)]
    return [UUID(one) for one in found if len(one) == 36 and one.count("-") == 4]


def state_mark(session: Session, case_id: UUID) -> str:
    """A mark that is another one as soon as something happens in a case or one of its tasks changes."""
    events = select(func.count()).select_from(CaseEvent).where(CaseEvent.case_id == case_id)
    tasks = select(func.coalesce(func.sum(Task.version), 0)).where(Task.case_id == case_id)
    return f"{session.scalar(events)}.{session.scalar(tasks)}"
