"""Who holds a task: somebody who is here, or a named pool; never nobody."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.task import LADDERS, TOP_POOLS, Holder, Ladder, People, Rung, next_holder, present_holder, rung_at, stand_in

ADA, BEA, CID, DOT = (UUID(int=number) for number in range(1, 5))
POOL = "clinician"
CLINICIAN = frozenset({POOL})
EVERYBODY = {ADA: CLINICIAN, BEA: CLINICIAN, CID: CLINICIAN, DOT: frozenset({"medical_director"})}

PERSON = st.sampled_from([UUID(int=number) for number in range(1, 9)])
ROLE = st.sampled_from([POOL, "nurse", *TOP_POOLS])
LISTED = st.dictionaries(ROLE, st.lists(PERSON, max_size=4).map(tuple))
PEOPLE = st.builds(
    People,
    roles=st.dictionaries(PERSON, st.frozensets(ROLE)),
    away=st.dictionaries(PERSON, st.none() | PERSON),
    rotation=LISTED,
    leads=LISTED,
)
HOLDERS = st.builds(Holder, pool=ROLE, owner=st.none() | PERSON)


@given(PEOPLE, HOLDERS, st.sampled_from(Rung), ROLE)
def test_whoever_is_away_or_has_left_a_task_is_held_by_somebody_here_or_by_a_pool(
    people: People, holder: Holder, rung: Rung, pool: str
) -> None:
    for found in (present_holder(holder, people), next_holder(rung, holder, people, pool)):
        assert found.pool
        assert found.owner is None or people.here(found.owner)


@given(PEOPLE, PERSON, ROLE)
def test_the_same_facts_always_give_the_same_surrogate_who_may_do_the_work(
    people: People, person: UUID, pool: str
) -> None:
    found = stand_in(person, pool, people)
    assert found == stand_in(person, pool, people)
    if found not in (None, person) and pool not in TOP_POOLS and people.serves(person, pool):
        assert people.serves(found or person, pool)


@given(PEOPLE, HOLDERS, st.sampled_from(Ladder))
def test_climbing_a_whole_ladder_never_drops_the_task(people: People, holder: Holder, ladder: Ladder) -> None:
    pool = holder.pool
    for height in range(1, 6):
        holder = next_holder(rung_at(ladder, height), holder, people, pool)
        assert holder.owner is None or people.here(holder.owner)


def test_somebody_who_is_here_keeps_the_task() -> None:
    assert present_holder(Holder(POOL, ADA), People(EVERYBODY)) == Holder(POOL, ADA)


def test_the_surrogate_of_the_surrogate_stands_in() -> None:
    people = People(EVERYBODY, away={ADA: BEA, BEA: CID})
    assert present_holder(Holder(POOL, ADA), people) == Holder(POOL, CID)


def test_surrogates_in_a_circle_lead_to_whoever_covers_the_pool() -> None:
    people = People(EVERYBODY, away={ADA: BEA, BEA: ADA}, rotation={POOL: (BEA, CID)})
    assert present_holder(Holder(POOL, ADA), people) == Holder(POOL, CID)


def test_without_anybody_to_cover_the_pool_has_it() -> None:
    people = People(EVERYBODY, away={ADA: None})
    assert present_holder(Holder(POOL, ADA), people) == Holder(POOL)


def test_the_tasks_of_somebody_who_left_go_to_the_pool() -> None:
    people = People({BEA: CLINICIAN}, away={ADA: BEA}, rotation={POOL: (BEA,)})
    assert present_holder(Holder(POOL, ADA), people) == Holder(POOL)


def test_a_surrogate_who_may_not_do_the_work_is_passed_over() -> None:
    people = People(EVERYBODY | {BEA: frozenset({"front_desk"})}, away={ADA: BEA})
    assert present_holder(Holder(POOL, ADA), people) == Holder(POOL)


def test_an_overdue_task_climbs_from_its_owner_over_pool_and_lead_to_the_director() -> None:
    people = People(EVERYBODY, leads={POOL: (CID,)})
    held = [holder := Holder(POOL, ADA)]
    for height in range(1, len(LADDERS[Ladder.STANDARD])):
        holder = next_holder(rung_at(Ladder.STANDARD, height), holder, people, POOL)
        held.append(holder)
    top = Holder("medical_director", DOT)
    assert held == [Holder(POOL, ADA), Holder(POOL), Holder(POOL, CID), top, top]


def test_a_lead_who_is_late_herself_is_passed_over() -> None:
    people = People(EVERYBODY, leads={POOL: (ADA,)})
    assert next_holder(Rung.LEAD, Holder(POOL, ADA), people, POOL) == Holder("medical_director", DOT)


def test_a_director_who_is_away_is_stood_in_for_by_anybody_named() -> None:
    people = People(EVERYBODY, away={DOT: BEA})
    assert next_holder(Rung.DIRECTOR, Holder(POOL), people, POOL) == Holder("medical_director", BEA)


def test_every_ladder_begins_with_its_owner_and_its_pool_and_ends_as_a_breach() -> None:
    for steps in LADDERS.values():
        assert steps[:2] == (Rung.OWNER, Rung.POOL)
        assert steps[-1] is Rung.BREACH
