"""The folder in which a clinic's state lives, and who may run it."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Started by root, PostgreSQL lies here: it refuses to run as root, and root's own folders are closed to others.
SHARED = Path("/var/lib/careloop")


class AlreadyRunning(Exception):
    """Another supervisor holds this home; the text says what to do."""


class Home:
    """`CARELOOP_HOME`: readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.keys = self.folder / "keys"
        self.logs = self.folder / "logs"
        self.processes = self.folder / "run"
        self.temporal = self.folder / "temporal"
        self.ports = self.folder / "ports.json"
        self.status = self.folder / "status.json"
        self.postgres_where = self.folder / "postgres.where"

    @property
    def short_id(self) -> str:
        """Twelve hexadecimal digits that tell this home from others on the machine."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]

    def make(self) -> None:
        """Creates the folders that are missing, closed to other users."""
        for folder in (self.folder, self.keys, self.logs, self.processes, self.temporal):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the home for one supervisor. Raises AlreadyRunning; the kernel frees it when we die."""
        self.make()
        with (self.folder / "supervisor.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                raise AlreadyRunning(
                    f"This clinic is already running from {self.folder}. "
                    "`careloop status` shows it, `careloop down` stops it."
                ) from held
            yield


@contextmanager
def shared() -> Iterator[None]:
    """The folder of root's homes, for one process at a time to add to or take from."""
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = os.open(SHARED, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write_private(path: Path, value: dict[str, Any]) -> None:
    """Writes JSON whole or not at all, readable by the owner only."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file, or an empty one when there is no such file."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return value
