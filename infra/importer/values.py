"""Single values as people write them. What is not understood raises NotUnderstood with what to write instead."""

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from infra.importer.problem import NotUnderstood
from rules.referral.vocabulary import ENDED, Priority, Stage
from rules.registration import UNKNOWN

NOON = time(12)
DAYS = (
    *("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m.%d.%Y", "%Y/%m/%d", "%Y%m%d"),
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d %Y", "%d %B %Y", "%B %d %Y"),
)
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p", "%I %p")
WRITE_DAY = "write it like 2026-03-09 or 03/09/2026 (month first)"
STAGES: dict[str, Stage] = {
    "new": Stage.DRAFT,
    "not sent": Stage.DRAFT,
    "authorization": Stage.COVERAGE,
    "coverage check": Stage.COVERAGE,
    "referred": Stage.SENT,
    "with specialist": Stage.TRIAGE,
    "received": Stage.TRIAGE,
    "under review": Stage.TRIAGE,
    "needs information": Stage.AWAITING_INFO,
    "information requested": Stage.AWAITING_INFO,
    "accepted": Stage.SCHEDULING,
    "to be scheduled": Stage.SCHEDULING,
    "to schedule": Stage.SCHEDULING,
    "contacting patient": Stage.OUTREACH,
    "patient contacted": Stage.OUTREACH,
    "booked": Stage.SCHEDULED,
    "appointment made": Stage.SCHEDULED,
    "missed": Stage.NO_SHOW,
    "no show": Stage.NO_SHOW,
    "visited": Stage.SEEN,
    "awaiting report": Stage.SEEN,
    "report in": Stage.REPORT_RECEIVED,
    "rejected": Stage.DECLINED,
    "refused": Stage.DECLINED,
    "canceled": Stage.CANCELLED,
    "complete": Stage.CLOSED,
    "completed": Stage.CLOSED,
} | {stage.replace("_", " "): stage for stage in Stage}
PRIORITIES = {
    "stat": Priority.STAT,
    "emergency": Priority.STAT,
    "immediate": Priority.STAT,
    "urgent": Priority.URGENT,
    "asap": Priority.URGENT,
    "high": Priority.URGENT,
    "routine": Priority.ROUTINE,
    "normal": Priority.ROUTINE,
    "standard": Priority.ROUTINE,
    "": Priority.ROUTINE,
}
SEXES = {"f": "female", "female": "female", "m": "male", "male": "male", "o": "other", "x": "other", "other": "other"}
SEXES |= {"": UNKNOWN, "u": UNKNOWN, "unknown": UNKNOWN}


def day(column: str, value: str) -> date:
    """A date alone; a time behind it is left off."""
    return _split(column, value)[0]


def instant(column: str, value: str, zone: ZoneInfo) -> datetime:
    """In UTC. Without an offset it is the time of `zone`, without a time noon there."""
    if re.search(r"\d[T ]\d{1,2}:\d\d.*(Z|[+-]\d\d:?\d\d)$", value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError:
            raise NotUnderstood(column, value, "no date with a time zone is read from this", WRITE_DAY) from None
    found, clock = _split(column, value)
    return datetime.combine(found, clock or NOON, tzinfo=zone).astimezone(UTC)


def stage(column: str, value: str) -> Stage:
    """An open one; what has ended is not imported."""
    found = STAGES.get(_words(value))
    if found is None:
        known = ", ".join(one for one in Stage if one not in ENDED)
        raise NotUnderstood(column, value, "no stage of a referral is called this", f"write one of {known}")
    if found in ENDED:
        raise NotUnderstood(column, value, "the referral has ended", "only open referrals are imported: take it out")
    return found


def priority(column: str, value: str) -> Priority:
    found = PRIORITIES.get(_words(value))
    if found is None:
        raise NotUnderstood(column, value, "no priority is called this", f"write one of {', '.join(Priority)}")
    return found


def sex(column: str, value: str) -> str:
    found = SEXES.get(_words(value))
    if found is None:
        raise NotUnderstood(column, value, "no sex is read from this", "write female, male, other or unknown")
    return found


def codes(value: str) -> tuple[str, ...]:
    """Diagnoses, whatever stands between them; in capitals."""
    return tuple(part.strip().upper() for part in re.split(r"[;,|/\n]+", value) if part.strip())


def _split(column: str, value: str) -> tuple[date, time | None]:
    words = " ".join(
        value.replace(",", " ").replace("T", " ", 1 if re.match(r"\d{4}-\d\d-\d\dT", value) else 0).split()
    )
    found, rest = _leading_day(words)
    if found is None:
        raise NotUnderstood(column, value, "no date is read from this", WRITE_DAY)
    if not rest:
        return found, None
    clock = _clock(rest)
    if clock is None:
        raise NotUnderstood(column, value, "the time behind the date is not read", "write it like 14:30 or 2:30 PM")
    return found, clock


def _leading_day(words: str) -> tuple[date | None, str]:
    """The longest beginning that is a date, and what follows it."""
    parts = words.split(" ")
    for count in range(min(3, len(parts)), 0, -1):
        for form in DAYS:
            try:
                read = datetime.strptime(" ".join(parts[:count]), form).date()  # noqa: DTZ007 a day has no zone
            except ValueError:
                continue
            return _past_century(read, form), " ".join(parts[count:])
    return None, ""


def _past_century(read: date, form: str) -> date:
    """Two digits of a year reach as far as next year: nobody is born later, and the dates of a case are near."""
    far = "%y" in form and read.year > datetime.now(UTC).year + 1
    return read.replace(year=read.year - 100) if far else read


def _clock(words: str) -> time | None:
    for form in CLOCKS:
        try:
            return datetime.strptime(words.upper().replace(".", ""), form).time()  # noqa: DTZ007 the caller knows the zone
        except ValueError:
            continue
    return None


def _words(value: str) -> str:
    return " ".join(re.sub(r"[_\-/]+", " ", value.casefold()).split())
