"""Faxes, scans and uploads: told apart, measured, split, turned, joined and drawn.

Page numbers begin at 1; turns are clockwise, in degrees, one of 0, 90, 180, 270. Whatever cannot be used raises
`ScanRefused`, whose words say what to send instead; nothing else is raised for any bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from threading import Lock
from typing import TypeVar

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image
from pypdf import PageObject, PdfReader, PdfWriter

from activities.formats.picture import LONGEST_SIDE, Bounds, Fault, PictureRefused, frame, frame_count, frame_pdf, png

MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 300
WIDEST, NARROWEST = 2000, 40
BOUNDS = Bounds(MAX_PAGES, 60_000_000)
TURNS = (0, 90, 180, 270)
PDF = "application/pdf"

# pdfium keeps one state for the whole process and may not be entered by two threads.
_pdfium = Lock()
T = TypeVar("T")


class ScanRefused(Exception):
    """These bytes are not taken; the words are for the person who sent them."""


class ScanType(StrEnum):
    PDF = "application/pdf"
    TIFF = "image/tiff"
    PNG = "image/png"
    JPEG = "image/jpeg"


SUFFIXES = {ScanType.PDF: ".pdf", ScanType.TIFF: ".tif", ScanType.PNG: ".png", ScanType.JPEG: ".jpg"}
BEGINNINGS = (
    (b"%PDF-", ScanType.PDF),
    (b"II*\0", ScanType.TIFF),
    (b"MM\0*", ScanType.TIFF),
    (b"\x89PNG\r\n\x1a\n", ScanType.PNG),
    (b"\xff\xd8\xff", ScanType.JPEG),
)
# What people send instead, by how it begins, and what to do about it.
OTHERS = (
    (b"PK\x03\x04", "This is a Word, Excel or zip file. Save it as PDF and send that."),
    (b"\xd0\xcf\x11\xe0", "This is an old Office file. Save it as PDF and send that."),
    (b"{\\rtf", "This is a rich text file. Save it as PDF and send that."),
    (b"GIF8", "This is a GIF. Save it as PNG or PDF and send that."),
    (b"BM", "This is a bitmap. Save it as PNG or PDF and send that."),
)
USE_ANOTHER = "Send a PDF, TIFF, PNG or JPEG."
DAMAGED = (
    "This file is damaged: it cannot be read to its end. Ask for it again, or print it to a new PDF and send that."
)
LOCKED = "This PDF asks for a password. Save it without a password and send that."
TOO_LARGE = f"This file is larger than {MAX_BYTES // (1024 * 1024)} MB. Split it, or scan it in black and white."
TOO_MANY = f"This file has more than {MAX_PAGES} pages. Split it and send the parts."
NO_SHEET = "A page of this file is far too long or too large for a sheet of paper. Print it to a new PDF and send that."
EMPTY = "This file is empty. Send it again."
NO_PAGE = "Choose pages that this file has."
FAULTS = {Fault.PAGES: TOO_MANY, Fault.SIZE: NO_SHEET, Fault.PAGE: NO_PAGE, Fault.DAMAGED: DAMAGED}


@dataclass(frozen=True)
class Scan:
    """Bytes that were looked into and can be used."""

    content_type: ScanType
    pages: int
    size: int


def read(data: bytes) -> Scan:
    """What these bytes are."""
    if len(data) > MAX_BYTES:
        raise ScanRefused(TOO_LARGE)
    kind = sniff(data)
    pages = _count_pdf(data) if kind is ScanType.PDF else _of_picture(lambda: frame_count(data, BOUNDS))
    return Scan(kind, pages, len(data))


def sniff(data: bytes) -> ScanType:
    """The type by how the bytes begin, whatever the file is called."""
    if not data:
        raise ScanRefused(EMPTY)
    for beginning, kind in BEGINNINGS:
        # A PDF may begin with a few bytes of a mailer's or a printer's own (ISO 32000-1, annex H.3.4.1).
        if data.startswith(beginning) or (kind is ScanType.PDF and beginning in data[:1024]):
            return kind
    for beginning, words in OTHERS:
        if data.startswith(beginning):
            raise ScanRefused(words)
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        raise ScanRefused("This is an iPhone photo (HEIC). Save it as JPEG and send that.")
    if data[128:132] == b"DICM":
        raise ScanRefused("This is a DICOM image. It belongs into the picture archive; send its report as PDF.")
    raise ScanRefused(f"This is no PDF, TIFF, PNG or JPEG. {USE_ANOTHER}")


def extract(data: bytes, pages: Sequence[int], turns: Mapping[int, int] | None = None) -> bytes:
    """A PDF of these pages in this order, each turned by `turns` (by page, missing: as it is)."""
    wanted, kind = turns or {}, sniff(data)
    if not pages or min(pages) < 1:
        raise ScanRefused(NO_PAGE)
    if kind is not ScanType.PDF:
        sheets = _of_picture(lambda: [frame_pdf(data, page, BOUNDS) for page in pages])
        numbered = [(sheet, 1, wanted.get(page, 0)) for sheet, page in zip(sheets, pages, strict=True)]
    else:
        numbered = [(data, page, wanted.get(page, 0)) for page in pages]
    return _written(numbered)


def split(data: bytes, ranges: Sequence[tuple[int, int]]) -> tuple[bytes, ...]:
    """One PDF for each range of pages, both ends included."""
    return tuple(extract(data, range(first, last + 1)) for first, last in ranges)


def rotate(data: bytes, turns: Mapping[int, int]) -> bytes:
    """The whole file as a PDF with some pages turned."""
    return extract(data, range(1, read(data).pages + 1), turns)


def join(parts: Sequence[bytes]) -> bytes:
    """One PDF of all pages of all parts, in order."""
    return _written([(_as_pdf(part), page, 0) for part in parts for page in range(1, read(part).pages + 1)])


def page_picture(data: bytes, page: int, width: int, turn: int = 0) -> bytes:
    """A PNG of one page, `width` pixels wide once it is turned (kept between 40 and 2000)."""
    width = max(NARROWEST, min(width, WIDEST))
    if sniff(data) is ScanType.PDF:
        image = _drawn(data, page, width, turn)
    else:
        image = _of_picture(lambda: frame(data, page, BOUNDS))
    return png(image, width, 0 if sniff(data) is ScanType.PDF else turn)


def _as_pdf(data: bytes) -> bytes:
    return data if sniff(data) is ScanType.PDF else extract(data, range(1, read(data).pages + 1))


def _of_picture(work: Callable[[], T]) -> T:
    try:
        return work()
    except PictureRefused as refused:
        raise ScanRefused(FAULTS[refused.fault]) from None


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """The file in pdfium's eyes, alone with it."""
    with _pdfium:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise ScanRefused(LOCKED if "assword" in str(error) else DAMAGED) from None
        try:
            yield document
        except pypdfium2.PdfiumError:
            raise ScanRefused(DAMAGED) from None
        finally:
            document.close()


def _count_pdf(data: bytes) -> int:
    """The pages that both readers find: what is shown (pdfium) is then what is filed (pypdf)."""
    with _opened(data) as document:
        count = len(document)
        if count > MAX_PAGES:
            raise ScanRefused(TOO_MANY)
        for page in range(count):
            _refuse_no_sheet(*document.get_page_size(page))
    if count == 0 or count != _of_pypdf(lambda: len(PdfReader(BytesIO(data)).pages)):
        raise ScanRefused(DAMAGED)
    return count


def _drawn(data: bytes, page: int, width: int, turn: int) -> Image.Image:
    with _opened(data) as document:
        if not 1 <= page <= len(document):
            raise ScanRefused(NO_PAGE)
        across, down = document.get_page_size(page - 1)
        _refuse_no_sheet(across, down)
        document.init_forms()
        shown = down if turn in (90, 270) else across
        sheet = document[page - 1]
        drawn: Image.Image = sheet.render(scale=width / shown, rotation=turn).to_pil()
        return drawn


def _refuse_no_sheet(across: float, down: float) -> None:
    if min(across, down) < 1 or max(across, down) > LONGEST_SIDE * min(across, down):
        raise ScanRefused(NO_SHEET)


def _written(sheets: Sequence[tuple[bytes, int, int]]) -> bytes:
    """(file, page, turn) as one PDF without the files' own titles, dates, scripts and bookmarks."""

    def write() -> bytes:
        writer, readers = PdfWriter(), dict[int, PdfReader]()
        for data, page, turn in sheets:
            if id(data) not in readers:
                readers[id(data)] = PdfReader(BytesIO(_flat(data)))
            reader = readers[id(data)]
            if page > len(reader.pages):
                raise ScanRefused(NO_PAGE)
            added = writer.add_page(reader.pages[page - 1])
            _disarm(added)
            added.rotate(turn)
        made = BytesIO()
        writer.write(made)
        return made.getvalue()

    return _of_pypdf(write)


def _flat(data: bytes) -> bytes:
    """Form fields and notes as part of the page: what was filled in must stay when pages leave their file."""
    if not any("/Annots" in page for page in PdfReader(BytesIO(data)).pages):
        return data
    made = BytesIO()
    with _opened(data) as document:
        document.init_forms()
        for page in document:
            page.flatten()
        document.save(made)
    return made.getvalue()


def _disarm(page: PageObject) -> None:
    """Takes away what a page would do by itself or when clicked."""
    page.pop("/AA", None)
    for mark in page.annotations or ():
        for action in ("/A", "/AA"):
            mark.get_object().pop(action, None)


def _of_pypdf(work: Callable[[], T]) -> T:
    try:
        return work()
    except ScanRefused:
        raise
    except Exception as error:  # a damaged file makes the reader fail in any way, and that is its only cause
        raise ScanRefused(DAMAGED) from error
