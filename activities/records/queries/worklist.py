"""The work queue: open tasks, most urgent first, by keyset."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.patient import Patient
from activities.records.task import Task, TaskStatus

RANKS = (0, 1, 2)


@dataclass(frozen=True)
class Filters:
    """Several values within a filter are alternatives; the filters narrow each other. Empty: no limit."""

    owners: tuple[UUID, ...] = ()
    unassigned: bool = False
    pools: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    due_by: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Where a page ended: overdue or not, rank, due and id of its last row."""

    overdue: bool
    rank: int
    due_at: datetime
    id: UUID


@dataclass(frozen=True)
class WorkItem:
    task: Task
    patient: Patient | None
    owner: str


def page(session: Session, filters: Filters, now: datetime, limit: int, after: Place | None = None) -> list[WorkItem]:
    """Up to `limit` tasks: overdue before the rest, by priority, then by due time.

    Each (overdue, rank) is a range of one index, read in turn until the page is full.
    """
    items: list[WorkItem] = []
    for overdue in (True, False):
        for rank in RANKS:
            if after and (not overdue, rank) < (not after.overdue, after.rank):
                continue
            here = after if after and (overdue, rank) == (after.overdue, after.rank) else None
            items += _segment(session, filters, now, overdue, rank, limit - len(items), here)
            if len(items) >= limit:
                return items
    return items


def _segment(
    session: Session, filters: Filters, now: datetime, overdue: bool, rank: int, limit: int, after: Place | None
) -> list[WorkItem]:
    query = (
        select(Task, Patient, Account.name)
        .outerjoin(Patient, Patient.id == Task.patient_id)
        .outerjoin(Account, Account.id == Task.owner)
        .where(*_open(filters, now), Task.rank == rank, Task.due_at < now if overdue else Task.due_at >= now)
        .order_by(Task.due_at, Task.id)
        .limit(limit)
    )
    if after:
        query = query.where(tuple_(Task.due_at, Task.id) > tuple_(after.due_at, after.id))
    return [WorkItem(row[0], row[1], row[2] or "") for row in session.execute(query)]


def _open(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    found = [Task.status == TaskStatus.OPEN, func.coalesce(Task.snoozed_until, now) <= now]
    if filters.owners or filters.unassigned:
        mine = Task.owner.in_(filters.owners)
        found.append(mine | Task.owner.is_(None) if filters.unassigned else mine)
    for column, values in (
        (Task.pool, filters.pools),
        (Task.priority, filters.priorities),
        (Task.stage, filters.stages),
        (Task.site, filters.sites),
    ):
        if values:
            found.append(column.in_(values))
    if filters.due_by:
        found.append(Task.due_at <= filters.due_by)
    return found


@dataclass(frozen=True)
class Counts:
    total: int
    overdue: int
    today: int


def count(session: Session, filters: Filters, now: datetime, tonight: datetime) -> Counts:
    """How many tasks a view holds, how many of them are overdue, and how many fall due until `tonight`."""
    total, overdue, today = session.execute(
        select(
            func.count(),
            func.count().filter(Task.due_at < now),
            func.count().filter(Task.due_at >= now, Task.due_at <= tonight),
        )
        .select_from(Task)
        .where(*_open(filters, now))
    ).one()
    return Counts(total, overdue, today)
