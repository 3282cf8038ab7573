"""Deadlines at a site's own hours: zones, closed days, spring and autumn, and a clinic's own table."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from activities.deadline import Deadlines, Due
from activities.records.calendar import close_days
from activities.tables.engine import Tables
from infra.bootstrap import Parts
from rules.referral.vocabulary import Priority, Progress, Stage
from rules.referral.waits import MAX_RUNGS, waiting
from tests import make
from tests.activities.tables.test_own import put_in_force

BOISE, PACIFIC = ZoneInfo("America/Boise"), ZoneInfo("America/Los_Angeles")


@pytest.fixture
def store(parts: Parts) -> Parts:
    make.clinics(parts)
    make.location(parts, "boise", "America/Boise", state="ID")
    make.location(parts, "coeur_dalene", "America/Los_Angeles", state="ID")
    return parts


def due(parts: Parts, site: str, progress: Progress, at: datetime = make.NOW) -> Due:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return Deadlines(Tables()).due(session, "larkmoor", site, waiting(progress), progress, at)


def drafted(since: datetime, priority: Priority = Priority.URGENT) -> Progress:
    """A draft: one business day when urgent, four hours when STAT."""
    return Progress(stage=Stage.DRAFT, priority=priority, since=since)


def test_two_sites_of_one_clinic_open_in_their_own_zones(store: Parts) -> None:
    late = datetime(2026, 11, 24, 3, 30, tzinfo=BOISE)
    assert due(store, "boise", drafted(late, Priority.STAT)).at == datetime(2026, 11, 24, 8, 0, tzinfo=BOISE)
    assert due(store, "coeur_dalene", drafted(late, Priority.STAT)).at == datetime(2026, 11, 24, 8, 0, tzinfo=PACIFIC)


def test_a_closed_day_moves_a_persons_deadline_at_that_site_only(store: Parts) -> None:
    with store.sessions.begin(make.LARKMOOR) as session:
        boise = make.location(store, "meridian", "America/Boise")
        close_days(session, "larkmoor", boise, {date(2026, 11, 24): "Moving day"}, "by hand")
    monday = datetime(2026, 11, 23, 10, 0, tzinfo=BOISE)
    assert due(store, "boise", drafted(monday)).at == datetime(2026, 11, 24, 10, 0, tzinfo=BOISE)
    assert due(store, "meridian", drafted(monday)).at == datetime(2026, 11, 25, 10, 0, tzinfo=BOISE)


def test_a_day_closed_for_the_whole_clinic_holds_at_every_site(store: Parts) -> None:
    with store.sessions.begin(make.LARKMOOR) as session:
        close_days(session, "larkmoor", None, {date(2026, 11, 26): "Thanksgiving Day"}, "by hand")
    wednesday = datetime(2026, 11, 25, 9, 0, tzinfo=BOISE)
    for site, zone in (("boise", BOISE), ("coeur_dalene", PACIFIC), ("", BOISE)):
        found = due(store, site, drafted(wednesday)).at
        assert found is not None
        assert found.astimezone(zone).date() == date(2026, 11, 27)


def test_another_clinics_closed_days_are_not_ours(store: Parts) -> None:
    with store.sessions.begin(make.HERONFIELD) as session:
        close_days(session, "heronfield", None, {date(2026, 11, 24): "Their day"}, "by hand")
    monday = datetime(2026, 11, 23, 10, 0, tzinfo=BOISE)
    assert due(store, "boise", drafted(monday)).at == datetime(2026, 11, 24, 10, 0, tzinfo=BOISE)


@pytest.mark.parametrize(
    ("friday", "monday"),
    [(date(2026, 10, 30), date(2026, 11, 2)), (date(2027, 3, 12), date(2027, 3, 15))],
    ids=["autumn", "spring"],
)
def test_a_business_day_keeps_its_time_of_day_over_a_change_of_the_clocks(
    store: Parts, friday: date, monday: date
) -> None:
    start = datetime.combine(friday, time(10, 20), BOISE)
    assert due(store, "boise", drafted(start)).at == datetime.combine(monday, time(10, 20), BOISE)


def test_elapsed_hours_run_through_a_change_of_the_clocks(store: Parts) -> None:
    sent = Progress(
        stage=Stage.SENT, priority=Priority.URGENT, called=True, since=datetime(2026, 11, 1, 0, 30, tzinfo=BOISE)
    )
    assert due(store, "boise", sent).at == datetime(2026, 11, 1, 3, 30, tzinfo=BOISE)


def test_an_unknown_site_has_the_clinics_own_zone(store: Parts) -> None:
    monday = datetime(2026, 11, 23, 10, 0, tzinfo=BOISE)
    assert due(store, "nowhere", drafted(monday)).at == datetime(2026, 11, 24, 10, 0, tzinfo=BOISE)


def test_a_clinics_own_clock_holds_from_its_day_and_is_named_with_its_hash(store: Parts) -> None:
    sent = Progress(stage=Stage.SENT, priority=Priority.STAT, since=make.NOW, called=True)
    shipped = due(store, "boise", sent)
    put_in_force(store, 3, make.NOW)
    own = due(store, "boise", sent)
    assert (shipped.at, shipped.version) == (make.NOW.replace(hour=16), 1)
    assert (own.at, own.version) == (make.NOW.replace(hour=18), 2)
    assert own.hash != shipped.hash


def test_once_late_the_next_rung_is_counted_from_now_and_ends_with_the_ladder(store: Parts) -> None:
    draft = replace(drafted(datetime(2026, 11, 16, 10, 0, tzinfo=BOISE), Priority.ROUTINE), rung=1)
    now = datetime(2026, 11, 23, 9, 0, tzinfo=BOISE).astimezone(UTC)
    assert due(store, "boise", draft, now).at == datetime(2026, 11, 24, 9, 0, tzinfo=BOISE)
    assert due(store, "boise", replace(draft, rung=MAX_RUNGS), now).at is None
