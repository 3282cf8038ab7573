"""Referrals as lines of a list: what is asked, of whom, where it stands, and the next action with its owner."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.process import Process
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus


@dataclass(frozen=True)
class CaseLine:
    """`task` is the open one, if a person has to act; `owner` the name of who holds it, else empty.

    `due` is the deadline itself: that of the process moves on with every rung an overdue task climbs.
    """

    request: ServiceRequest
    patient: Patient
    partner: str
    process: Process
    task: Task | None
    owner: str

    @property
    def due(self) -> datetime | None:
        return self.task.due_at if self.task else self.process.next_due


DUE = func.coalesce(Task.due_at, Process.next_due)
OWN_PROCESS = (Process.case_id == ServiceRequest.id) & (Process.kind == "referral")
OWN_TASK = (Task.case_id == ServiceRequest.id) & (Task.kind == "referral") & (Task.status == TaskStatus.OPEN)

Lines = Select[ServiceRequest, Patient, str, Process, Task, str]


def select_lines() -> Lines:
    """To be narrowed, ordered and limited by the caller, and read with `read_lines`."""
    return (
        select(ServiceRequest, Patient, Organization.name, Process, Task, Account.name)
        .join(Patient, Patient.id == ServiceRequest.patient_id)
        .join(Organization, Organization.id == ServiceRequest.performer_id)
        .join(Process, OWN_PROCESS)
        .outerjoin(Task, OWN_TASK)
        .outerjoin(Account, Account.id == Task.owner)
    )


def read_lines(session: Session, query: Lines) -> list[CaseLine]:
    """The lines in the query's order."""
    return [CaseLine(row[0], row[1], row[2], row[3], row[4], row[5] or "") for row in session.execute(query)]
