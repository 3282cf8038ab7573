"""How a process started by the supervisor says that it can take work."""

import os
from pathlib import Path

READY_FILE = "CARELOOP_READY_FILE"


def announce_ready() -> None:
    """Call once, when the process can take work: touches the file the supervisor waits for.

    Started by hand, without the supervisor, it does nothing.
    """
    if path := os.environ.get(READY_FILE):
        Path(path).touch()
