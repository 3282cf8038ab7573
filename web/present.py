"""How facts are worded on every page: names, days, due times, status tags.

Everything here is a plain function of its arguments. Instants are timezone-aware; `zone` is the clinic's own.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Tone(StrEnum):
    """What a colour says: danger is harm or a missed deadline, warn needs a person, ok is proved."""

    PLAIN = "plain"
    OUTLINE = "outline"
    NEUTRAL = "neutral"
    ACCENT = "accent"
    OK = "ok"
    WARN = "warn"
    DANGER = "danger"
    SOLID = "solid"


@dataclass(frozen=True)
class Tag:
    """A word in its colour, with a Tabler icon's name or an empty string."""

    word: str
    tone: Tone = Tone.NEUTRAL
    icon: str = ""


@dataclass(frozen=True)
class Due:
    """A deadline in words: `Overdue 3 h` over `7:40 AM`, or `Today 12:00 PM` over `in 1 h 18 min`."""

    words: str
    second: str
    overdue: bool
    instant: datetime


@dataclass(frozen=True)
class Owner:
    """Who has the next move; empty initials draw the dashed circle of an unassigned task."""

    name: str
    initials: str
    mine: bool = False


UNASSIGNED = Owner("Unassigned", "")


@dataclass(frozen=True)
class PatientLine:
    """A patient in a list: `Okafor, Bernice`, `03/14/1958`, `68 F`, MRN."""

    name: str
    birth_date: str
    age_sex: str
    mrn: str


@dataclass(frozen=True)
class Act:
    """A button: a verb that names its object. At most one on a page is filled.

    `posts` makes it a form that sends `sends` (name, value); otherwise it is a link, which with `opens_here`
    is opened in place of the page's `#step`. `lacks` shows it disabled and says what is missing.
    """

    label: str
    url: str
    icon: str = ""
    key: str = ""
    filled: bool = False
    quiet: bool = False
    posts: bool = False
    opens_here: bool = False
    lacks: str = ""
    sends: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class EmptyState:
    """What would appear in an empty list, when, and the ways on; `good` when empty means all is done."""

    title: str
    words: str
    acts: tuple[Act, ...] = ()
    icon: str = "checks"
    good: bool = True


_TAGS = (
    Tag("STAT", Tone.SOLID, "bolt-filled"),
    Tag("Urgent", Tone.WARN, "chevrons-up"),
    Tag("Routine", Tone.PLAIN),
    Tag("Draft", Tone.NEUTRAL, "pencil"),
    Tag("Sent", Tone.NEUTRAL, "send"),
    Tag("Sent, no receipt", Tone.NEUTRAL, "send"),
    Tag("Needs information", Tone.WARN, "file-alert"),
    Tag("Coverage check", Tone.ACCENT, "shield-question"),
    Tag("In triage", Tone.NEUTRAL, "clock-hour-4"),
    Tag("To schedule", Tone.ACCENT, "calendar-plus"),
    Tag("Scheduled", Tone.OK, "calendar-check"),
    Tag("Not reached", Tone.WARN, "phone-off"),
    Tag("No-show", Tone.WARN, "calendar-x"),
    Tag("Seen", Tone.NEUTRAL, "stethoscope"),
    Tag("Report due", Tone.NEUTRAL, "file-search"),
    Tag("Report late", Tone.DANGER, "report-off"),
    Tag("Review report", Tone.ACCENT, "writing-sign"),
    Tag("Advice received", Tone.ACCENT, "message-2"),
    Tag("Declined", Tone.DANGER, "circle-x"),
    Tag("Redirected", Tone.NEUTRAL, "arrow-right"),
    Tag("Tell patient", Tone.ACCENT, "user-check"),
    Tag("Cancel requested", Tone.WARN, "hourglass"),
    Tag("Cancelled", Tone.NEUTRAL, "ban"),
    Tag("Expired", Tone.DANGER, "clock-exclamation"),
    Tag("Closed", Tone.OK, "circle-check"),
    Tag("Needs matching", Tone.NEUTRAL, "file-search"),
    Tag("Second factor", Tone.ACCENT, "lock"),
    Tag("Co-sign", Tone.NEUTRAL, "writing-sign"),
    Tag("Confirmed", Tone.OK, "circle-check"),
    Tag("Dispensed", Tone.OK, "circle-check"),
    Tag("Active", Tone.OK, "circle-check"),
    Tag("Up", Tone.OK, "circle-check"),
    Tag("Not confirmed", Tone.WARN, "clock-question"),
    Tag("Reminder failed", Tone.DANGER, "message-x"),
    Tag("Missed visit", Tone.DANGER, "user-x"),
    Tag("Critical high", Tone.SOLID, "alert-octagon"),
    Tag("Critical low", Tone.SOLID, "alert-octagon"),
    Tag("High", Tone.WARN, "arrow-up"),
    Tag("Low", Tone.WARN, "arrow-down"),
    Tag("Abnormal", Tone.WARN, "plus"),
    Tag("Corrected", Tone.DANGER, "replace"),
    Tag("Contraindicated", Tone.DANGER, "ban"),
    Tag("Could not run", Tone.WARN, "help-circle"),
    Tag("Rejected", Tone.DANGER, "circle-x"),
    Tag("Denied", Tone.DANGER, "ban"),
    Tag("Pended", Tone.WARN, "hourglass"),
    Tag("Hold", Tone.WARN, "player-pause"),
)
STATUS_TAGS = {tag.word: tag for tag in _TAGS}


def status_tag(word: str) -> Tag:
    """The tag of a status word; a word without an entry is shown in grey, never dropped."""
    return STATUS_TAGS.get(word, Tag(word))


def priority_tag(priority: str) -> Tag:
    """The tag of `stat`, `urgent` or `routine`."""
    return status_tag("STAT" if priority == "stat" else priority.capitalize())


def family_first(family: str, given: str) -> str:
    """`Family, Given`, as patients are listed."""
    return f"{family}, {given}" if given else family


def short_name(given: str, family: str) -> str:
    """`Dana W.`, as owners are listed."""
    return f"{given} {family[:1]}." if family else given


def initials(given: str, family: str) -> str:
    """Two letters for an avatar."""
    return (given[:1] + family[:1]).upper()


def owner_of(given: str, family: str, *, mine: bool = False) -> Owner:
    """A named owner with avatar letters."""
    return Owner(short_name(given, family), initials(given, family), mine)


def us_date(day: date) -> str:
    """`03/14/1958`: how dates of birth are written."""
    return f"{day:%m/%d/%Y}"


def age_years(born: date, today: date) -> int:
    """Completed years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_words(born: date, today: date) -> str:
    """`75 years`; months under two years, days under two months."""
    days = (today - born).days
    if days < 60:
        return _counted(days, "day")
    years = age_years(born, today)
    if years >= 2:
        return _counted(years, "year")
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return _counted(months, "month")


def age_and_sex(born: date, sex: str, today: date) -> str:
    """`68 F`; `sex` is a FHIR administrative gender, anything but male or female gives `X`."""
    letter = {"female": "F", "male": "M"}.get(sex, "X")
    return f"{age_years(born, today)} {letter}"


def clock_words(moment: datetime, zone: ZoneInfo) -> str:
    """`7:40 AM` in the clinic's zone."""
    local = moment.astimezone(zone)
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"


def date_words(day: date, today: date) -> str:
    """`Fri, Nov 20`, with the year when it is not this one."""
    year = f", {day.year}" if day.year != today.year else ""
    return f"{day:%a}, {day:%b} {day.day}{year}"


def short_date(day: date, today: date) -> str:
    """`Nov 4`, with the year when it is not this one."""
    year = f", {day.year}" if day.year != today.year else ""
    return f"{day:%b} {day.day}{year}"


def day_heading(day: date, today: date) -> str:
    """`Today, Mon, Nov 23` or `Wed, Nov 18`: the head of a day in a timeline."""
    return f"Today, {date_words(day, today)}" if day == today else date_words(day, today)


def moment_words(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`Today 12:00 PM` or `Fri, Nov 20, 9:00 AM`."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    clock = clock_words(moment, zone)
    return f"Today {clock}" if day == today else f"{date_words(day, today)}, {clock}"


def end_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    """The last second of the clinic's day."""
    return datetime.combine(now.astimezone(zone).date(), time(23, 59, 59), zone)


def late_words(late: timedelta) -> str:
    """How late in one unit: `42 min`, `3 h`, `2 days`."""
    if late < HOUR:
        return f"{max(1, late // MINUTE)} min"
    return f"{late // HOUR} h" if late < DAY else _counted(late // DAY, "day")


def wait_words(wait: timedelta) -> str:
    """How long still, to the minute within a day: `1 h 18 min`, `42 min`, `3 days`."""
    if wait >= DAY:
        return _counted(wait // DAY, "day")
    hours, minutes = wait // HOUR, wait % HOUR // MINUTE
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes or not hours)) if part
    )


def due_words(due: datetime, now: datetime, zone: ZoneInfo) -> Due:
    """The deadline as a list shows it; overdue from the instant it passes."""
    day, today = due.astimezone(zone).date(), now.astimezone(zone).date()
    clock = clock_words(due, zone)
    if due < now:
        return Due(f"Overdue {late_words(now - due)}", clock if day == today else date_words(day, today), True, due)
    if day == today:
        return Due(f"Today {clock}", f"in {wait_words(due - now)}", False, due)
    return Due(date_words(day, today), clock, False, due)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
