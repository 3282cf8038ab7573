"""Business time: across nights, weekends, closed days, zones and both changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import Calendar, Clock, Unit, due, next_opening

BOISE = Calendar("America/Boise")
THANKSGIVING = date(2026, 11, 26)
ZONES = (
    "America/Boise",
    "America/New_York",
    "America/Phoenix",
    "America/St_Johns",
    "America/Santiago",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "UTC",
)


def boise(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo("America/Boise"))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    return Calendar(
        zone=draw(st.sampled_from(ZONES)),
        opens=time(draw(st.integers(5, 11)), draw(st.sampled_from((0, 30)))),
        closes=time(draw(st.integers(12, 22)), draw(st.sampled_from((0, 15)))),
        weekdays=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        closed=draw(st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=40)),
    )


START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=730)).map(lambda later: START + later)
CLOCKS = st.builds(Clock, st.integers(1, 40), st.sampled_from(Unit))


def open_now(calendar: Calendar, instant: datetime) -> bool:
    local = instant.astimezone(ZoneInfo(calendar.zone))
    return calendar.is_open_on(local.date()) and calendar.opens <= local.time() <= calendar.closes


@given(calendars(), INSTANTS, CLOCKS)
def test_a_persons_due_time_never_falls_on_a_closed_hour(calendar: Calendar, start: datetime, clock: Clock) -> None:
    assert open_now(calendar, due(calendar, start, clock))


@given(calendars(), INSTANTS, CLOCKS, st.booleans())
def test_a_clock_runs_out_after_it_started_and_its_end_is_in_utc(
    calendar: Calendar, start: datetime, clock: Clock, person: bool
) -> None:
    end = due(calendar, start, clock, person)
    assert end > start
    assert end.tzinfo is UTC


@given(calendars(), INSTANTS, st.timedeltas(timedelta(0), timedelta(days=9)), CLOCKS)
def test_what_starts_later_is_never_due_earlier(
    calendar: Calendar, start: datetime, later: timedelta, clock: Clock
) -> None:
    assert due(calendar, start + later, clock) >= due(calendar, start, clock)


@given(calendars(), INSTANTS, st.timedeltas(timedelta(0), timedelta(days=9)), CLOCKS)
def test_a_partners_wait_that_starts_later_never_ends_earlier_outside_the_hour_that_comes_twice(
    calendar: Calendar, start: datetime, later: timedelta, clock: Clock
) -> None:
    if (start + later).astimezone(ZoneInfo(calendar.zone)).fold:
        later += timedelta(hours=2)
    assert due(calendar, start + later, clock, person=False) >= due(calendar, start, clock, person=False)


@given(calendars(), INSTANTS, CLOCKS, st.integers(1, 5))
def test_a_longer_clock_is_never_due_earlier(calendar: Calendar, start: datetime, clock: Clock, more: int) -> None:
    longer = Clock(clock.amount + more, clock.unit)
    assert due(calendar, start, longer) >= due(calendar, start, clock)


@given(calendars(), INSTANTS)
def test_the_next_opening_is_open_and_comes_after_closed_time_only(calendar: Calendar, instant: datetime) -> None:
    opening = next_opening(calendar, instant)
    assert open_now(calendar, opening)
    assert (opening == instant) == open_now(calendar, instant)
    between = instant + (opening - instant) / 2
    assert opening == instant or not open_now(calendar, between)


@given(calendars(), INSTANTS, st.integers(1, 60))
@settings(max_examples=50)
def test_business_hours_are_the_open_time_between_start_and_end(
    calendar: Calendar, start: datetime, amount: int
) -> None:
    start = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    end = due(calendar, start, Clock(amount, Unit.BUSINESS_HOURS))
    assert counted_open_time(calendar, start, end) == timedelta(hours=amount)


def counted_open_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """By asking every quarter of an hour, the way a person would count on a calendar of paper."""
    quarter, total, at = timedelta(minutes=15), timedelta(0), start
    while at < end:
        total += quarter if open_now(calendar, at) and open_now(calendar, at + quarter) else timedelta(0)
        at += quarter
    return total


@given(st.sampled_from(ZONES), INSTANTS, st.integers(1, 200))
def test_elapsed_hours_are_the_same_in_every_zone(zone: str, start: datetime, amount: int) -> None:
    end = due(Calendar(zone), start.astimezone(ZoneInfo(zone)), Clock(amount, Unit.HOURS), person=False)
    assert end - start == timedelta(hours=amount)


@given(calendars(), INSTANTS, st.integers(1, 200))
def test_calendar_days_keep_the_time_of_day_unless_the_clocks_skip_it(
    calendar: Calendar, start: datetime, amount: int
) -> None:
    zone = ZoneInfo(calendar.zone)
    local = start.astimezone(zone)
    end = due(calendar, start, Clock(amount, Unit.DAYS), person=False).astimezone(zone)
    assert end.date() == local.date() + timedelta(days=amount)
    skipped = datetime.combine(end.date(), local.time(), zone).astimezone(UTC).astimezone(zone).time() != local.time()
    assert (end.time() == local.time()) != skipped
    assert end.time() >= local.time()


@pytest.mark.parametrize(
    ("start", "clock", "end"),
    [
        pytest.param("2026-11-20 13:00", "8 BH", "2026-11-23 12:00", id="eight hours over a weekend"),
        pytest.param("2026-11-20 09:00", "8 BH", "2026-11-20 17:00", id="eight hours end as the site closes"),
        pytest.param("2026-11-20 09:01", "8 BH", "2026-11-23 08:01", id="one minute too many goes to Monday"),
        pytest.param("2026-11-21 11:00", "8 BH", "2026-11-23 16:00", id="begun on Saturday, counted from Monday"),
        pytest.param("2026-11-25 16:00", "2 BH", "2026-11-27 09:00", id="over Thanksgiving"),
        pytest.param("2026-11-20 14:30", "1 BD", "2026-11-23 14:30", id="a business day over a weekend"),
        pytest.param("2026-11-25 14:30", "1 BD", "2026-11-27 14:30", id="a business day over Thanksgiving"),
        pytest.param("2026-11-20 18:30", "1 BD", "2026-11-23 17:00", id="after closing: Monday at closing"),
        pytest.param("2026-11-21 06:00", "1 BD", "2026-11-23 17:00", id="on Saturday: Monday at closing"),
        pytest.param("2026-11-23 06:00", "1 BD", "2026-11-24 08:00", id="before opening: the next day's opening"),
        pytest.param("2026-11-20 15:00", "4 h", "2026-11-23 08:00", id="elapsed hours past closing: next opening"),
        pytest.param("2026-11-20 12:00", "4 h", "2026-11-20 16:00", id="elapsed hours of one afternoon"),
        pytest.param("2026-11-19 12:00", "7 d", "2026-11-27 08:00", id="days that end on a closed day"),
        pytest.param("2026-11-16 12:00", "7 d", "2026-11-23 12:00", id="seven days"),
        pytest.param("2026-03-06 16:00", "2 BH", "2026-03-09 09:00", id="hours over the spring change"),
        pytest.param("2026-03-07 10:00", "3 d", "2026-03-10 10:00", id="days over the spring change keep the hour"),
        pytest.param("2026-10-30 16:00", "2 BH", "2026-11-02 09:00", id="hours over the autumn change"),
        pytest.param("2026-10-31 10:00", "3 d", "2026-11-03 10:00", id="days over the autumn change keep the hour"),
    ],
)
def test_clocks_as_people_at_larkmoor_count_them(start: str, clock: str, end: str) -> None:
    amount, unit = clock.split()
    calendar = Calendar("America/Boise", closed=frozenset({THANKSGIVING}))
    assert due(calendar, boise(start), Clock(int(amount), Unit(unit))) == boise(end)


def test_a_night_that_loses_an_hour_still_has_twenty_four_elapsed_ones() -> None:
    start = boise("2026-03-07 12:00")
    assert due(BOISE, start, Clock(24, Unit.HOURS), person=False) == boise("2026-03-08 13:00")


def test_a_night_that_gains_an_hour_still_has_twenty_four_elapsed_ones() -> None:
    start = boise("2026-10-31 12:00")
    assert due(BOISE, start, Clock(24, Unit.HOURS), person=False) == boise("2026-11-01 11:00")


def test_a_time_the_clocks_skip_becomes_the_moment_after_the_gap() -> None:
    end = due(BOISE, boise("2026-03-07 02:30"), Clock(1, Unit.DAYS), person=False)
    assert end == boise("2026-03-08 03:00")


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    end = due(BOISE, boise("2026-10-31 01:30"), Clock(1, Unit.DAYS), person=False)
    assert end == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_the_second_of_two_equal_hours_does_not_reach_back_before_a_gap() -> None:
    """In Berlin the hour that comes twice in autumn is the one that is skipped in spring."""
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)
    end = due(Calendar("Europe/Berlin"), start, Clock(154, Unit.DAYS), person=False)
    assert end.astimezone(berlin) == datetime(2027, 3, 28, 3, 0, tzinfo=berlin)


def test_two_sites_in_two_zones_open_at_their_own_eight_o_clock() -> None:
    night = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert next_opening(BOISE, night) == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    assert next_opening(Calendar("America/Los_Angeles"), night) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"opens": time(17), "closes": time(8)}, "close"),
        ({"opens": time(8), "closes": time(8)}, "close"),
        ({"weekdays": frozenset()}, "weekday"),
        ({"weekdays": frozenset({7})}, "weekday"),
    ],
)
def test_a_site_that_is_never_open_is_refused(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Calendar("America/Boise", **wrong)  # type: ignore[arg-type]


def test_a_calendar_closed_for_ten_years_says_so() -> None:
    first = date(2026, 1, 1)
    calendar = Calendar("America/Boise", closed=frozenset(first + timedelta(days=n) for n in range(4000)))
    with pytest.raises(ValueError, match="no open day in ten years"):
        due(calendar, boise("2026-01-02 10:00"), Clock(1, Unit.BUSINESS_DAYS))
