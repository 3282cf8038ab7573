"""The frames of a TIFF, PNG or JPEG as pages: measured before they are unpacked, drawn and put on a PDF sheet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

from PIL import Image, ImageOps

FORMATS = ("TIFF", "PNG", "JPEG")
LETTER_WIDE = 8.5
SHARPEST, COARSEST = 1200, 50
LONGEST_SIDE = 20


class Fault(StrEnum):
    """Too many frames, a frame that is too large or no sheet of paper, a page that is not there, or damage."""

    PAGES = "pages"
    SIZE = "size"
    PAGE = "page"
    DAMAGED = "damaged"


class PictureRefused(Exception):
    """These bytes cannot be used as pages."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Bounds:
    """How many frames, and how many pixels in one, are still unpacked."""

    frames: int
    pixels: int


@dataclass(frozen=True)
class Upright:
    """A frame turned upright on white, and its pixels to the inch across and down; None when that is not said."""

    image: Image.Image
    density: tuple[float, float] | None


def frame_count(data: bytes, bounds: Bounds) -> int:
    """How many frames there are; each is measured, and the first is unpacked."""
    with _opened(data) as image:
        count: int = getattr(image, "n_frames", 1)
        if count > bounds.frames:
            raise PictureRefused(Fault.PAGES)
        for number in range(count):
            _go_to(image, number, bounds)
    _upright(data, 1, bounds)
    return count


def frame(data: bytes, page: int, bounds: Bounds) -> Image.Image:
    """One frame with square pixels: those of a fax are oblong (204 by 98 to the inch)."""
    found = _upright(data, page, bounds)
    across, down = found.density or (1, 1)
    if across == down:
        return found.image
    size = (found.image.width, round(found.image.height * across / down))
    if across < down:
        size = (round(found.image.width * down / across), found.image.height)
    return found.image.convert("L").resize(size, Image.Resampling.BOX)


def frame_pdf(data: bytes, page: int, bounds: Bounds) -> bytes:
    """One frame as a PDF page of its true size; a picture that does not say its size becomes 8.5 inches wide."""
    found, made = _upright(data, page, bounds), BytesIO()
    plain = found.image.width / LETTER_WIDE
    density = found.density or (plain, plain)
    # Without dates: the same frame always gives the same bytes.
    found.image.save(made, "PDF", dpi=density, creationDate=None, modDate=None)
    return made.getvalue()


def png(image: Image.Image, width: int, turn: int = 0) -> bytes:
    """As PNG, turned clockwise and then `width` wide; never enlarged."""
    turned, made = image.rotate(-turn, expand=True) if turn else image, BytesIO()
    if turned.width > width:
        height = max(1, round(turned.height * width / turned.width))
        turned = turned.convert("L" if turned.mode == "1" else turned.mode).resize((width, height))
    turned.save(made, "PNG", compress_level=3)
    return made.getvalue()


def _upright(data: bytes, page: int, bounds: Bounds) -> Upright:
    with _opened(data) as image:
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise PictureRefused(Fault.PAGE)
        _go_to(image, page - 1, bounds)
        return Upright(_on_white(ImageOps.exif_transpose(image)), _density(image))


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The picture; whatever its decoder raises inside the block becomes a refusal."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            yield image
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRefused(Fault.SIZE) from None
    except Exception as error:  # a damaged picture makes its decoder fail in any way, and that is its only cause
        raise PictureRefused(Fault.DAMAGED) from error


def _go_to(image: Image.Image, number: int, bounds: Bounds) -> None:
    image.seek(number)
    long, short = max(image.size), min(image.size)
    if long * short > bounds.pixels or short * LONGEST_SIDE < long:
        raise PictureRefused(Fault.SIZE)


def _density(image: Image.Image) -> tuple[float, float] | None:
    said = image.info.get("dpi")
    if not isinstance(said, tuple) or len(said) != 2:
        return None
    across, down = (float(one or 0) for one in said)
    sane = min(across, down) >= COARSEST and max(across, down) <= SHARPEST
    return (across, down) if sane and max(across, down) <= 4 * min(across, down) else None


def _on_white(image: Image.Image) -> Image.Image:
    """In a mode that PDF and PNG both take; what is see-through becomes white."""
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = Image.new("RGB", clear.size, "white")
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    if image.mode in ("1", "L", "RGB"):
        return image.copy()
    return image.convert("L" if image.mode.startswith(("I", "F")) else "RGB")
