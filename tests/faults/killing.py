"""Dying at a chosen moment: just before or just after one of the commits of one part of the platform."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Killed(Exception):
    """What a part of the platform dies of: nothing of ours expects it."""


@dataclass(frozen=True)
class Point:
    """The `number`th commit made by threads whose name begins with `whose`, counted from 1."""

    whose: str
    number: int
    when: When

    def __str__(self) -> str:
        return f"{self.whose}-{self.number}-{self.when}"


class Killer:
    """Watches every commit of one engine; at most one point at a time is armed, and it strikes once."""

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._point: Point | None = None
        self._seen: dict[str, int] = {}
        self._here = threading.local()
        self.struck = False
        self._engine = engine
        event.listen(engine, "commit", self._before)
        event.listen(Session, "after_commit", self._after)

    def close(self) -> None:
        event.remove(self._engine, "commit", self._before)
        event.remove(Session, "after_commit", self._after)

    @contextmanager
    def armed(self, point: Point | None) -> Iterator[None]:
        """Strikes inside; without a point it only counts."""
        with self._lock:
            self._point, self._seen, self.struck = point, {}, False
        try:
            yield
        finally:
            with self._lock:
                self._point = None

    def commits(self, whose: str) -> int:
        """How many commits these threads made since the last arming."""
        with self._lock:
            return sum(count for name, count in self._seen.items() if name.startswith(whose))

    def _before(self, _: Any) -> None:
        name = threading.current_thread().name
        with self._lock:
            self._seen[name] = self._seen.get(name, 0) + 1
            point = self._point
            reached = point and name.startswith(point.whose) and self._count(point.whose) == point.number
            self._here.dies = bool(reached and not self.struck and point and point.when is When.AFTER)
            if reached and not self.struck:
                self.struck = True
                if point and point.when is When.BEFORE:
                    raise Killed

    def _after(self, _: Session) -> None:
        if getattr(self._here, "dies", False):
            self._here.dies = False
            raise Killed

    def _count(self, whose: str) -> int:
        return sum(count for name, count in self._seen.items() if name.startswith(whose))
