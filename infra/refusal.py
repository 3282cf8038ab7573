"""What an operator's command will not do, and why, in words."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Refused(Exception):
    """The text says why, and what would be needed."""


@contextmanager
def said() -> Iterator[None]:
    """Leaves the program with the reason, without a trace, where something is refused or a file is in the way."""
    # Here, so that commands answer at once: these bring the ciphers and the supervisor.
    from activities.records.ring import Unreadable
    from infra.supervisor.home import AlreadyRunning
    from infra.supervisor.service import StartRefused

    try:
        yield
    except (Refused, Unreadable, AlreadyRunning, StartRefused, ValueError, OSError) as why:
        sys.exit(f"careloop: {why}")
