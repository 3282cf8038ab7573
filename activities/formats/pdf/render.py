"""Paper from templates: the same content and instant always give the same bytes."""

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Literal

import typst

from activities.formats.pdf.content import Cover, Language, Paper, PartnerLetter, PatientLetter, ReferralPacket, Report
from activities.formats.pdf.words import day_words, visit_words

FOLDER = Path(__file__).parent / "templates"
TEMPLATES: dict[type, str] = {
    Cover: "cover.typ",
    ReferralPacket: "packet.typ",
    PatientLetter: "patient_letter.typ",
    PartnerLetter: "partner_letter.typ",
    Report: "report.typ",
}
STANDARD: Literal["ua-1"] = "ua-1"  # PDF/UA-1: a patient's screen reader can read the letter


def render(paper: Paper, at: datetime) -> bytes:
    """A PDF of US letter pages with `at` (aware) as its creation date.

    Text stays text: nothing that stands in the content is taken as an instruction to the typesetter. Nothing is
    read but the templates of this package and the fonts inside the typesetter.
    """
    compiler = typst.Compiler(
        FOLDER / TEMPLATES[type(paper)],
        root=FOLDER,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(_plain(paper, getattr(paper, "language", Language.ENGLISH)))},
    )
    # The typesetter takes whole seconds and an offset, not a zone.
    stamp = at.replace(microsecond=0, tzinfo=timezone(at.utcoffset() or timedelta()))
    made = compiler.compile(format="pdf", timestamp=stamp, pdf_standards=STANDARD)
    assert isinstance(made, bytes)
    return made


@cache
def _fonts() -> typst.Fonts:
    """The typesetter's own fonts; those of the machine would make the bytes depend on it."""
    return typst.Fonts(include_system_fonts=False)


def _plain(value: object, language: Language) -> object:
    """The content for a template: dataclasses as objects, days and instants in words."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), language) for field in fields(value)}
    if isinstance(value, datetime):
        return visit_words(value, language)
    if isinstance(value, date):
        return day_words(value, language)
    return [_plain(one, language) for one in value] if isinstance(value, tuple) else value
