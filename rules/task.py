"""Who holds a task: the ladder an overdue one climbs, and who stands in for people who are away or have left.

Nobody is never an answer: a task is held by somebody who is here, or by a named pool.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from rules.calendar import Clock, Unit


class Rung(StrEnum):
    """How far an overdue task has climbed. At `BREACH` nobody is left above: the director keeps it."""

    OWNER = "owner"
    POOL = "pool"
    LEAD = "lead"
    DIRECTOR = "director"
    BREACH = "breach"


class Ladder(StrEnum):
    """The ladders a routing table may choose."""

    STANDARD = "standard"
    DIRECT = "direct"


# Rung 1 is the pool on every ladder: a partner's overdue answer opens its task there.
LADDERS: dict[Ladder, tuple[Rung, ...]] = {
    Ladder.STANDARD: (Rung.OWNER, Rung.POOL, Rung.LEAD, Rung.DIRECTOR, Rung.BREACH),
    Ladder.DIRECT: (Rung.OWNER, Rung.POOL, Rung.DIRECTOR, Rung.BREACH),
}
TOP_POOLS = ("medical_director", "organization_admin")

REVIEW_CLOCKS: dict[str, Clock] = {
    "stat": Clock(4, Unit.HOURS),
    "urgent": Clock(1, Unit.BUSINESS_DAYS),
    "routine": Clock(2, Unit.BUSINESS_DAYS),
}


@dataclass(frozen=True)
class Holder:
    """Somebody, or everybody of a pool where `owner` is None; the pool's name is never empty."""

    pool: str
    owner: UUID | None = None

    def __post_init__(self) -> None:
        if not self.pool:
            raise ValueError("a task is held by a pool or by somebody of one")


@dataclass(frozen=True)
class People:
    """A clinic's staff at one instant.

    `roles` names the active accounts only. `away` says who is absent and who stands in (None: nobody was named).
    `rotation` and `leads` list the people of a pool in the order in which they are asked.
    """

    roles: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    away: Mapping[UUID, UUID | None] = field(default_factory=dict)
    rotation: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    leads: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)

    def here(self, person: UUID) -> bool:
        return person in self.roles and person not in self.away

    def serves(self, person: UUID, pool: str) -> bool:
        """Whether a person does this pool's work."""
        listed = (*self.rotation.get(pool, ()), *self.leads.get(pool, ()))
        return pool in self.roles.get(person, frozenset()) or person in listed


def rungs(ladder: str) -> tuple[Rung, ...]:
    """The rungs of a ladder from the bottom; an unknown name is the standard one."""
    return LADDERS[Ladder(ladder)] if ladder in set(Ladder) else LADDERS[Ladder.STANDARD]


def rung_at(ladder: str, height: int) -> Rung:
    """The rung at a height; above the top it is the top."""
    steps = rungs(ladder)
    return steps[min(max(height, 0), len(steps) - 1)]


def present_holder(holder: Holder, people: People) -> Holder:
    """Whom a task goes to that was meant for `holder`.

    Away: the surrogate, or the surrogate's own; nobody there: whoever covers the pool, else the pool.
    Left: the pool.
    """
    if holder.owner is None:
        return holder
    if holder.owner not in people.roles:
        return Holder(holder.pool)
    return Holder(holder.pool, stand_in(holder.owner, holder.pool, people) or _covering(holder.pool, people))


def stand_in(person: UUID, pool: str, people: People) -> UUID | None:
    """The person, or the first of the chain of surrogates who is here and does the pool's work; None: nobody.

    For a director, and for somebody whose task lies outside his own work, any surrogate will do.
    """
    anybody = pool in TOP_POOLS or not people.serves(person, pool)
    for one in _chain(person, people):
        if people.here(one) and (one == person or anybody or people.serves(one, pool)):
            return one
    return None


def next_holder(rung: Rung, holder: Holder, people: People, pool: str) -> Holder:
    """Who holds an overdue task that reaches a rung; `pool` is the pool whose work it is.

    A rung on which nobody is to be found is passed over; where nobody is above, the task stays with those who have it.
    """
    match rung:
        case Rung.OWNER:
            return present_holder(holder, people)
        case Rung.POOL:
            return Holder(pool)
        case Rung.LEAD:
            lead = _first(people.leads.get(pool, ()), pool, people, holder.owner)
            return Holder(pool, lead) if lead else _director(holder, people, pool)
    return _director(holder, people, pool)


def _director(holder: Holder, people: People, pool: str) -> Holder:
    if holder.pool in TOP_POOLS and holder.owner and people.here(holder.owner):
        return holder
    for top in TOP_POOLS:
        if person := _first(_with_role(top, people), top, people, holder.owner):
            return Holder(top, person)
    return present_holder(holder, people) if holder.owner else Holder(pool)


def _covering(pool: str, people: People) -> UUID | None:
    return next((one for one in people.rotation.get(pool, ()) if people.here(one)), None)


def _first(candidates: tuple[UUID, ...], pool: str, people: People, but: UUID | None) -> UUID | None:
    """The first candidate's presence, other than the one who has it now."""
    found = (stand_in(one, pool, people) for one in candidates)
    return next((one for one in found if one is not None and one != but), None)


def _with_role(role: str, people: People) -> tuple[UUID, ...]:
    """In a fixed order, so that the same facts always give the same person."""
    return tuple(sorted(person for person, roles in people.roles.items() if role in roles))


def _chain(person: UUID, people: People) -> Iterator[UUID]:
    """A person and the surrogates in turn, until one is here, has left, or would come a second time."""
    seen: set[UUID] = set()
    one: UUID | None = person
    while one is not None and one not in seen:
        seen.add(one)
        yield one
        one = people.away.get(one) if one in people.roles else None
