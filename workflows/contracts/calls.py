"""What an activity is called, takes and gives, and how it is to be run."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Kind(StrEnum):
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
REFUSED, DIVERGED, UNREADABLE = "Refused", "Diverged", "Unreadable"
