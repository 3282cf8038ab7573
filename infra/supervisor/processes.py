"""Processes by pid and start time, so that a pid used again is never taken for ours."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.supervisor.home import read_json, write_private


@dataclass(frozen=True)
class Identity:
    pid: int
    started: int  # clock ticks since the machine started, field 22 of /proc/<pid>/stat


def identify(pid: int) -> Identity | None:
    """The process now living under a pid; None when there is none or it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else Identity(pid, int(fields[19]))


def alive(who: Identity | None) -> bool:
    return who is not None and identify(who.pid) == who


def write_pid(path: Path, pid: int, stop: signal.Signals) -> None:
    """Leaves who runs and how it likes to be stopped, for the next start."""
    if who := identify(pid):
        write_private(path, {**asdict(who), "stop": int(stop)})


def read_pid(path: Path) -> Identity | None:
    known = read_json(path)
    return Identity(known["pid"], known["started"]) if known else None


def signal_group(pid: int, what: signal.Signals) -> None:
    """Signals a child and all it started; silent when they are gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, what)


def wait_gone(who: Identity, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while alive(who):
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def stop_strays(folder: Path, say: Callable[[str], None], patience: float = 20) -> None:
    """Stops what a supervisor that died has left running, the youngest first."""
    known = [(path, read_json(path)) for path in folder.glob("*.json")]
    for path, what in sorted(known, key=lambda each: each[1].get("started", 0), reverse=True):
        who = Identity(what["pid"], what["started"])
        if alive(who):
            say(f"stopping {path.stem} (process {who.pid}), left by a supervisor that died")
            signal_group(who.pid, signal.Signals(what["stop"]))
            if not wait_gone(who, patience):
                signal_group(who.pid, signal.SIGKILL)
                wait_gone(who, patience)
        path.unlink(missing_ok=True)
