"""The days on which a site is closed, and its whole calendar as a value."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned, new_id
from activities.records.location import Location
from activities.records.tenant import Tenant
from rules.calendar import Calendar

CALENDARS = "calendars"


class ClosedDay(Versioned, Base):
    """A day on which one site is closed, or without `location_id` the whole clinic; `source` says who told us."""

    __tablename__ = "calendar_closed_day"
    location_id: Mapped[UUID | None] = mapped_column(default=None)
    day: Mapped[date]
    name: Mapped[str]
    source: Mapped[str]


WHOLE_CLINIC = ClosedDay.location_id.is_(None)
CLOSED = select(func.array_agg(ClosedDay.day)).where(or_(WHOLE_CLINIC, ClosedDay.location_id == Location.id))
HERE = select(
    Location.zone, Location.opens, Location.closes, Location.weekdays, CLOSED.scalar_subquery().label("closed")
).where(Location.site == bindparam("site"))


def calendar_of(session: Session, tenant: str, site: str) -> Calendar:
    """The calendar of a site; where the site is not known, weekdays 8 to 17 in the clinic's own zone.

    Read once a transaction, however often it is asked for.
    """
    known: dict[str, Calendar] = session.info.setdefault(CALENDARS, {})
    if site not in known:
        known[site] = _read(session, tenant, site)
    return known[site]


def _read(session: Session, tenant: str, site: str) -> Calendar:
    row = session.execute(HERE, {"site": site}).one_or_none()
    if row is None:
        closed = session.scalars(select(ClosedDay.day).where(WHOLE_CLINIC))
        return Calendar(session.get_one(Tenant, tenant).zone, closed=frozenset(closed))
    return Calendar(row.zone, row.opens, row.closes, frozenset(row.weekdays), frozenset(row.closed or ()))


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
    session.info.pop(CALENDARS, None)
    made = insert(ClosedDay).values(rows).on_conflict_do_nothing().returning(ClosedDay.day)
    return sorted(session.scalars(made))
