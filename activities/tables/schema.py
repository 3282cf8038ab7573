"""What a table of each name must look like, and what may come out of it: said in sentences for its author."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from activities.tables.shipped import Table
from rules.access import Role
from rules.calendar import Unit
from rules.referral.vocabulary import OPEN, Priority
from rules.referral.waits import Since
from rules.task import Ladder

LONGEST_SPAN = 3660
MOST_TRIES = 4


class TableRefused(ValueError):
    """A table that cannot be used; each of `reasons` names the row and the column."""

    def __init__(self, table: str, reasons: Iterable[str]) -> None:
        self.table, self.reasons = table, tuple(reasons)
        super().__init__(f"{table}: {' '.join(self.reasons)}")


@dataclass(frozen=True)
class Schema:
    """The columns. `inputs` lists a column's possible words, none for free text; `outputs` what fits, in words."""

    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[Callable[[object], bool], str]]

    def faults(self, outcome: Mapping[str, object]) -> list[str]:
        """What is wrong with an answer, one sentence each."""
        missing = [f"The answer has no {name}." for name in self.outputs if name not in outcome]
        return missing + [
            f"{name} is {outcome[name]!r} but must be {wanted}."
            for name, (fits, wanted) in self.outputs.items()
            if name in outcome and not fits(outcome[name])
        ]


def _span(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LONGEST_SPAN


def _one_of(words: Iterable[str]) -> tuple[Callable[[object], bool], str]:
    known = tuple(str(word) for word in words)
    return (lambda value: value in known), f"one of {', '.join(known)}"


CLOCK_OUTPUTS = {
    "amount": (_span, f"a whole number from 1 to {LONGEST_SPAN}"),
    "unit": _one_of(Unit),
}
PRIORITIES = tuple(str(priority) for priority in Priority)
STAGES = tuple(sorted(str(stage) for stage in OPEN))
SINCE = tuple(str(since) for since in Since)
TRIES = tuple(str(number) for number in range(1, MOST_TRIES + 1))
ROLES = tuple(str(role) for role in Role)

SCHEMAS: dict[Table, Schema] = {
    Table.REFERRAL_CLOCK: Schema(
        {"since": SINCE, "stage": STAGES, "priority": PRIORITIES, "tries": TRIES}, CLOCK_OUTPUTS
    ),
    Table.REFERRAL_ROUTING: Schema(
        {"stage": STAGES, "priority": PRIORITIES, "site": (), "service": (), "asked": ROLES},
        {"pool": _one_of(Role), "ladder": _one_of(Ladder)},
    ),
    Table.TASK_CLOCK: Schema(
        {"since": (Since.STAGE, Since.RUNG), "kind": ("review", "orphan"), "priority": PRIORITIES}, CLOCK_OUTPUTS
    ),
}
