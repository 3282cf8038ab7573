"""Small faxes, scans and photos made here, each page with its number drawn on it."""

from io import BytesIO

from PIL import Image, ImageDraw
from pypdf import PdfWriter

LETTER = (612, 792)


def sheet(words: str, mode: str = "1", size: tuple[int, int] = (432, 270)) -> Image.Image:
    """A white page with words at its top left."""
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).text((20, 10), words, fill="black")
    return image


def fax(pages: int, words: str = "Page") -> bytes:
    """A TIFF as fax machines send it: black and white, oblong pixels (102 by 51 to the inch)."""
    first, *rest = (sheet(f"{words} {number}") for number in range(1, pages + 1))
    made = BytesIO()
    first.save(made, "TIFF", save_all=True, append_images=rest, compression="group4", dpi=(102, 51))
    return made.getvalue()


def scanned(pages: int, words: str = "Page") -> bytes:
    """A PDF of pictures."""
    first, *rest = (sheet(f"{words} {number}", "L", (425, 550)) for number in range(1, pages + 1))
    made = BytesIO()
    first.save(made, "PDF", save_all=True, append_images=rest, resolution=50, creationDate=None, modDate=None)
    return made.getvalue()


def blank(pages: int, size: tuple[float, float] = LETTER) -> PdfWriter:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(*size)
    return writer


def written(writer: PdfWriter) -> bytes:
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def photo(kind: str = "JPEG") -> bytes:
    made = BytesIO()
    sheet("Card", "RGB", (300, 200)).save(made, kind)
    return made.getvalue()
