"""What one act of a person changed just now, for the words beside its undo."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.patient import Patient
from activities.records.task import Task, TaskStatus
from activities.records.task_act import UNDO


@dataclass(frozen=True)
class Acted:
    """The tasks an act changed that nobody has touched since, and how long it can still be undone."""

    tasks: tuple[Task, ...]
    patient: Patient | None
    owner: str
    left: timedelta


def acted(session: Session, token: UUID, now: datetime) -> Acted | None:
    """None when nothing is left to undo; `patient` and `owner` are those of the first task."""
    rows = session.execute(
        select(Task, Patient, Account.name)
        .outerjoin(Patient, Patient.id == Task.patient_id)
        .outerjoin(Account, Account.id == Task.owner)
        .where(Task.act_token == str(token), Task.status == TaskStatus.OPEN)
    ).all()
    left = max((row[0].recorded_at for row in rows), default=now - UNDO) + UNDO - now
    if not rows or left <= timedelta():
        return None
    return Acted(tuple(row[0] for row in rows), rows[0][1], rows[0][2] or "", left)
