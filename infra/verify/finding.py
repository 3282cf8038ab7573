"""What a check of the promises looks at and what it may find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from activities.records.ring import KeyRing
from activities.records.sessions import Sessions
from web.client import Engine

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Finding:
    """A promise broken: `subject` names the case, message or row by number or id, `words` say it plainly.

    Never with a patient's name: what is found is printed, kept and sent on.
    """

    subject: str
    words: str


@dataclass(frozen=True)
class Clinic:
    """One clinic as a check sees it; `session` is a transaction of its own that is read only by intent."""

    tenant: str
    session: Session
    sessions: Sessions
    ring: KeyRing
    engine: Engine


Check = Callable[[Clinic], Iterator[Finding]]
