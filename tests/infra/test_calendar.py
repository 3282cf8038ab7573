"""Public holidays become closed days of each site."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from activities.records.calendar import ClosedDay, calendar_of, close_days
from infra.bootstrap import Parts
from infra.cli.calendar import import_holidays
from tests import make

THANKSGIVING, DAY_AFTER = date(2026, 11, 26), date(2026, 11, 27)


def closed(parts: Parts, site: str) -> frozenset[date]:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return calendar_of(session, "larkmoor", site).closed


def sites(parts: Parts) -> UUID:
    make.clinics(parts)
    make.location(parts, "spokane", "America/Los_Angeles", state="WA")
    return make.location(parts, "boise", "America/Boise", state="ID")


def test_each_site_closes_on_the_holidays_of_its_own_state(parts: Parts) -> None:
    sites(parts)
    import_holidays(parts, make.LARKMOOR, [2026, 2027])
    assert {THANKSGIVING, DAY_AFTER} <= closed(parts, "spokane")
    assert THANKSGIVING in closed(parts, "boise")
    assert DAY_AFTER not in closed(parts, "boise")
    assert date(2027, 7, 5) in closed(parts, "boise")


def test_importing_again_adds_nothing(parts: Parts) -> None:
    sites(parts)
    import_holidays(parts, make.LARKMOOR, [2026])
    assert import_holidays(parts, make.LARKMOOR, [2026]) == {"boise": [], "spokane": []}


def test_a_day_closed_by_hand_keeps_its_name_and_source(parts: Parts) -> None:
    boise = sites(parts)
    with parts.sessions.begin(make.LARKMOOR) as session:
        close_days(session, "larkmoor", boise, {THANKSGIVING: "Turkey run"}, "by hand")
    import_holidays(parts, make.LARKMOOR, [2026])
    with parts.sessions.begin(make.LARKMOOR) as session:
        day = session.scalars(
            select(ClosedDay).where(ClosedDay.location_id == boise, ClosedDay.day == THANKSGIVING)
        ).one()
    assert (day.name, day.source) == ("Turkey run", "by hand")


def test_the_source_of_an_imported_day_is_named(parts: Parts) -> None:
    boise = sites(parts)
    import_holidays(parts, make.LARKMOOR, [2026])
    with parts.sessions.begin(make.LARKMOOR) as session:
        sources = set(session.scalars(select(ClosedDay.source).where(ClosedDay.location_id == boise)))
    assert all(source.startswith("holidays ") and source.endswith(" US ID") for source in sources)
