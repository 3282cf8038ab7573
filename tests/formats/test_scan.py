"""Faxes, scans and uploads: what is taken, what is refused with words, and what becomes of their pages."""

from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from activities.formats import scan
from activities.formats.scan import ScanRefused, ScanType
from tests.scans import blank, fax, photo, scanned, written

SAMPLES = {"fax": fax(2), "scan": scanned(2), "photo": photo(), "card": photo("PNG")}


def picture(data: bytes, page: int, width: int, turn: int = 0) -> Image.Image:
    return Image.open(BytesIO(scan.page_picture(data, page, width, turn)))


def sizes(data: bytes) -> list[tuple[int, int, int]]:
    """Width, height and turn of each page, in points and degrees."""
    pages = PdfReader(BytesIO(data)).pages
    return [(round(page.mediabox.width), round(page.mediabox.height), page.rotation) for page in pages]


@pytest.mark.parametrize(
    ("data", "kind", "pages"),
    [
        (fax(3), ScanType.TIFF, 3),
        (scanned(2), ScanType.PDF, 2),
        (b"printer noise\n" + scanned(1), ScanType.PDF, 1),
        (photo(), ScanType.JPEG, 1),
        (photo("PNG"), ScanType.PNG, 1),
    ],
)
def test_a_file_is_told_by_its_bytes_and_its_pages_are_counted(data: bytes, kind: ScanType, pages: int) -> None:
    assert scan.read(data) == scan.Scan(kind, pages, len(data))


def locked() -> bytes:
    writer = blank(1)
    writer.encrypt("secret", algorithm="AES-256")
    return written(writer)


def endless_sheet() -> bytes:
    return written(blank(1, (100, 14_000)))


def bomb() -> bytes:
    """A TIFF that says it is 30,000 by 30,000 pixels, in a few bytes."""
    made = BytesIO()
    Image.new("1", (30_000, 30_000)).save(made, "TIFF", compression="group4")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a document", "Save it as PDF"),
        (b"\xd0\xcf\x11\xe0 an old one", "Save it as PDF"),
        (b"\0\0\0\x18ftypheic", "Save it as JPEG"),
        (b"\0" * 128 + b"DICM", "picture archive"),
        (b"Dear colleague, ", "Send a PDF, TIFF, PNG or JPEG"),
        (b"%PDF-1.7 and nothing after", "damaged"),
        (scanned(1)[:300], "damaged"),
        (fax(1)[:40], "damaged"),
        (locked(), "without a password"),
        (endless_sheet(), "sheet of paper"),
        (bomb(), "sheet of paper"),
        (written(blank(scan.MAX_PAGES + 1)), "more than 300 pages"),
        (b"%PDF-" + b"0" * scan.MAX_BYTES, "larger than 20 MB"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_send_instead(data: bytes, words: str) -> None:
    with pytest.raises(ScanRefused, match=words):
        scan.read(data)


def test_a_file_that_only_forbids_printing_is_taken() -> None:
    writer = blank(1)
    writer.encrypt("", owner_password="owner", algorithm="AES-256")
    data = written(writer)
    assert scan.read(data).pages == 1
    assert sizes(scan.extract(data, [1])) == [(612, 792, 0)]


def test_the_oblong_pixels_of_a_fax_become_a_page_of_its_true_shape() -> None:
    assert picture(fax(1), 1, 400).size == (400, 500)
    assert sizes(scan.extract(fax(1), [1])) == [(305, 381, 0)]


def test_pages_are_taken_in_the_order_asked_for_and_turned() -> None:
    data = written(blank(2))
    taken = scan.extract(data, [2, 1], {1: 90})
    assert sizes(taken) == [(612, 792, 0), (612, 792, 90)]
    assert picture(taken, 1, 100).size == (100, 130)
    assert picture(taken, 2, 100).size == (100, 78)


def test_a_page_is_drawn_at_the_width_asked_for_also_when_turned() -> None:
    assert picture(scanned(1), 1, 200, 90).size == (200, 155)
    assert picture(photo(), 1, 200, 90).size == (200, 300)
    assert picture(scanned(1), 1, 1_000_000).width == scan.WIDEST


def test_a_file_is_split_turned_and_joined_without_losing_a_page() -> None:
    first, second = scan.split(fax(5), [(1, 2), (3, 5)])
    assert (scan.read(first).pages, scan.read(second).pages) == (2, 3)
    assert [turn for *_, turn in sizes(scan.rotate(second, {2: 180}))] == [0, 180, 0]
    assert scan.read(scan.join([first, photo(), second])).pages == 6


def test_the_same_pages_give_the_same_bytes() -> None:
    for data in SAMPLES.values():
        assert scan.extract(data, [1], {1: 90}) == scan.extract(data, [1], {1: 90})


@pytest.mark.parametrize("pages", [[], [0], [3], [1, 9]])
def test_a_page_that_is_not_there_is_refused(pages: list[int]) -> None:
    for name in ("fax", "scan"):
        with pytest.raises(ScanRefused, match="Choose pages"):
            scan.extract(SAMPLES[name], pages)


def form() -> bytes:
    """A page with one black form field that also carries a script."""
    writer = blank(1)
    look = StreamObject()
    look.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): box(0, 0, 200, 40),
        }
    )
    look.set_data(b"0 0 0 rg 0 0 200 40 re f")
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): NameObject("/alert")}
    field = DictionaryObject(
        {
            NameObject("/Subtype"): NameObject("/Widget"),
            NameObject("/FT"): NameObject("/Tx"),
            NameObject("/T"): TextStringObject("potassium"),
            NameObject("/F"): NumberObject(4),
            NameObject("/Rect"): box(100, 600, 300, 640),
            NameObject("/AP"): DictionaryObject({NameObject("/N"): writer._add_object(look)}),
            NameObject("/A"): DictionaryObject(script),
        }
    )
    placed = writer._add_object(field)
    writer.pages[0][NameObject("/Annots")] = ArrayObject([placed])
    fields = DictionaryObject({NameObject("/Fields"): ArrayObject([placed])})
    writer._root_object[NameObject("/AcroForm")] = fields
    return written(writer)


def box(*corners: float) -> ArrayObject:
    return ArrayObject([FloatObject(corner) for corner in corners])


def test_what_was_filled_into_a_form_is_shown_and_stays_and_its_script_goes() -> None:
    taken = scan.extract(form(), [1])
    for data in (form(), taken):
        assert picture(data, 1, 300).convert("L").getextrema() == (0, 255)
    assert b"JavaScript" in form()
    assert b"JavaScript" not in taken


def only_refusals(data: bytes) -> None:
    """Nothing but our refusal comes out, whichever way the bytes are used."""
    for use in (
        lambda: scan.read(data),
        lambda: scan.page_picture(data, 1, 100, 90),
        lambda: scan.extract(data, [1, 2], {1: 180}),
    ):
        try:
            use()
        except ScanRefused as refused:
            assert str(refused).endswith(".")


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"%PDF-1.7\n", b"II*\0", b"MM\0*", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]),
)
def test_any_bytes_are_used_or_refused(data: bytes, beginning: bytes) -> None:
    only_refusals(beginning + data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 5000), st.binary(min_size=1, max_size=12), st.integers(0, 5000))
def test_a_damaged_file_is_used_or_refused(name: str, place: int, noise: bytes, cut: int) -> None:
    data = SAMPLES[name]
    at = place % len(data)
    damaged = data[:at] + noise + data[at + len(noise) :]
    only_refusals(damaged)
    only_refusals(damaged[: cut % len(damaged)])
