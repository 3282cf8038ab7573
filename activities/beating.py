"""A sign of life to the engine while a call to a partner holds the thread."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from temporalio import activity

EVERY = 2.0


@contextmanager
def beating(seconds: float = EVERY) -> Iterator[None]:
    """Tells the engine every `seconds` that this process lives: a killed one is replaced when the beats stop."""
    over = Event()
    here = contextvars.copy_context()
    beats = Thread(target=here.run, args=(_beat, over, seconds), name="beating", daemon=True)
    beats.start()
    try:
        yield
    finally:
        over.set()
        beats.join()


def _beat(over: Event, seconds: float) -> None:
    while not over.wait(seconds):
        activity.heartbeat()
