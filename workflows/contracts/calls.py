"""What an activity is called, takes and gives, and how it is to be run."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Kind(StrEnum):
    """STORE: our own database, under a second. PARTNER: a network; it beats (`activities/beating.py`). JOB: longer."""

    STORE = "store"
    PARTNER = "partner"
    JOB = "job"


@dataclass(frozen=True)
class Activity(Generic[A, R]):
    """`queue` is None to run on the caller's queue; a partner with a rate limit names `partner-<name>`."""

    name: str
    takes: type[A]
    gives: type[R]
    kind: Kind
    queue: str | None = None


INTERACTIVE, BULK = "interactive", "bulk"
REFUSED, DIVERGED, UNREADABLE, NOT_OPENED = "Refused", "Diverged", "Unreadable", "NotOpened"
