"""What a scenario has to tell: one case, its steps with their instants, and whether it closed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class StepTold:
    name: str
    at: str


@dataclass
class Told:
    """`case` is the number people call it by; `problem` says why it did not close."""

    case: str = ""
    steps: list[StepTold] = field(default_factory=list)
    closed: bool = False
    problem: str = ""

    def step(self, name: str) -> None:
        self.steps.append(StepTold(name, datetime.now(UTC).isoformat(timespec="milliseconds")))
