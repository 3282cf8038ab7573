"""Version 1 of each decision table: the defaults of the rules as decision tables (JDM), nothing stated twice."""

import json
from collections.abc import Callable, Iterable
from enum import StrEnum

from rules.calendar import Clock
from rules.referral.vocabulary import Priority
from rules.referral.waits import AFTER_VISIT, CALL_WITHIN, CLOCKS, NEXT_TRY, RUNGS, Since
from rules.task import REVIEW_CLOCKS, Ladder

Content = dict[str, object]
Row = dict[str, str]


class Table(StrEnum):
    """The decision tables there are."""

    REFERRAL_CLOCK = "referral_clock"
    REFERRAL_ROUTING = "referral_routing"
    TASK_CLOCK = "task_clock"


def shipped(table: Table) -> Content:
    """The table that comes with the program."""
    return SHIPPED[table]()


def table_content(inputs: Iterable[str], outputs: Iterable[str], rows: Iterable[Row]) -> Content:
    """A decision table whose first fitting row answers.

    An empty input cell fits everything; a field's cell may list alternatives (`"stat", "urgent"`). Words stand in
    quotes; an output cell is an expression over the facts.
    """
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            _node("facts", "inputNode"),
            _node("table", "decisionTableNode")
            | {
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": name, "name": name, "field": name} for name in inputs],
                    "outputs": [{"id": name, "name": name, "field": name} for name in outputs],
                    "rules": [{"_id": str(number)} | row for number, row in enumerate(rows, 1)],
                }
            },
            _node("outcome", "outputNode"),
        ],
        "edges": [_edge("facts", "table"), _edge("table", "outcome")],
    }


def _node(name: str, kind: str) -> dict[str, object]:
    return {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}}


def _edge(source: str, target: str) -> dict[str, str]:
    return {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}


def word(value: str) -> str:
    """A word as it stands in a cell."""
    return json.dumps(value, ensure_ascii=False)


def span(clock: Clock) -> Row:
    """The output cells of a clock."""
    return {"amount": str(clock.amount), "unit": word(clock.unit)}


def _referral_clock() -> Content:
    rows = [
        {"since": word(Since.VISIT)} | span(AFTER_VISIT),
        {"since": word(Since.ANNOUNCEMENT)} | span(CALL_WITHIN),
    ]
    rows += [{"since": word(Since.RUNG), "priority": word(priority)} | span(RUNGS[priority]) for priority in Priority]
    rows += [
        {"since": word(Since.STAGE), "stage": word(stage), "priority": word(priority)} | span(clock)
        for stage, clocks in CLOCKS.items()
        for priority, clock in clocks.items()
    ]
    rows += [row for priority in Priority for row in _next_tries(priority)]
    return table_content(("since", "stage", "priority", "tries"), ("amount", "unit"), rows)


def _next_tries(priority: Priority) -> list[Row]:
    """The first tries one by one; the last clock holds for every further one."""
    clocks = NEXT_TRY[priority]
    rows = [
        {"since": word(Since.ATTEMPT), "priority": word(priority), "tries": word(str(number))} | span(clock)
        for number, clock in enumerate(clocks, 1)
    ]
    return [*rows[:-1], {name: cell for name, cell in rows[-1].items() if name != "tries"}]


def _referral_routing() -> Content:
    """Whom the rules name; a clinic puts its own rows above."""
    rows: list[Row] = [
        {"priority": word(Priority.STAT), "pool": "asked", "ladder": word(Ladder.DIRECT)},
        {"pool": "asked", "ladder": word(Ladder.STANDARD)},
    ]
    return table_content(("stage", "priority", "site", "service", "asked"), ("pool", "ladder"), rows)


def _task_clock() -> Content:
    rows = [{"since": word(Since.RUNG), "priority": word(priority)} | span(RUNGS[priority]) for priority in Priority]
    rows += [{"priority": word(priority)} | span(clock) for priority, clock in REVIEW_CLOCKS.items()]
    return table_content(("since", "kind", "priority"), ("amount", "unit"), rows)


SHIPPED: dict[Table, Callable[[], Content]] = {
    Table.REFERRAL_CLOCK: _referral_clock,
    Table.REFERRAL_ROUTING: _referral_routing,
    Table.TASK_CLOCK: _task_clock,
}
