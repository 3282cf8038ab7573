"""Business time as arithmetic over a `Calendar` value: when a clock that starts now runs out.

Elapsed hours run through nights; business hours and days only while the site is open; a due time of one of
our people that falls on a closed hour moves to the next opening. Instants go in and come out in UTC.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Unit(StrEnum):
    HOURS = "h"
    BUSINESS_HOURS = "BH"
    BUSINESS_DAYS = "BD"
    DAYS = "d"


@dataclass(frozen=True)
class Clock:
    """A span as people state it: 4 h, 1 BD, 30 d."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"


@dataclass(frozen=True)
class Calendar:
    """When a site is open, in its own zone: the same hours each open weekday (Monday is 0), and closed days.

    Raises `ValueError` when it does not close after it opens, or is open on no weekday.
    """

    zone: str
    opens: time = time(8)
    closes: time = time(17)
    weekdays: frozenset[int] = frozenset(range(5))
    closed: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.closes <= self.opens:
            raise ValueError(f"a site that opens at {self.opens} must close later that day, not at {self.closes}")
        if not self.weekdays & frozenset(range(7)):
            raise ValueError("a site is open on at least one weekday; Monday is 0")

    def is_open_on(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in self.closed


MAX_DAYS = 3660


def due(calendar: Calendar, start: datetime, clock: Clock, person: bool = True) -> datetime:
    """The instant a clock started at `start` runs out; for a person's task never while the site is closed."""
    zone = ZoneInfo(calendar.zone)
    local = start.astimezone(zone)
    match clock.unit:
        case Unit.HOURS:
            end = start.astimezone(UTC) + timedelta(hours=clock.amount)
        case Unit.DAYS:
            end = _at(local.date() + timedelta(days=clock.amount), local.time(), zone)
        case Unit.BUSINESS_DAYS:
            end = _business_days(calendar, local, clock.amount, zone)
        case Unit.BUSINESS_HOURS:
            return _business_hours(calendar, local, clock.amount, zone)
    return next_opening(calendar, end) if person else end.astimezone(UTC)


def next_opening(calendar: Calendar, instant: datetime) -> datetime:
    """The instant itself while the site is open (the moment it closes included), else its next opening."""
    zone = ZoneInfo(calendar.zone)
    local = instant.astimezone(zone)
    if calendar.is_open_on(local.date()):
        if local.time() < calendar.opens:
            return _at(local.date(), calendar.opens, zone)
        if local.time() <= calendar.closes:
            return instant.astimezone(UTC)
    return _at(_next_open_day(calendar, local.date()), calendar.opens, zone)


def _business_days(calendar: Calendar, local: datetime, amount: int, zone: ZoneInfo) -> datetime:
    """The same time of day `amount` open days later.

    Begun before opening, it counts from the opening; begun after closing or on a closed day, it ends at closing.
    """
    day = local.date()
    clock = min(max(local.time(), calendar.opens), calendar.closes) if calendar.is_open_on(day) else calendar.closes
    for _ in range(amount):
        day = _next_open_day(calendar, day)
    return _at(day, clock, zone)


def _business_hours(calendar: Calendar, local: datetime, amount: int, zone: ZoneInfo) -> datetime:
    left = timedelta(hours=amount)
    at = next_opening(calendar, local)
    while True:
        day = at.astimezone(zone).date()
        closing = _at(day, calendar.closes, zone)
        if at + left <= closing:
            return at + left
        left -= closing - at
        at = _at(_next_open_day(calendar, day), calendar.opens, zone)


def _next_open_day(calendar: Calendar, day: date) -> date:
    for ahead in range(1, MAX_DAYS):
        later = day + timedelta(days=ahead)
        if calendar.is_open_on(later):
            return later
    raise ValueError(f"the calendar of {calendar.zone} has no open day in ten years")


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant.

    One that a spring change skips becomes the moment after the gap; of one that comes twice in autumn it is the first.
    """
    wall = datetime.combine(day, clock.replace(fold=0), tzinfo=zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    return _after_gap(wall.replace(fold=1).astimezone(UTC), instant, zone)


def _after_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second of the new offset, between an instant before the change and one after it."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
