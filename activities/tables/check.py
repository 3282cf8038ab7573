"""Checks a table before it is stored: every fault at once, each in a sentence that names its row."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import product

from sqlalchemy.orm import Session

from activities.records.rule_table import add_version
from activities.records.sessions import Context
from activities.tables.engine import answer_of, condition_fault, expression_fault, hash_of
from activities.tables.schema import SCHEMAS, Schema, TableRefused
from activities.tables.shipped import Content, Row, Table, table_content

ROW = "row"
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
MOST_ROWS = 2000
MOST_FAULTS = 20


def propose(session: Session, context: Context, table: Table, rows: list[Row], effective_from: datetime) -> int:
    """Stores the clinic's next version of a table, to be approved by somebody else; gives its number.

    Raises `TableRefused` with the faults found.
    """
    content = checked(table, rows)
    return add_version(session, context, table, content, hash_of(content), effective_from)


def checked(table: Table, rows: list[Row]) -> Content:
    """The rows as a table that answers every case; raises `TableRefused` otherwise."""
    schema = SCHEMAS[table]
    faults = list(_cells(schema, rows)) or list(_cases(schema, rows))
    if faults:
        raise TableRefused(table, faults[:MOST_FAULTS])
    return table_content(schema.inputs, schema.outputs, rows)


def _cells(schema: Schema, rows: list[Row]) -> Iterator[str]:
    if not 0 < len(rows) <= MOST_ROWS:
        yield f"A table has from 1 to {MOST_ROWS} rows; this one has {len(rows)}."
    for number, row in enumerate(rows, 1):
        for name in sorted(row.keys() - schema.inputs.keys() - schema.outputs.keys()):
            yield f"Row {number}: there is no column {name}."
        for name in schema.inputs:
            if fault := condition_fault(row.get(name, "")):
                yield f"Row {number}, {name}: {fault}."
        for name in schema.outputs:
            if fault := expression_fault(row.get(name, "")):
                yield f"Row {number}, {name}: {fault}."


def _cases(schema: Schema, rows: list[Row]) -> Iterator[str]:
    """Runs every combination of the words the columns know and the cells name."""
    numbered = [row | {ROW: str(number)} for number, row in enumerate(rows, 1)]
    answer = answer_of(table_content(schema.inputs, (*schema.outputs, ROW), numbered))
    unused = set(range(1, len(rows) + 1))
    for facts in _every_case(schema, rows):
        outcome = answer(facts)
        if not outcome:
            yield f"No row answers {_words(facts)}."
            continue
        number = outcome[ROW]
        unused.discard(int(str(number)))
        yield from (f"Row {number}: {fault}" for fault in schema.faults(outcome))
    for number in sorted(unused):
        yield f"Row {number} never answers: a row above it fits first, or a word in it is misspelt."


def _every_case(schema: Schema, rows: list[Row]) -> Iterator[dict[str, str]]:
    """A column in which no row says anything makes no difference, so its first word stands for all."""
    choices = []
    for name, known in schema.inputs.items():
        cells = [row[name] for row in rows if row.get(name, "").strip()]
        named = known or ("", *sorted({said for cell in cells for said in QUOTED.findall(cell)}))
        choices.append(named if cells else named[:1])
    return (dict(zip(schema.inputs, chosen, strict=True)) for chosen in product(*choices))


def _words(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value)
