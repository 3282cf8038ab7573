"""The work queue: open tasks, most urgent first or by a column, by keyset."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.patient import Patient
from activities.records.task import Task, TaskStatus

RANKS = (0, 1, 2)
LONGEST = 1000  # rows that one act or one walk through a view takes


@dataclass(frozen=True)
class Filters:
    """Several values within a filter are alternatives; the filters narrow each other. Empty: no limit.

    `snoozed` shows what is hidden until later, and nothing else.
    """

    owners: tuple[UUID, ...] = ()
    unassigned: bool = False
    pools: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    due_by: datetime | None = None
    snoozed: bool = False


class Column(StrEnum):
    """What a work list can be sorted by, beside "most urgent first"."""

    DUE = "due"
    AGE = "age"
    PATIENT = "patient"


@dataclass(frozen=True)
class Sort:
    column: Column
    descending: bool = False


@dataclass(frozen=True)
class WorkItem:
    task: Task
    patient: Patient | None
    owner: str


def page(
    session: Session, filters: Filters, now: datetime, limit: int, after: UUID | None = None, sort: Sort | None = None
) -> list[WorkItem]:
    """Up to `limit` tasks behind the one a page ended with: sorted, or most urgent first.

    Most urgent is overdue before the rest, by priority, then by due time. Each (overdue, rank) is a range of one
    index, read in turn until the page is full.
    """
    last = session.get(Task, after) if after else None
    if sort:
        return _sorted(session, filters, now, sort, limit, last)
    items: list[WorkItem] = []
    for overdue in (True, False):
        for rank in RANKS:
            if last and (not overdue, rank) < (last.due_at >= now, last.rank):
                continue
            here = last if last and (not overdue, rank) == (last.due_at >= now, last.rank) else None
            items += _segment(session, filters, now, overdue, rank, limit - len(items), here)
            if len(items) >= limit:
                return items
    return items


def _segment(
    session: Session, filters: Filters, now: datetime, overdue: bool, rank: int, limit: int, after: Task | None
) -> list[WorkItem]:
    query = (
        _items()
        .where(*_open(filters, now), Task.rank == rank, Task.due_at < now if overdue else Task.due_at >= now)
        .order_by(Task.due_at, Task.id)
        .limit(limit)
    )
    if after:
        query = query.where(tuple_(Task.due_at, Task.id) > tuple_(after.due_at, after.id))
    return _read(session, query)


def _sorted(
    session: Session, filters: Filters, now: datetime, sort: Sort, limit: int, after: Task | None
) -> list[WorkItem]:
    columns = (_column(sort.column), Task.id)
    query = _items().where(*_open(filters, now)).limit(limit)
    if after:
        place, last = tuple_(*columns), tuple_(_value(session, after, sort.column), after.id)
        query = query.where(place < last if sort.descending else place > last)
    return _read(session, query.order_by(*(one.desc() if sort.descending else one.asc() for one in columns)))


def _value(session: Session, task: Task, column: Column) -> datetime | str:
    """What a row is sorted by."""
    if column is Column.PATIENT:
        patient = session.get(Patient, task.patient_id) if task.patient_id else None
        return patient.family if patient else ""
    return task.due_at if column is Column.DUE else task.opened_at


def walk(session: Session, filters: Filters, now: datetime) -> list[tuple[UUID, UUID]]:
    """Task and case of the view's first rows, most urgent first: to act on a whole view, or go from case to case."""
    query = (
        select(Task.id, Task.case_id)
        .where(*_open(filters, now))
        .order_by((Task.due_at < now).desc(), Task.rank, Task.due_at, Task.id)
        .limit(LONGEST)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _items() -> Select[Task, Patient, str]:
    return (
        select(Task, Patient, Account.name)
        .outerjoin(Patient, Patient.id == Task.patient_id)
        .outerjoin(Account, Account.id == Task.owner)
    )


def _read(session: Session, query: Select[Task, Patient, str]) -> list[WorkItem]:
    return [WorkItem(row[0], row[1], row[2] or "") for row in session.execute(query)]


def _column(column: Column) -> ColumnElement[Any]:
    if column is Column.PATIENT:
        return func.coalesce(Patient.family, "")
    return (Task.due_at if column is Column.DUE else Task.opened_at).expression


def _open(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    awake = func.coalesce(Task.snoozed_until, now) <= now
    found = [Task.status == TaskStatus.OPEN, Task.snoozed_until > now if filters.snoozed else awake]
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


@dataclass(frozen=True)
class Moved:
    """A row that is shown and has changed since: who holds it now, or that it is done."""

    id: UUID
    open: bool
    owner: UUID | None
    owner_name: str


@dataclass(frozen=True)
class Changes:
    """What a page does not show yet: rows that are new in the view, rows that changed, and how."""

    new: int
    changed: int
    moved: tuple[Moved, ...]


def changes(session: Session, filters: Filters, now: datetime, since: datetime, shown: Mapping[UUID, int]) -> Changes:
    """Compares a page made at `since` with the store; `shown` are its rows with the versions it shows."""
    rows = session.execute(
        select(Task.id, Task.status, Task.owner, Account.name, Task.version)
        .outerjoin(Account, Account.id == Task.owner)
        .where(Task.id.in_(shown))
    )
    moved = tuple(
        Moved(row.id, row.status == TaskStatus.OPEN, row.owner, row.name or "")
        for row in rows
        if row.version > shown[row.id]
    )
    others = (*_open(filters, now), Task.recorded_at > since, Task.id.not_in(shown))
    new, elsewhere = session.execute(
        select(func.count().filter(Task.version == 1), func.count().filter(Task.version > 1))
        .select_from(Task)
        .where(*others)
    ).one()
    return Changes(new, elsewhere + len(moved), moved)


def due_count(session: Session, filters: Filters, now: datetime) -> int:
    """How many tasks a view holds, counted up to 1000: for a number beside a place."""
    held = select(Task.id).where(*_open(filters, now)).limit(LONGEST).subquery()
    return session.scalar(select(func.count()).select_from(held)) or 0
