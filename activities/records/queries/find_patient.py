"""Finding a patient by what somebody says at a desk: family name, birth date, phone or MRN."""

import re
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from activities.records.patient import Patient

LIMIT = 20
LAST = "\U0010ffff"


def find_patients(session: Session, words: str) -> list[Patient]:
    """Up to 20, by name; an empty list when nothing matches."""
    query = select(Patient).where(_meant(words.strip())).order_by(Patient.family, Patient.given).limit(LIMIT)
    return list(session.scalars(query))


def _meant(words: str) -> ColumnElement[bool]:
    """A birth date, a phone number, an MRN, else the beginning of a family name and of a given name."""
    if born := _date(words):
        return Patient.birth_date == born
    digits = re.sub(r"\D", "", words)
    if len(digits) >= 7 and not re.search(r"[A-Za-z]", words):
        return Patient.phone == f"+1{digits[-10:]}"
    if re.fullmatch(r"[A-Za-z]{1,4}-?\d{3,}", words):
        return Patient.mrn == words.upper()
    family, _, given = words.partition(",") if "," in words else words.partition(" ")
    found = _begins(Patient.family, family.strip())
    return found & _begins(Patient.given, given.strip()) if given.strip() else found


def _begins(column: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    """A prefix as a range: row security lets only such comparisons reach an index."""
    start = start[:1].upper() + start[1:]
    return (column >= start) & (column < start + LAST)


def _date(words: str) -> date | None:
    for form in ("%m/%d/%Y", "%Y-%m-%d", "%m-%d-%Y"):
        try:
            return datetime.strptime(words, form).date()  # noqa: DTZ007 a birth date has no zone
        except ValueError:
            continue
    return None
