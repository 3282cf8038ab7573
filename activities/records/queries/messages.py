"""The message log: filtered by interface and standing, newest first, by keyset."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from activities.records.interface import Interface
from activities.records.message_log import MessageLog
from activities.records.organization import Organization
from activities.records.service_request import ServiceRequest


@dataclass(frozen=True)
class Filters:
    """Empty: no limit."""

    partner: UUID | None = None
    direction: str = ""
    states: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class MessageLine:
    """A message without its content; `number` is that of its referral."""

    message: MessageLog
    partner: str
    number: str


_PARTNER = func.coalesce(Interface.organization_id, MessageLog.interface_id)


def page(session: Session, filters: Filters, limit: int, after: UUID | None = None) -> list[MessageLine]:
    """Up to `limit` messages, newest first, behind the one a page ended with."""
    query = _lines().where(*_meant(filters)).order_by(MessageLog.received_at.desc(), MessageLog.seq.desc()).limit(limit)
    last = session.get(MessageLog, after) if after else None
    if last:
        query = query.where(tuple_(MessageLog.received_at, MessageLog.seq) < tuple_(last.received_at, last.seq))
    return [MessageLine(row[0], row[1] or "", row[2] or "") for row in session.execute(query)]


def message(session: Session, message_id: UUID) -> MessageLine | None:
    """One message; None when this clinic has none of this id."""
    row = session.execute(_lines().where(MessageLog.id == message_id)).one_or_none()
    return MessageLine(row[0], row[1] or "", row[2] or "") if row else None


def count(session: Session, filters: Filters) -> int:
    """How many messages a filter leaves."""
    query = select(func.count()).select_from(MessageLog).outerjoin(Interface, Interface.id == MessageLog.interface_id)
    return session.scalar(query.where(*_meant(filters))) or 0


def _lines() -> Select[MessageLog, str, str]:
    return (
        select(MessageLog, Organization.name, ServiceRequest.number)
        .outerjoin(Interface, Interface.id == MessageLog.interface_id)
        .outerjoin(Organization, Organization.id == _PARTNER)
        .outerjoin(ServiceRequest, ServiceRequest.id == MessageLog.case_id)
    )


def _meant(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.partner:
        found.append(_PARTNER.in_([filters.partner]))
    if filters.direction:
        found.append(MessageLog.direction == filters.direction)
    if filters.states:
        found.append(MessageLog.state.in_(filters.states))
    if filters.since:
        found.append(MessageLog.received_at >= filters.since)
    return found
