"""The list of all referrals: filtered, sorted, by keyset."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from activities.records.process import Process
from activities.records.queries.case_lines import DUE, OWN_PROCESS, OWN_TASK, CaseLine, read_lines, select_lines
from activities.records.service_request import ServiceRequest
from activities.records.task import Task

NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # sorts what has no deadline behind everything that has one


class Column(StrEnum):
    DUE = "due"
    NUMBER = "number"
    SINCE = "since"
    OPENED = "opened"


@dataclass(frozen=True)
class Filters:
    """Values within a filter are alternatives; the filters narrow each other. Empty: no limit.

    `open` None shows ended referrals too. `opened_before` is how an age is asked for.
    """

    open: bool | None = True
    stages: tuple[str, ...] = ()
    partners: tuple[UUID, ...] = ()
    priorities: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    opened_before: datetime | None = None
    late_at: datetime | None = None


@dataclass(frozen=True)
class Sort:
    column: Column = Column.DUE
    descending: bool = False


def page(session: Session, filters: Filters, sort: Sort, limit: int, after: UUID | None = None) -> list[CaseLine]:
    """Up to `limit` referrals behind the one a page ended with."""
    columns = (_column(sort.column), ServiceRequest.id)
    query = select_lines().where(*_meant(filters)).limit(limit)
    last = session.execute(_last(sort.column, after)).one_or_none() if after else None
    if last:
        place, end = tuple_(*columns), tuple_(last[0], after)
        query = query.where(place < end if sort.descending else place > end)
    return read_lines(session, query.order_by(*(one.desc() if sort.descending else one.asc() for one in columns)))


def _last(column: Column, case_id: UUID) -> Select[Any]:
    """What the last row of a page was sorted by."""
    query = select(_column(column)).select_from(ServiceRequest).join(Process, OWN_PROCESS).outerjoin(Task, OWN_TASK)
    return query.where(ServiceRequest.id == case_id)


@dataclass(frozen=True)
class Counts:
    total: int
    late: int


def count(session: Session, filters: Filters, now: datetime) -> Counts:
    """How many referrals, and how many of them are past their deadline."""
    total, late = session.execute(
        select(func.count(), func.count().filter(now > DUE))
        .select_from(ServiceRequest)
        .join(Process, OWN_PROCESS)
        .outerjoin(Task, OWN_TASK)
        .where(*_meant(filters))
    ).one()
    return Counts(total, late)


def _column(column: Column) -> ColumnElement[Any]:
    columns: dict[Column, ColumnElement[Any]] = {
        Column.DUE: func.coalesce(DUE, NEVER),
        Column.NUMBER: ServiceRequest.number.expression,
        Column.SINCE: ServiceRequest.stage_since.expression,
        Column.OPENED: ServiceRequest.opened_at.expression,
    }
    return columns[column]


def _meant(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.open is not None:
        closed = ServiceRequest.closed_at.is_(None)
        found.append(closed if filters.open else ~closed)
    for column, values in (
        (ServiceRequest.stage, filters.stages),
        (ServiceRequest.performer_id, filters.partners),
        (ServiceRequest.priority, filters.priorities),
        (ServiceRequest.site, filters.sites),
    ):
        if values:
            found.append(column.in_(values))
    if filters.opened_before:
        found.append(ServiceRequest.opened_at < filters.opened_before)
    if filters.late_at:
        found.append(filters.late_at > DUE)
    return found
