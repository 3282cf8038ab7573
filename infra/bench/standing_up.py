"""A second start of the seeded clinic, and what it holds in memory when nothing happens."""

import time
from pathlib import Path

from infra.bench.clinic import await_ready, down, up
from infra.bench.machine import family, resident_mib
from infra.bench.result import Result, at_most, beside_limit
from infra.supervisor.home import Home
from infra.supervisor.remove import remove

ROUNDS = 3
SETTLE = 10.0  # seconds after which the start's own work is done


def measure(folder: Path) -> list[Result]:
    """The first start makes and seeds the store; it is not counted."""
    home, log = Home(folder / "home"), folder / "clinic.log"
    _start(home, log)
    try:
        runs = [_start(home, log) for _ in range(ROUNDS)]
    finally:
        remove(home)
    seconds, memory = zip(*runs, strict=True)
    return [
        beside_limit("second-start", "s to ready", seconds, at_most(12)),
        beside_limit("idle-memory", "MiB", memory, at_most(1.2 * 1024)),
    ]


def _start(home: Home, log: Path) -> tuple[float, float]:
    began = time.monotonic()
    process = up(home, log)
    try:
        await_ready(home, process, log)
        took = time.monotonic() - began
        time.sleep(SETTLE)
        return took, resident_mib(family(process.pid))
    finally:
        down(process)
