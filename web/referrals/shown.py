"""What the address of a case asks to see: its place in a list, one kind of entry, a past moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.records.queries.worklist import walk
from web.access import Person
from web.referrals.present import Source
from web.tasks import asked as queue


@dataclass(frozen=True)
class Shown:
    """`within` is the view the case was opened from, if any; `as_of` a past instant; `show` the kind of entry."""

    case_id: UUID
    within: queue.Asked | None = None
    show: Source | None = None
    as_of: datetime | None = None
    everything: bool = False

    def url(self, path: str = "", **more: str) -> str:
        """The case's own address with all of it; `path` goes behind the case's id."""
        pairs = self.within.pairs() if self.within else []
        pairs += [("show", self.show)] if self.show else []
        pairs += [("as_of", self.as_of.isoformat())] if self.as_of else []
        pairs += [("everything", "1")] if self.everything else []
        query = urlencode([*pairs, *more.items()])
        return f"/referrals/{self.case_id}{path}" + (f"?{query}" if query else "")

    def but(self, **fields: object) -> "Shown":
        """The same with some of it changed."""
        return replace(self, **fields)  # type: ignore[arg-type]


def read(case_id: UUID, parameters: Mapping[str, Sequence[str]], zone: ZoneInfo) -> Shown:
    """The address's parameters; values we do not know are left out."""

    def first(name: str) -> str:
        return next(iter(parameters.get(name, ())), "")

    return Shown(
        case_id,
        within=queue.read(parameters) if "view" in parameters else None,
        show=Source(first("show")) if first("show") in set(Source) else None,
        as_of=moment(first("as_of"), zone),
        everything=bool(first("everything")),
    )


def moment(words: str, zone: ZoneInfo) -> datetime | None:
    """A moment as a field or an address gives it; without a zone it is the clinic's. None for what is no moment."""
    try:
        told = datetime.fromisoformat(words) if words else None
    except ValueError:
        return None
    if told is None:
        return None
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)


@dataclass(frozen=True)
class Neighbours:
    """The cases before and after in the list; `words` say where this one stands (`5 of 46 in Due or overdue`)."""

    previous: UUID | None = None
    next: UUID | None = None
    words: str = ""


NOWHERE = Neighbours()


def neighbours(session: Session, shown: Shown, person: Person, now: datetime, zone: ZoneInfo) -> Neighbours:
    """Nothing when the case was not opened from a list, or has left it."""
    if shown.within is None:
        return NOWHERE
    rows = walk(session, queue.filters(shown.within, person, now, zone), now)
    cases = list(dict.fromkeys(case for _, case in rows))
    if shown.case_id not in cases:
        return Neighbours(next=cases[0] if cases else None)
    at = cases.index(shown.case_id)
    return Neighbours(
        previous=cases[at - 1] if at else None,
        next=cases[at + 1] if at + 1 < len(cases) else None,
        words=f"{at + 1} of {len(cases)} in {shown.within.view.label}",
    )
