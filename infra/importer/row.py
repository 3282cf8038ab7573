"""One row of the list as values: who, whom to, and where the referral stands since when."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from infra.importer import values
from infra.importer.problem import NotUnderstood, Problem
from infra.importer.table import Cells
from rules.referral.vocabulary import Priority, Stage
from rules.registration import plain_phone

T = TypeVar("T")
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#-]{0,39}")
AHEAD = ("appointment", "report_due")  # the instants that may lie ahead
INSTANTS = (
    "opened",
    "sent",
    "accepted",
    "appointment",
    "visit",
    "report",
    "reviewed",
    "report_due",
    "last_attempt",
    "since",
)


@dataclass(frozen=True)
class Row:
    """`dates` holds the instants that the row gives, by column; `number` is the referral's, `line` the row's."""

    line: int
    number: str
    mrn: str
    family: str
    given: str
    birth_date: date
    sex: str
    phone: str
    specialist: str
    service: str
    priority: Priority
    stage: Stage
    dates: dict[str, datetime]
    question: str
    note: str
    diagnoses: tuple[str, ...]
    requester: str
    site: str


def read_row(line: int, cells: Cells, zone: ZoneInfo, now: datetime) -> Row | list[Problem]:
    """The row, or everything in it that is not understood."""
    wrong: list[Problem] = []

    def take(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except NotUnderstood as why:
            wrong.append(why.at(line))
            return otherwise

    def filled(column: str, what: str) -> str:
        return take(lambda: _filled(cells, column, what), "")

    given = {name: value for name in INSTANTS if (value := cells.get(name, ""))}
    dates = {
        name: take(lambda name=name, value=value: values.instant(name, value, zone), now)  # type: ignore[misc]
        for name, value in given.items()
    }
    row = Row(
        line=line,
        number=take(lambda: _number(cells), ""),
        mrn=filled("mrn", "the patient's record number"),
        family=filled("family", "the family name"),
        given=filled("given", "the given name"),
        birth_date=take(lambda: _birth_date(cells, now), date.min),
        sex=take(lambda: values.sex("sex", cells.get("sex", "")), ""),
        phone=plain_phone(cells.get("phone", "")),
        specialist=filled("specialist", "to whom the patient is referred"),
        service=filled("service", "what is asked for, such as Gastroenterology"),
        priority=take(lambda: values.priority("priority", cells.get("priority", "")), Priority.ROUTINE),
        stage=take(lambda: values.stage("stage", _filled(cells, "stage", "where it stands")), Stage.DRAFT),
        dates={name: at if name in AHEAD else _past(at, given[name], now) for name, at in dates.items()},
        question=cells.get("question", ""),
        note=cells.get("note", ""),
        diagnoses=values.codes(cells.get("diagnoses", "")),
        requester=cells.get("requester", ""),
        site=cells.get("site", ""),
    )
    wrong += [_to_come(line, name, given[name]) for name, at in row.dates.items() if at > now and name not in AHEAD]
    return wrong or row


def _past(at: datetime, written: str, now: datetime) -> datetime:
    """A day without a time counts from noon; before noon today's is now."""
    return now if at > now and ":" not in written and (at - now).total_seconds() < 86_400 // 2 else at


def _to_come(line: int, column: str, value: str) -> Problem:
    wrong = NotUnderstood(column, value, "this date lies ahead", "only appointment and report_due may lie ahead")
    return wrong.at(line)


def _filled(cells: Cells, column: str, what: str) -> str:
    if value := cells.get(column, ""):
        return value
    raise NotUnderstood(column, "", "nothing stands here", f"write {what}")


def _number(cells: Cells) -> str:
    value = _filled(cells, "number", "the number that people call the referral by")
    if NUMBER.fullmatch(value):
        return value
    raise NotUnderstood("number", value, "this is no number of a referral", "up to 40 letters, digits and . _ / # -")


def _birth_date(cells: Cells, now: datetime) -> date:
    value = _filled(cells, "birth_date", "the birth date")
    born = values.day("birth_date", value)
    if date(1900, 1, 1) <= born <= now.date():
        return born
    raise NotUnderstood("birth_date", value, "nobody alive was born then", values.WRITE_DAY)
