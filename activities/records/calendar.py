"""The days on which a site is closed, and its whole calendar as a value."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
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
    whole_clinic = ClosedDay.location_id.is_(None)
    here = select(func.array_agg(ClosedDay.day)).where(or_(whole_clinic, ClosedDay.location_id == Location.id))
    row = session.execute(select(Location, here.scalar_subquery()).where(Location.site == site)).one_or_none()
    if row is None:
        closed = session.scalars(select(ClosedDay.day).where(whole_clinic))
        return Calendar(session.get_one(Tenant, tenant).zone, closed=frozenset(closed))
    site_of, days = row
    return Calendar(site_of.zone, site_of.opens, site_of.closes, frozenset(site_of.weekdays), frozenset(days or ()))


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
