"""A task that no other workflow owns: a review, or one whose case has ended while it was open.

The row comes first: whoever needs the task inserts it with its process (version 0) in its own transaction. The
sweeper then starts this workflow for it, or the person who completes it does; both know its id.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.contracts.calls import Activity, Kind

WORKFLOW, COMPLETE = "Task", "complete"
PROCESS, COMPLETION = "task", "completion"


class TaskKind(StrEnum):
    REVIEW = "review"
    ORPHAN = "orphan"


def workflow_id(tenant: str, task_id: str) -> str:
    """The tenant comes first: the codec reads it."""
    return f"{tenant}:task:{task_id}"


@dataclass(frozen=True)
class State:
    """Whole: every task can start from its State. `version` counts what was recorded; 0: taken up by nobody yet."""

    task_id: str
    version: int = 0
    rung: int = 0
    due_at: datetime | None = None
    done: bool = False


@dataclass(frozen=True)
class Start:
    state: State


@dataclass(frozen=True)
class Completion:
    """A committed row of `decision`: its id, and what came of the task."""

    id: str
    outcome: str
    note: str = ""


@dataclass(frozen=True)
class Climbing:
    """The instant of `state` has passed."""

    state: State
    at: datetime


@dataclass(frozen=True)
class Completing:
    state: State
    completion: Completion
    at: datetime


@dataclass(frozen=True)
class Recorded:
    """The State after it. `refusal` says in words why a completion did not apply."""

    state: State
    refusal: str = ""


TAKE = Activity("task.take", takes=State, gives=Recorded, kind=Kind.STORE)
CLIMB = Activity("task.climb", takes=Climbing, gives=Recorded, kind=Kind.STORE)
FINISH = Activity("task.finish", takes=Completing, gives=Recorded, kind=Kind.STORE)
