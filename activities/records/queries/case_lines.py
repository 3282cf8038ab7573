"""Referrals as lines of a list: what is asked, of whom, where it stands, and the next action with its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.process import Process
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus


@dataclass(frozen=True)
class CaseLine:
    """`task` is the open one, if a person has to act; `owner` the name of who holds it, else empty."""

    request: ServiceRequest
    patient: Patient
    partner: str
    process: Process
    task: Task | None
    owner: str


Lines = Select[ServiceRequest, Patient, str, Process]


def select_lines() -> Lines:
    """To be narrowed, ordered and limited by the caller, and read with `read_lines`."""
    return (
        select(ServiceRequest, Patient, Organization.name, Process)
        .join(Patient, Patient.id == ServiceRequest.patient_id)
        .join(Organization, Organization.id == ServiceRequest.performer_id)
        .join(Process, (Process.case_id == ServiceRequest.id) & (Process.kind == "referral"))
    )


def read_lines(session: Session, query: Lines) -> list[CaseLine]:
    """The lines in the query's order."""
    rows = session.execute(query).all()
    held = _tasks(session, [row[0].id for row in rows])
    nothing: tuple[Task | None, str] = (None, "")
    return [CaseLine(row[0], row[1], row[2], row[3], *held.get(row[0].id, nothing)) for row in rows]


def _tasks(session: Session, cases: Sequence[UUID]) -> dict[UUID, tuple[Task | None, str]]:
    query = (
        select(Task, Account.name)
        .outerjoin(Account, Account.id == Task.owner)
        .where(Task.case_id.in_(cases), Task.status == TaskStatus.OPEN)
        .order_by(Task.due_at.desc())
    )
    return {row[0].case_id: (row[0], row[1] or "") for row in session.execute(query)}
