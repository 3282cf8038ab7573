"""The partner directory: who is in it, how soon they answer and report, and what is open with them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Subquery, cast, extract, func, select
from sqlalchemy.orm import Session

from activities.records.case_event import CaseEvent
from activities.records.organization import Organization
from activities.records.process import Process
from activities.records.queries.case_lines import DUE, OWN_PROCESS, OWN_TASK, CaseLine, read_lines, select_lines
from activities.records.service_request import ServiceRequest
from activities.records.task import Task
from rules.referral.vocabulary import ACCEPTED, WITH_PARTNER, Direction, Stage, Step

MEASURED = timedelta(days=365)
SENDS = (Step.SENDING, Step.NEW_RECIPIENT)
ANSWERS = (Step.ACCEPTANCE, Step.DECLINE, Step.REDIRECTION, Step.ADVICE, Step.INFORMATION_REQUEST, Step.APPOINTMENT)
CALLED = (Step.CALL, Step.CHASE)
ASKED = tuple(WITH_PARTNER | ACCEPTED | {Stage.SEEN, Stage.CANCEL_REQUESTED} - {Stage.AWAITING_INFO})


@dataclass(frozen=True)
class Measures:
    """Median days over the last year, None without a case: from sending to an answer, from the visit to the report."""

    answer: float | None = None
    answered: int = 0
    report: float | None = None
    reported: int = 0


@dataclass(frozen=True)
class Entry:
    """`late` are past their deadline, `reports` of them miss a report."""

    partner: Organization
    open: int
    late: int
    reports: int
    measures: Measures


def directory(session: Session, now: datetime) -> list[Entry]:
    """Every partner by name."""
    partners = session.scalars(select(Organization).where(Organization.partner.is_(True)).order_by(Organization.name))
    loads, measured = _loads(session, now), measures(session, now)
    return [Entry(one, *loads.get(one.id, (0, 0, 0)), measured.get(one.id, Measures())) for one in partners]


def entry(session: Session, partner_id: UUID, now: datetime) -> Entry | None:
    """One of them; None when this clinic knows no such partner."""
    row = session.get(Organization, partner_id)
    if row is None or not row.partner:
        return None
    load = _loads(session, now, partner_id).get(partner_id, (0, 0, 0))
    return Entry(row, *load, measures(session, now, partner_id).get(partner_id, Measures()))


def _loads(session: Session, now: datetime, partner_id: UUID | None = None) -> dict[UUID, tuple[int, int, int]]:
    late = now > DUE
    query = (
        select(
            ServiceRequest.performer_id,
            func.count(),
            func.count().filter(late),
            func.count().filter(late, ServiceRequest.stage == Stage.SEEN),
        )
        .join(Process, OWN_PROCESS)
        .outerjoin(Task, OWN_TASK)
        .where(*_of_partner(partner_id), ServiceRequest.closed_at.is_(None))
        .group_by(ServiceRequest.performer_id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in session.execute(query)}


def measures(session: Session, now: datetime, partner_id: UUID | None = None) -> dict[UUID, Measures]:
    """Measured from what happened, for one partner or all."""
    answers = _medians(session, partner_id, _last(SENDS, now), ANSWERS)
    reports = _medians(session, partner_id, _last((Step.VISIT,), now), (Step.REPORT, Step.NO_REPORT))
    nothing = (None, 0)
    return {one: Measures(*answers.get(one, nothing), *reports.get(one, nothing)) for one in answers | reports}


def _last(steps: tuple[Step, ...], now: datetime) -> Subquery:
    """When a case last took one of these steps; a visit counts from when it was, not from when we heard of it."""
    told = cast(CaseEvent.facts["at"].astext, DateTime(timezone=True))
    at: ColumnElement[Any] = func.max(func.coalesce(told, CaseEvent.at) if Step.VISIT in steps else CaseEvent.at)
    return (
        select(CaseEvent.case_id, at.label("at"))
        .where(CaseEvent.step.in_(steps), CaseEvent.at >= now - MEASURED)
        .group_by(CaseEvent.case_id)
        .subquery()
    )


def _medians(
    session: Session, partner_id: UUID | None, begun: Subquery, ends: tuple[Step, ...]
) -> dict[UUID, tuple[float | None, int]]:
    spans = (
        select(begun.c.case_id, (func.min(CaseEvent.at) - begun.c.at).label("span"))
        .join(CaseEvent, (CaseEvent.case_id == begun.c.case_id) & (CaseEvent.at >= begun.c.at))
        .where(CaseEvent.step.in_(ends))
        .group_by(begun.c.case_id, begun.c.at)
        .subquery()
    )
    days = extract("epoch", spans.c.span) / 86400
    query: Select[Any] = (
        select(ServiceRequest.performer_id, func.percentile_cont(0.5).within_group(days), func.count())
        .join(spans, spans.c.case_id == ServiceRequest.id)
        .where(*_of_partner(partner_id))
        .group_by(ServiceRequest.performer_id)
    )
    return {row[0]: (float(row[1]), row[2]) for row in session.execute(query)}


def _of_partner(partner_id: UUID | None) -> list[ColumnElement[bool]]:
    ours = [ServiceRequest.direction == Direction.OUT]
    return [*ours, ServiceRequest.performer_id == partner_id] if partner_id else ours


def open_lines(session: Session, partner_id: UUID) -> list[CaseLine]:
    """The open referrals with a partner, the one due first on top."""
    query = select_lines().where(*_of_partner(partner_id), ServiceRequest.closed_at.is_(None))
    return read_lines(session, query.order_by(DUE, ServiceRequest.id))


@dataclass(frozen=True)
class Call:
    """A referral to be asked about; `called` is when somebody last did, `calls` how often."""

    line: CaseLine
    called: datetime | None
    calls: int


def call_sheet(session: Session, partner_id: UUID) -> list[Call]:
    """What one call to a partner's office can settle: referrals that wait for the partner, the latest first."""
    lines = [one for one in open_lines(session, partner_id) if one.request.stage in ASKED]
    rows = session.execute(
        select(CaseEvent.case_id, func.max(CaseEvent.at), func.count())
        .where(CaseEvent.case_id.in_([one.request.id for one in lines]), CaseEvent.step.in_(CALLED))
        .group_by(CaseEvent.case_id)
    )
    called = {row[0]: (row[1], row[2]) for row in rows}
    return [Call(one, *called.get(one.request.id, (None, 0))) for one in lines]
