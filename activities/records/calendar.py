"""The days on which a site is closed, and its whole calendar as a value."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned, new_id
from activities.records.location import Location
from activities.records.tenant import Tenant
from rules.calendar import Calendar


class ClosedDay(Versioned, Base):
    """A day on which one site is closed, or without `location_id` the whole clinic; `source` says who told us."""

    __tablename__ = "calendar_closed_day"
    location_id: Mapped[UUID | None] = mapped_column(default=None)
    day: Mapped[date]
    name: Mapped[str]
    source: Mapped[str]


def calendar_of(session: Session, tenant: str, site: str) -> Calendar:
    """The calendar of a site; where the site is not known, weekdays 8 to 17 in the clinic's own zone."""
    location = session.scalar(select(Location).where(Location.site == site)) if site else None
    closed = frozenset(
        session.scalars(
            select(ClosedDay.day).where(
                or_(ClosedDay.location_id.is_(None), ClosedDay.location_id == (location.id if location else None))
            )
        )
    )
    if location is None:
        return Calendar(session.get_one(Tenant, tenant).zone, closed=closed)
    return Calendar(location.zone, location.opens, location.closes, frozenset(location.weekdays), closed)


def close_days(
    session: Session, tenant: str, location_id: UUID | None, days: Mapping[date, str], source: str
) -> list[date]:
    """Marks days as closed; one that is marked already keeps its name and source. Gives the new ones."""
    if not days:
        return []
    rows = [
        {"id": new_id(), "tenant": tenant, "location_id": location_id, "day": day, "name": name, "source": source}
        for day, name in sorted(days.items())
    ]
    made = insert(ClosedDay).values(rows).on_conflict_do_nothing().returning(ClosedDay.day)
    return sorted(session.scalars(made))
