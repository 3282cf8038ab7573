"""Who holds a task, changed by many people at once, twice, and back again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from activities.records.base import new_id
from activities.records.sessions import Context
from activities.records.task import Task, TaskStatus, climb
from activities.records.task_act import Act, assign, claim, release, snooze, undo
from infra.bootstrap import Parts
from tests import make

CROWD = 50
LATER = make.NOW + timedelta(hours=4)


@pytest.fixture
def store(parts: Parts) -> Parts:
    make.clinics(parts)
    return parts


def a_task(parts: Parts, **fields: object) -> UUID:
    identity = new_id()
    values: dict[str, object] = {
        "id": identity,
        "tenant": "larkmoor",
        "workflow_id": f"larkmoor:task:{identity}",
        "case_id": new_id(),
        "kind": "review",
        "number": "R-1",
        "action": "Look",
        "why": "Late note",
        "stage": "closed",
        "priority": "routine",
        "rank": 2,
        "pool": "referral_coordinator",
        "due_at": make.NOW,
        "opened_at": make.NOW,
        "opened_key": "k",
    }
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.add(Task(**(values | fields)))
    return identity


def row(parts: Parts, task: UUID) -> Task:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return session.get_one(Task, task)


def claimed(parts: Parts, task: UUID, account: UUID, token: str) -> Act:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return claim(session, task, account, token)


def undone(parts: Parts, token: str, within: timedelta = timedelta(seconds=10)) -> tuple[UUID, ...]:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return undo(session, token, within)


def assigned(parts: Parts, task: UUID, owner: UUID, token: str, context: Context = make.LARKMOOR) -> Act:
    with parts.sessions.begin(context) as session:
        return assign(session, context, task, owner, token, make.NOW)


def test_of_fifty_who_claim_at_once_one_wins_and_all_others_are_told_who(store: Parts) -> None:
    task = a_task(store)
    crowd = [make.account(store, f"person-{number}", "referral_coordinator") for number in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as pool:
        acts = list(pool.map(lambda account: claimed(store, task, account, f"token-{account}"), crowd))
    winner = row(store, task).owner
    assert [account for account, act in zip(crowd, acts, strict=True) if act.won] == [winner]
    assert {act.holder for act in acts} == {winner}


def test_a_double_click_is_the_same_answer_and_writes_once(store: Parts) -> None:
    task, nadia = a_task(store), make.account(store, "nadia", "referral_coordinator")
    assert claimed(store, task, nadia, "t1") == claimed(store, task, nadia, "t1") == Act(True, nadia)
    assert row(store, task).version == 2


def test_a_token_of_somebody_else_does_not_win_a_claim(store: Parts) -> None:
    task, nadia = a_task(store), make.account(store, "nadia", "referral_coordinator")
    claimed(store, task, nadia, "t1")
    assert claimed(store, task, make.account(store, "tobias", "referral_coordinator"), "t2") == Act(False, nadia)


def test_a_closed_task_says_who_closed_it(store: Parts) -> None:
    task = a_task(store, status=TaskStatus.DONE, done_by="system", done_at=make.NOW)
    act = claimed(store, task, make.account(store, "nadia", "referral_coordinator"), "t1")
    assert act == Act(False, None, "system", make.NOW)


def test_only_the_holder_releases(store: Parts) -> None:
    nadia, tobias = (make.account(store, name, "referral_coordinator") for name in ("nadia", "tobias"))
    task = a_task(store, owner=nadia)
    with store.sessions.begin(make.LARKMOOR) as session:
        assert not release(session, task, tobias, "t1").won
        assert release(session, task, nadia, "t2").won
    assert row(store, task).owner is None


def test_a_claim_is_undone(store: Parts) -> None:
    task, nadia = a_task(store), make.account(store, "nadia", "referral_coordinator")
    claimed(store, task, nadia, "t1")
    assert undone(store, "t1") == undone(store, "t1") == (task,)
    assert row(store, task).owner is None


def test_a_release_gives_it_back_to_who_had_it_and_how_long_it_slept(store: Parts) -> None:
    nadia = make.account(store, "nadia", "referral_coordinator")
    task = a_task(store, owner=nadia, snoozed_until=LATER)
    with store.sessions.begin(make.LARKMOOR) as session:
        release(session, task, nadia, "t1")
    undone(store, "t1")
    found = row(store, task)
    assert (found.owner, found.snoozed_until) == (nadia, LATER)


def test_an_assignment_and_a_snooze_are_undone(store: Parts) -> None:
    nadia, tobias = (make.account(store, name, "referral_coordinator") for name in ("nadia", "tobias"))
    given, slept = a_task(store, owner=nadia), a_task(store)
    assigned(store, given, tobias, "t1")
    with store.sessions.begin(make.LARKMOOR) as session:
        assert snooze(session, slept, LATER, "t2").won
    assert row(store, slept).snoozed_until == LATER
    assert (undone(store, "t1"), undone(store, "t2")) == ((given,), (slept,))
    assert (row(store, given).owner, row(store, slept).snoozed_until) == (nadia, None)


def test_one_token_undoes_all_that_it_did(store: Parts) -> None:
    nadia = make.account(store, "nadia", "referral_coordinator")
    tasks = [a_task(store) for _ in range(3)]
    for task in tasks:
        claimed(store, task, nadia, "bulk")
    assert sorted(undone(store, "bulk")) == sorted(tasks)


def test_an_undo_after_its_time_changes_nothing(store: Parts) -> None:
    task, nadia = a_task(store), make.account(store, "nadia", "referral_coordinator")
    claimed(store, task, nadia, "t1")
    assert undone(store, "t1", timedelta(0)) == ()
    assert row(store, task).owner == nadia


def test_an_undo_never_takes_back_what_somebody_did_since(store: Parts) -> None:
    nadia, tobias = (make.account(store, name, "referral_coordinator") for name in ("nadia", "tobias"))
    task = a_task(store)
    claimed(store, task, nadia, "t1")
    assigned(store, task, tobias, "t2")
    assert undone(store, "t1") == ()
    assert row(store, task).owner == tobias


def test_an_undo_never_brings_a_task_down_its_ladder(store: Parts) -> None:
    task, nadia = a_task(store), make.account(store, "nadia", "referral_coordinator")
    claimed(store, task, nadia, "t1")
    with store.sessions.begin(make.LARKMOOR) as session:
        assert climb(session, "larkmoor", task, 1, make.NOW)
    assert undone(store, "t1") == ()
    assert row(store, task).owner is None


def test_a_task_given_to_somebody_away_goes_to_her_surrogate(store: Parts) -> None:
    nadia, tobias = (make.account(store, name, "referral_coordinator") for name in ("nadia", "tobias"))
    make.away(store, nadia, tobias)
    assert assigned(store, a_task(store), nadia, "t1") == Act(True, tobias)


def test_a_task_given_to_somebody_who_left_stays_in_the_pool(store: Parts) -> None:
    gone = make.account(store, "gone", "referral_coordinator", active=False)
    assert assigned(store, a_task(store), gone, "t1") == Act(True, None)


def test_a_task_climbs_a_rung_once(store: Parts) -> None:
    nadia, tobias = (make.account(store, name, "referral_coordinator") for name in ("nadia", "tobias"))
    make.member(store, "referral_coordinator", tobias, leads=True)
    task = a_task(store, owner=nadia, snoozed_until=LATER)
    with store.sessions.begin(make.LARKMOOR) as session:
        climbed = climb(session, "larkmoor", task, 2, make.NOW)
        assert climbed and climbed.escalated_from == str(nadia)
        assert climb(session, "larkmoor", task, 2, make.NOW) is None
    found = row(store, task)
    assert (found.owner, found.rung, found.due_at, found.snoozed_until) == (tobias, 2, make.NOW, None)


def test_another_clinic_neither_claims_nor_undoes(store: Parts) -> None:
    task, nadia = a_task(store), make.account(store, "nadia", "referral_coordinator")
    claimed(store, task, nadia, "t1")
    with store.sessions.begin(make.HERONFIELD) as session:
        assert claim(session, task, nadia, "t9") == Act(False)
        assert undo(session, "t1") == ()
