"""The dates of the facts as instants: days counted from D0 in a site's own zone, minutes and hours before now."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.calendar import Calendar

_DAY = re.compile(r"D(?P<days>0|[+-]\d+) (?P<clock>\d\d:\d\d)")
_AGO = re.compile(r"-(?P<amount>\d+) (?P<unit>min|h)")
_MINUTES = {"min": 1, "h": 60}


class Unread(ValueError):
    """A date of the facts is in none of the forms `D-19 13:34`, `D0 07:41`, `-20 min` and `-3 h`."""


@dataclass(frozen=True)
class Dates:
    """`now` is the moment seeding ends; D0 is its day in `zone`. Instants come out in UTC."""

    now: datetime
    zone: ZoneInfo

    @property
    def day_zero(self) -> date:
        return self.now.astimezone(self.zone).date()

    def at(self, words: str) -> datetime:
        """The instant as it is stated, on whatever day of the week it falls."""
        if found := _AGO.fullmatch(words):
            ago = timedelta(minutes=int(found["amount"]) * _MINUTES[found["unit"]])
            return (self.now - ago).astimezone(UTC)
        found = _DAY.fullmatch(words)
        if found is None:
            raise Unread(f"{words!r} is no date: write `D-19 13:34`, `-20 min` or `-3 h`")
        day = self.day_zero + timedelta(days=int(found["days"]))
        return datetime.combine(day, time.fromisoformat(found["clock"]), tzinfo=self.zone).astimezone(UTC)

    def past(self, words: str) -> datetime:
        """Something that has happened: never later than now, also when the first start comes early in the day."""
        return min(self.at(words), self.now.astimezone(UTC))

    def appointment(self, words: str) -> datetime:
        """A visit; one to come that falls on a closed day moves to the next open one."""
        at = self.at(words)
        while at > self.now and not Calendar(self.zone.key).is_open_on(at.astimezone(self.zone).date()):
            local = at.astimezone(self.zone)
            at = datetime.combine(local.date() + timedelta(days=1), local.time(), tzinfo=self.zone).astimezone(UTC)
        return at
