"""What a command typed by an operator works with: the store and the engine of the clinic that runs in a home."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.bootstrap import Parts, build, connect_engine
from infra.settings import load
from infra.telemetry import set_up_logging
from web.client import Engine

POOL = 4


@dataclass(frozen=True)
class Operated:
    parts: Parts
    engine: Engine


@contextmanager
def operating(home: Path | None) -> Iterator[Operated]:
    """Leaves with a reason where no clinic has been started; closes both connections at the end."""
    settings = load(home)
    if not settings.database_url or not settings.temporal_address:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it with `careloop up`.")
    set_up_logging("warning", sys.stderr)
    parts = build(settings, POOL)
    engine = Engine(lambda: connect_engine(settings, parts.ring))
    try:
        yield Operated(parts, engine)
    finally:
        engine.close()
        parts.sessions.engine.dispose()
