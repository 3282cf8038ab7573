"""FHIR Task as people's work: one row is one thing somebody must do."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned, new_id
from activities.records.sessions import Context


class TaskStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Task(Versioned, Base):
    """The row is the truth of who and when; the owning workflow of what it means. `rank` orders by harm."""

    __tablename__ = "task"
    workflow_id: Mapped[str]
    case_id: Mapped[UUID]
    patient_id: Mapped[UUID | None] = mapped_column(default=None)
    kind: Mapped[str]
    number: Mapped[str]
    action: Mapped[str]
    why: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    stage: Mapped[str]
    outcomes: Mapped[list[str]] = mapped_column(default=list)
    priority: Mapped[str]
    rank: Mapped[int]
    pool: Mapped[str]
    site: Mapped[str] = mapped_column(default="")
    owner: Mapped[UUID | None] = mapped_column(default=None)
    due_at: Mapped[datetime]
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(default=TaskStatus.OPEN)
    opened_at: Mapped[datetime]
    opened_key: Mapped[str]
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    done_by: Mapped[str] = mapped_column(default="")
    done_key: Mapped[str] = mapped_column(default="")
    claim_token: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Assignment:
    """The task a case needs now."""

    workflow_id: str
    patient_id: UUID | None
    number: str
    action: str
    why: str
    subject: str
    stage: str
    outcomes: tuple[str, ...]
    priority: str
    rank: int
    pool: str
    site: str
    due_at: datetime


def reassign(
    session: Session, context: Context, case_id: UUID, kind: str, wanted: Assignment | None, key: str, at: datetime
) -> UUID | None:
    """Leaves a case with exactly the task it needs; gives who holds it.

    The same need keeps its row and its holder; another need ends the row, and its holder keeps the case
    while the pool stays the same.
    """
    held = session.execute(
        select(Task.id, Task.owner, Task.pool, Task.action).where(
            Task.case_id == case_id, Task.status == TaskStatus.OPEN
        )
    ).all()
    for row in held:
        if wanted and row.action == wanted.action and row.pool == wanted.pool:
            owner: UUID | None = row.owner
            return owner
    if held:
        session.execute(
            update(Task)
            .where(Task.id.in_([row.id for row in held]))
            .values(status=TaskStatus.DONE, done_at=at, done_by=context.actor, done_key=key)
        )
    if wanted is None:
        return None
    keeper = next((row.owner for row in held if row.pool == wanted.pool), None)
    session.execute(
        insert(Task).values(
            asdict(wanted)
            | {
                "id": new_id(),
                "tenant": context.tenant,
                "case_id": case_id,
                "kind": kind,
                "owner": keeper,
                "status": TaskStatus.OPEN,
                "opened_at": at,
                "opened_key": key,
                "outcomes": list(wanted.outcomes),
            }
        )
    )
    return keeper


@dataclass(frozen=True)
class Claim:
    """Who has a task after a claim: `won` for the one who asked (again, with the same token, too)."""

    won: bool
    holder: UUID | None


def claim(session: Session, task_id: UUID, account: UUID, token: str) -> Claim:
    """Takes an open task nobody holds; one guarded statement decides between fifty at once."""
    taken = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.status == TaskStatus.OPEN, Task.owner.is_(None))
        .values(owner=account, claim_token=token)
        .returning(Task.id)
    ).one_or_none()
    if taken:
        return Claim(True, account)
    row = session.execute(select(Task.owner, Task.status).where(Task.id == task_id)).one_or_none()
    holder = row.owner if row else None
    return Claim(bool(row) and holder == account, holder)


def assign(session: Session, task_id: UUID, owner: UUID | None) -> bool:
    """Gives an open task to somebody, or back to its pool; False when it is done by now."""
    return _changed(session, task_id, {"owner": owner, "snoozed_until": None})


def snooze(session: Session, task_id: UUID, until: datetime) -> bool:
    """Hides an open task until an instant; its due time stays. False when it is done by now."""
    return _changed(session, task_id, {"snoozed_until": until})


def _changed(session: Session, task_id: UUID, values: dict[str, object]) -> bool:
    changed = session.execute(
        update(Task).where(Task.id == task_id, Task.status == TaskStatus.OPEN).values(values).returning(Task.id)
    ).one_or_none()
    return changed is not None
