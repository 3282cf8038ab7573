"""A message files to a patient by whole facts; a likeness is left to a person."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.registration import Identity, files, plain_name, plain_phone

KNOWN = Identity("Ibarra-Quintanilla", "Marisela", date(1990, 5, 9), "female", "+12085550114", "LM-000104")
SAID = replace(KNOWN, mrn="")


def test_full_name_birth_date_sex_and_phone_file() -> None:
    assert files(SAID, KNOWN)


@pytest.mark.parametrize(
    "changes",
    [
        {"family": "IBARRA QUINTANILLA"},
        {"given": "Marisèla"},
        {"phone": "(208) 555-0114"},
        {"phone": "1-208-555-0114"},
    ],
)
def test_how_a_fact_is_written_does_not_matter(changes: dict[str, str]) -> None:
    assert files(replace(SAID, **changes), KNOWN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"family": "Ibarra"},
        {"given": "Maricela"},
        {"birth_date": date(1990, 9, 5)},
        {"sex": "male"},
        {"sex": "unknown"},
        {"phone": ""},
        {"phone": "+12085550115"},
    ],
)
def test_one_fact_that_differs_is_enough_not_to_file(changes: dict[str, object]) -> None:
    assert not files(replace(SAID, **changes), KNOWN)  # type: ignore[arg-type]


def test_our_record_number_files_with_the_birth_date_only() -> None:
    said = Identity("Someone", "Else", KNOWN.birth_date, mrn="LM-000104")
    assert files(said, KNOWN)
    assert not files(replace(said, birth_date=date(1990, 5, 10)), KNOWN)


def test_a_wrong_record_number_does_not_fall_back_on_the_name() -> None:
    assert not files(replace(SAID, mrn="LM-000999"), KNOWN)


def test_a_suffix_tells_two_people_apart() -> None:
    father = Identity("Straatmann Sr", "Wilhelm", date(1949, 7, 12), "male", "+12085550113")
    assert not files(replace(father, family="Straatmann Jr"), father)


@given(st.text(max_size=30))
def test_a_name_made_plain_stays_so(name: str) -> None:
    assert plain_name(plain_name(name)) == plain_name(name)


@given(st.text(alphabet="0123456789 ()-+", max_size=16))
def test_a_number_made_plain_stays_so(phone: str) -> None:
    assert plain_phone(plain_phone(phone)) == plain_phone(phone)
