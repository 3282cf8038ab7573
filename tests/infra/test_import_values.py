"""What spreadsheets write is read; what is not understood is named with its shape and what to write instead."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from infra.importer import values
from infra.importer.problem import NotUnderstood, shape
from infra.importer.table import read
from infra.refusal import Refused
from rules.referral.vocabulary import Priority, Stage

BOISE = ZoneInfo("America/Boise")
HEADER = "number,mrn,family,given,birth_date,specialist,service,stage"


@pytest.mark.parametrize(
    "written",
    ["2026-03-09", "03/09/2026", "3/9/26", "3-9-2026", "20260309", "9-Mar-2026", "Mar 9, 2026", "March 9 2026"],
)
def test_a_day_is_read_in_every_usual_form_and_the_month_comes_first(written: str) -> None:
    assert values.day("sent", written) == date(2026, 3, 9)
    assert values.instant("sent", written, BOISE) == datetime(2026, 3, 9, 12, tzinfo=BOISE)


@pytest.mark.parametrize(
    "written", ["2026-03-09 14:30", "03/09/2026 2:30 PM", "3/9/26 2:30pm", "2026-03-09T14:30", "2026-03-09T20:30:00Z"]
)
def test_a_time_behind_it_is_the_clinics_own_unless_it_says_otherwise(written: str) -> None:
    assert values.instant("sent", written, BOISE) == datetime(2026, 3, 9, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize("written", ["13/25/2026", "soon", "2026-02-30", "45 985", "03/09/2026 late"])
def test_a_date_that_is_not_one_is_named_by_its_shape(written: str) -> None:
    with pytest.raises(NotUnderstood) as told:
        values.instant("sent", written, BOISE)
    assert told.value.at(7).row == 7
    assert "write it like" in told.value.remedy
    assert told.value.at(7).shape == shape(written)


def test_a_shape_says_nothing_of_the_value() -> None:
    assert shape("Vailgood, T. 09/30/64") == "Aaaaaaaa, A. 99/99/99"


def test_a_birth_year_of_two_digits_lies_in_the_past() -> None:
    assert values.day("birth_date", "09/30/64") == date(1964, 9, 30)


def test_words_for_stages_priorities_and_sexes_are_those_that_lists_use() -> None:
    assert values.stage("stage", "Awaiting_Info") is Stage.AWAITING_INFO
    assert values.stage("stage", "no-show") is Stage.NO_SHOW
    assert values.stage("stage", "Awaiting report") is Stage.SEEN
    assert values.priority("priority", "ASAP") is Priority.URGENT
    assert values.sex("sex", "F") == "female"
    for wrong in ("Closed", "expired", "completed"):
        with pytest.raises(NotUnderstood, match="has ended"):
            values.stage("stage", wrong)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_list_is_read_whatever_its_separator_and_encoding(separator: str, encoding: str) -> None:
    lines = [
        HEADER.replace(",", separator),
        separator.join(("R-1", "M1", "Núñez", "Zoë", "1964-09-30", "Q", "S", "sent")),
    ]
    table = read("\r\n".join(lines).encode(encoding))
    assert [(line, cells["family"], cells["given"]) for line, cells in table.rows] == [(2, "Núñez", "Zoë")]


def test_no_line_is_lost_and_unknown_columns_are_named() -> None:
    lines = [
        "Referral No,MRN,Last Name,First Name,DOB,Referred to,Specialty,Status,Fax,Family name",
        'R-1,M1,Ash,Ann,1964-09-30,Q,S,sent,,"two\nlines"',
        ",,,,,,,,,",
        "R-2,M2,Ash,Ann,1964-09-30,Q,S,sent,,,too,many",
        "R-3,M3,Ash",
    ]
    table = read("\n".join(lines).encode())
    assert table.unknown == ("Fax", "Family name")
    assert table.blank == 1
    assert [(line, cells["number"]) for line, cells in table.rows] == [(2, "R-1"), (6, "R-3")]
    assert [(one.row, one.words) for one in table.problems] == [(5, "the row has 12 cells under 10 columns")]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\n\n", "is empty"), (b"number,mrn\n1,2\n", "names no column family, given")],
)
def test_what_is_no_list_is_refused_as_a_whole(content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(content)
