"""A list as spreadsheets write it: whatever the encoding, the separator and the names over the columns."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.importer.problem import Problem
from infra.refusal import Refused

SEPARATORS = ",;\t|"
BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Our names first, then what lists call them; compared without case, spaces and marks.
COLUMNS: dict[str, tuple[str, ...]] = {
    "number": ("referral number", "referral no", "referral id", "referral"),
    "mrn": ("record number", "patient id", "chart", "chart number", "medical record number"),
    "family": ("last name", "surname", "family name", "patient last name"),
    "given": ("first name", "given name", "forename", "patient first name"),
    "birth_date": ("dob", "date of birth", "birthdate"),
    "sex": ("gender",),
    "phone": ("telephone", "phone number", "mobile", "cell"),
    "specialist": ("referred to", "provider", "recipient", "refer to", "practice"),
    "service": ("specialty", "speciality", "department"),
    "priority": ("urgency",),
    "stage": ("status", "state"),
    "opened": ("created", "date created", "ordered", "order date", "written"),
    "sent": ("date sent", "sent on", "sent date", "referred on", "referral date"),
    "accepted": ("date accepted", "accepted on"),
    "appointment": ("appointment date", "appt", "appt date", "scheduled for"),
    "visit": ("visit date", "seen", "seen on", "date seen"),
    "report": ("report received", "report date"),
    "reviewed": ("date reviewed", "reviewed on"),
    "report_due": ("report due date", "report expected"),
    "last_attempt": ("last call", "last contact", "last contact attempt"),
    "since": ("status date", "in stage since", "status since"),
    "question": ("reason", "reason for referral", "clinical question"),
    "note": ("notes", "comment", "comments"),
    "diagnoses": ("diagnosis", "icd", "icd10", "icd 10", "dx", "diagnosis codes"),
    "requester": ("referring provider", "referred by", "ordering provider", "requested by"),
    "site": ("location", "office"),
}
REQUIRED = ("number", "mrn", "family", "given", "birth_date", "specialist", "service", "stage")
Cells = dict[str, str]


@dataclass(frozen=True)
class Table:
    """`rows` are numbered as a spreadsheet does; `blank` of them say nothing, `unknown` columns are not read."""

    rows: tuple[tuple[int, Cells], ...]
    unknown: tuple[str, ...]
    blank: int
    problems: tuple[Problem, ...]


def read(content: bytes) -> Table:
    """Every line is a row, blank, or among the problems. Raises Refused where there is no list to be read."""
    text = _decoded(content)
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=header.count)
    lines = list(_lines(text, separator))
    if not lines:
        raise Refused("The file is empty.")
    names = _named(lines[0][1])
    unknown = tuple(cell.strip() for cell, name in zip(lines[0][1], names, strict=True) if not name and cell.strip())
    if lacking := [name for name in REQUIRED if name not in names]:
        raise Refused(f"The first line names no column {', '.join(lacking)}. infra/docs/import.md lists the names.")
    rows, problems, blank = [], [], 0
    for number, cells in lines[1:]:
        if not any(cell.strip() for cell in cells):
            blank += 1
        elif any(cell.strip() for cell in cells[len(names) :]):
            problems.append(_too_many(number, len(cells), len(names)))
        else:
            rows.append((number, {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}))
    return Table(tuple(rows), unknown, blank, tuple(problems))


def _decoded(content: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else the code page of Windows."""
    encoding = next((name for mark, name in BOMS if content.startswith(mark)), "utf-8-sig")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """By the number of the line on which a row begins: a quoted cell may hold line breaks."""
    reader, begins, header = csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1, False
    try:
        for cells in reader:
            header = header or any(cell.strip() for cell in cells)
            if header:
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as why:
        raise Refused(f"Line {reader.line_num} cannot be read as a table: {why}.") from None


def _named(header: list[str]) -> list[str]:
    """Our name of each column, empty for one that is not known or comes a second time."""
    known = {_plain(word): name for name, words in COLUMNS.items() for word in (name, *words)}
    names: list[str] = []
    for cell in header:
        name = known.get(_plain(cell), "")
        names.append("" if name in names else name)
    return names


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.casefold())


def _too_many(row: int, cells: int, columns: int) -> Problem:
    words = f"the row has {cells} cells under {columns} columns"
    return Problem(row, "", "", words, "put cells that hold the separator in quotes")
