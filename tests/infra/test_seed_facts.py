"""The facts of the demo and what is drawn by lot beside them, without a store."""

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from infra.seed.cast import load, read_facts
from infra.seed.dates import Dates, Unread
from infra.seed.noise import generated_patients
from infra.seed.noise_referrals import generated_referrals
from rules.calendar import due
from rules.referral.vocabulary import Stage
from rules.referral.waits import waiting

BOISE = ZoneInfo("America/Boise")
D0 = datetime(2026, 11, 23, 8, tzinfo=BOISE)


def test_no_generated_patient_shares_a_name_or_birth_date_with_the_cast() -> None:
    demo = load(D0)
    generated = generated_patients(demo)
    assert not {one.birth_date for one in generated} & {one.birth_date for one in demo.patients}
    assert not {one.family for one in generated} & {one.family for one in demo.patients}
    assert len({(one.tenant, one.phone) for one in generated}) == len(generated)
    assert all(" 555-01" in one.phone for one in generated)


def test_the_generated_referrals_look_like_a_real_monday() -> None:
    demo = load(D0)
    referrals = generated_referrals(demo, generated_patients(demo), D0)
    standing = Counter[str]()
    for one in referrals:
        wait = waiting(one.progress)
        if wait is None:
            continue
        calendar = demo.clinics[one.tenant].sites[one.site].calendar
        due_at = due(calendar, wait.start, wait.clock, person=wait.person)
        today = due_at.astimezone(ZoneInfo(calendar.zone)).date() == D0.date()
        standing["late" if due_at <= D0 else "today" if today else "on time"] += 1
    late_reports = [one for one in referrals if one.to == "eskild"]
    assert len(referrals) == 60
    assert standing == {"on time": 37, "today": 11, "late": 6}
    assert {one.progress.stage for one in referrals} == set(Stage)
    assert [(one.progress.stage, one.site) for one in late_reports] == [(Stage.SEEN, "boise")] * 2
    assert all(at <= D0.astimezone(UTC) for one in referrals for at in (step.at for step in one.past))


def test_every_npi_of_the_facts_has_its_check_digit_and_is_tagged_synthetic() -> None:
    facts = read_facts("clinics.toml")
    numbers = [one["npi"] for one in (*facts["clinics"], *facts["partners"])]
    assert facts["identifier_tag"] == "synthetic"
    assert all(number.startswith("2") and len(number) == 10 for number in numbers)
    assert all(_luhn("80840" + number) for number in numbers)


def test_a_visit_to_come_moves_to_the_next_open_day_and_a_past_one_stays() -> None:
    dates = Dates(D0, BOISE)
    assert dates.appointment("D+5 10:20") == datetime(2026, 11, 30, 10, 20, tzinfo=BOISE)
    assert dates.appointment("D-1 10:30") == datetime(2026, 11, 22, 10, 30, tzinfo=BOISE)


def test_a_date_that_cannot_be_read_says_how_to_write_it() -> None:
    with pytest.raises(Unread, match="yesterday"):
        Dates(D0, BOISE).at("yesterday")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
