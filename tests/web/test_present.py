"""How facts are worded."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from web.present import (
    Tag,
    Tone,
    age_and_sex,
    age_words,
    clock_words,
    date_words,
    due_words,
    family_first,
    late_words,
    moment_words,
    owner_of,
    priority_tag,
    short_date,
    status_tag,
    wait_words,
)

BOISE = ZoneInfo("America/Boise")
NOW = datetime(2026, 11, 23, 17, 42, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BOISE)


@pytest.mark.parametrize(
    ("due", "words", "second", "overdue"),
    [
        (at(23, 10), "Overdue 42 min", "10:00 AM", True),
        (at(23, 7, 40), "Overdue 3 h", "7:40 AM", True),
        (at(20, 17), "Overdue 2 days", "Fri, Nov 20", True),
        (at(23, 12), "Today 12:00 PM", "in 1 h 18 min", False),
        (at(23, 11, 42), "Today 11:42 AM", "in 1 h", False),
        (at(24, 9), "Tue, Nov 24", "9:00 AM", False),
        (datetime(2027, 1, 4, 9, tzinfo=BOISE), "Mon, Jan 4, 2027", "9:00 AM", False),
    ],
)
def test_a_deadline_is_worded_by_day_and_lateness(due: datetime, words: str, second: str, overdue: bool) -> None:
    said = due_words(due, NOW, BOISE)
    assert (said.words, said.second, said.overdue) == (words, second, overdue)


def test_a_deadline_is_not_overdue_at_its_very_instant() -> None:
    assert not due_words(NOW, NOW, BOISE).overdue
    assert due_words(NOW - timedelta(seconds=1), NOW, BOISE).words == "Overdue 1 min"


def test_today_is_the_clinics_day_not_the_servers() -> None:
    late_evening = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
    assert due_words(late_evening, NOW, BOISE).words == "Today 10:30 PM"


@pytest.mark.parametrize(("hour", "words"), [(0, "12:05 AM"), (11, "11:05 AM"), (12, "12:05 PM"), (23, "11:05 PM")])
def test_midnight_and_noon_are_twelve(hour: int, words: str) -> None:
    assert clock_words(at(23, hour, 5), BOISE) == words


def test_lateness_has_one_unit_and_waiting_goes_to_the_minute() -> None:
    assert late_words(timedelta(days=1, hours=20)) == "1 day"
    assert wait_words(timedelta(hours=1, minutes=18)) == "1 h 18 min"
    assert wait_words(timedelta(seconds=20)) == "0 min"
    assert wait_words(timedelta(days=3, hours=2)) == "3 days"


def test_a_date_has_its_year_only_when_it_is_not_this_one() -> None:
    assert date_words(date(2026, 11, 20), TODAY) == "Fri, Nov 20"
    assert date_words(date(2025, 11, 20), TODAY) == "Thu, Nov 20, 2025"
    assert short_date(date(2025, 3, 4), TODAY) == "Mar 4, 2025"
    assert moment_words(at(20, 9), NOW, BOISE) == "Fri, Nov 20, 9:00 AM"


@pytest.mark.parametrize(
    ("born", "words"),
    [
        (date(1951, 2, 8), "75 years"),
        (date(1958, 11, 24), "67 years"),
        (date(2025, 12, 23), "11 months"),
        (date(2026, 11, 22), "1 day"),
    ],
)
def test_age_is_in_completed_units(born: date, words: str) -> None:
    assert age_words(born, TODAY) == words


def test_a_sex_that_is_neither_is_an_x() -> None:
    assert age_and_sex(date(2004, 8, 19), "other", TODAY) == "22 X"


def test_people_are_listed_family_first_and_owners_given_first() -> None:
    assert family_first("Okwuo-Hale", "Desmond") == "Okwuo-Hale, Desmond"
    assert owner_of("Nadia", "Ferro-Lund").name == "Nadia F."
    assert owner_of("Nadia", "Ferro-Lund").initials == "NF"


def test_a_status_has_its_tone_and_an_unknown_one_is_grey_not_lost() -> None:
    assert status_tag("Report late") == Tag("Report late", Tone.DANGER, "report-off")
    assert status_tag("Lost in the post") == Tag("Lost in the post", Tone.NEUTRAL)
    assert priority_tag("stat").word == "STAT"
    assert priority_tag("routine").tone is Tone.PLAIN
