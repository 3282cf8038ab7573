"""Paper: what stands on each piece, read back from the PDF."""

from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from activities.formats.pdf.content import Language, Paper, PatientLetterKind, Subject
from activities.formats.pdf.render import render
from activities.formats.pdf.words import day_words, visit_words
from tests.formats.papers import AT, PAPERS, QUESTION, cover, packet, patient_letter

GOLDEN = Path(__file__).parent / "golden" / "paper"


def read(paper: Paper) -> list[str]:
    """The text of each page, with runs of spaces and line ends as one space."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(render(paper, AT))).pages]


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_a_paper_says_what_it_said_before(name: str) -> None:
    assert read(PAPERS[name]) == (GOLDEN / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_the_same_content_at_the_same_instant_gives_the_same_bytes(name: str) -> None:
    assert render(PAPERS[name], AT) == render(PAPERS[name], AT)


def test_a_paper_carries_its_instant_and_nothing_of_this_machine() -> None:
    about = PdfReader(BytesIO(render(PAPERS["packet"], AT))).metadata
    assert about is not None
    assert about.creation_date == AT
    assert about.author is None


def test_a_letter_names_its_language_for_a_screen_reader() -> None:
    for language in Language:
        read = PdfReader(BytesIO(render(patient_letter(PatientLetterKind.PLAN, language), AT)))
        assert str(read.root_object["/Lang"]) == language
        assert read.root_object.raw_get("/MarkInfo") == {"/Marked": True, "/Suspects": False}


def test_a_cover_names_nobody_and_counts_the_pages() -> None:
    (said,) = read(cover(pages=12))
    assert "Straatmann" not in said
    assert "R-20418" in said
    assert "12" in said


def test_typed_text_is_never_an_instruction() -> None:
    said = " ".join(read(packet(question=QUESTION + ' #import "x.typ" $x^2$ = a \\ `b`')))
    assert '*Is surgery* #needed? #import "x.typ" $x^2$ = a \\ `b`' in said


def test_every_page_of_a_long_packet_says_whose_it_is() -> None:
    pages = read(packet(question="One line of the question.\n" * 200))
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert "Straatmann, Wilhelm, Jr · born July 21, 1979 · MRN LM-000103 · Referral R-20418" in page
        assert f"{number} / {len(pages)}" in page


def test_what_is_not_known_is_said_and_never_shown_as_none() -> None:
    (bare,) = read(packet())
    assert "Not recorded: please ask the patient." in bare
    assert "Medications" not in bare
    (none,) = read(packet(allergies=(), medications=()))
    assert "Allergies None" in none
    assert "Medications None" in none


def test_names_of_many_languages_are_printed() -> None:
    name = "Trần Phượng-Łódź, Åsa Ñuñez Çelik"
    (said,) = read(packet(patient=Subject(name, date(1990, 1, 2), "female", "LM-1")))
    assert name in said


def test_days_and_times_are_worded_in_both_languages() -> None:
    at = datetime(2026, 12, 1, 13, 5)  # noqa: DTZ001 the words need no zone
    assert visit_words(at) == "Tuesday, December 1, 2026, at 1:05 PM"
    assert visit_words(at, Language.SPANISH) == "martes, 1 de diciembre de 2026, a la 1:05 p. m."
    assert day_words(date(2026, 3, 9), Language.SPANISH) == "9 de marzo de 2026"
