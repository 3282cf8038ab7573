"""What the supervisor runs: services that stay, chores that end, in stages."""

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.seed.people import Person

Probe = Callable[[int], Awaitable[str]]  # given the child's pid: what is missing yet, or ""


@dataclass(frozen=True)
class Service:
    """A program kept running; without a command, a server of somebody else that is only watched."""

    name: str
    command: tuple[str, ...] = ()
    probe: Probe | None = None  # None: the program calls `announce_ready()`
    address: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)  # all of it: nothing is inherited
    folder: Path = Path("/")
    account: str = "-"
    stop: signal.Signals = signal.SIGTERM
    patience: float = 15  # seconds between `stop` and SIGKILL


@dataclass(frozen=True)
class Chore:
    """Work between two stages; what it raises stops the start."""

    name: str
    work: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Plan:
    """Stages in order. What stands in one stage starts together; all stop one by one in the opposite order."""

    stages: tuple[tuple[Service | Chore, ...], ...]
    people: Sequence[Person]  # to sign in as, for the table of `careloop up`
    address: str  # where the pages are


class StartRefused(Exception):
    """The clinic cannot start; the text says why and what to do."""
