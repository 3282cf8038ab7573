"""A referral's task: whose it is, who stands in, and how it climbs when nobody acts. It never closes by itself."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select

from activities.records.case_event import CaseEvent
from activities.records.process import Process
from activities.records.task import Task, TaskStatus
from activities.referral.task import KIND
from activities.tables.engine import hash_of
from activities.tables.shipped import Table, shipped
from infra.bootstrap import Parts
from rules.referral.steps import follow
from rules.referral.vocabulary import Facts, Priority, Progress, Stage, Step
from rules.referral.waits import MAX_RUNGS
from tests import make
from tests.activities.tables.test_own import put_in_force
from tests.activities.test_referral import Store
from workflows.contracts import referral as contract

NPI = "2000001042"
NOTHING = Facts()


@pytest.fixture
def store(parts: Parts) -> Store:
    return Store(parts)


def opened(store: Store, stage: Stage, **fields: object) -> contract.State:
    """A referral that begins in a stage, with its clock running since now."""
    said = make.content(
        make.patient(store.parts),
        make.organization(store.parts),
        requester_npi=NPI,
        progress=Progress(stage=stage, since=make.NOW),
        **fields,
    )
    store.decision = make.opening(store.parts, said)
    store.case = UUID(store.decision)
    return store.open()


def take(store: Store, state: contract.State, key: str, step: Step, facts: Facts = NOTHING) -> contract.State:
    recorded = store.step(state, key, step, facts)
    progress = recorded.onto(follow(state.progress, step, facts, make.NOW))
    return replace(state, progress=progress, version=recorded.version, due_at=recorded.due_at)


def task_of(store: Store) -> Task:
    """The one open task that the case itself needs."""
    mine = [task for task in store.tasks() if (task.case_id, task.kind) == (store.case, KIND)]
    found = [task for task in mine if task.status == TaskStatus.OPEN]
    assert len(found) == 1
    return found[0]


def told(store: Store, key: str) -> dict[str, object]:
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        row = session.scalars(select(CaseEvent).where(CaseEvent.case_id == store.case, CaseEvent.step_key == key)).one()
        return row.result


def give(store: Store, owner: UUID) -> None:
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.get_one(Task, task_of(store).id).owner = owner


def test_a_report_is_the_referring_clinicians_to_review(store: Store) -> None:
    valbrenna = make.account(store.parts, "valbrenna", "clinician", npi=NPI)
    opened(store, Stage.REPORT_RECEIVED)
    assert task_of(store).owner == valbrenna


def test_valbrenna_is_away_so_oyelaran_has_his_report(store: Store) -> None:
    valbrenna = make.account(store.parts, "valbrenna", "clinician", npi=NPI)
    oyelaran = make.account(store.parts, "oyelaran", "clinician")
    make.away(store.parts, valbrenna, oyelaran)
    opened(store, Stage.REPORT_RECEIVED)
    assert task_of(store).owner == oyelaran
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        process = session.scalars(select(Process).where(Process.case_id == store.case)).one()
    assert process.next_owner == str(oyelaran)


def test_the_report_of_a_clinician_who_left_is_the_pools(store: Store) -> None:
    make.account(store.parts, "valbrenna", "clinician", npi=NPI, active=False)
    opened(store, Stage.REPORT_RECEIVED)
    assert (task_of(store).owner, task_of(store).pool) == (None, "clinician")


def test_a_coordinator_who_is_away_does_not_keep_the_case(store: Store) -> None:
    nadia, tobias = (make.account(store.parts, name, "referral_coordinator") for name in ("nadia", "tobias"))
    state = opened(store, Stage.REVIEWED)
    give(store, nadia)
    make.away(store.parts, nadia, tobias)
    take(store, state, "told", Step.PATIENT_NOTICE, Facts(channel="phone"))
    assert task_of(store).owner == tobias


def test_an_overdue_task_climbs_rung_by_rung_and_is_never_closed(store: Store) -> None:
    nadia, lead, director = (
        make.account(store.parts, name, role)
        for name, role in (
            ("nadia", "referral_coordinator"),
            ("lead", "referral_coordinator"),
            ("director", "medical_director"),
        )
    )
    make.member(store.parts, "referral_coordinator", lead, leads=True)
    state = opened(store, Stage.DECLINED)
    give(store, nadia)
    first = task_of(store)
    held = []
    for number in range(MAX_RUNGS):
        state = take(store, state, f"overdue:{number}", Step.OVERDUE)
        task = task_of(store)
        assert (task.id, task.due_at, task.status) == (first.id, first.due_at, TaskStatus.OPEN)
        held.append((task.owner, task.pool))
    assert held == [
        (None, "referral_coordinator"),
        (lead, "referral_coordinator"),
        (director, "medical_director"),
        (director, "medical_director"),
    ]
    assert state.due_at is None
    assert state.progress.open


def test_who_had_it_and_who_has_it_is_kept_with_each_rung(store: Store) -> None:
    nadia = make.account(store.parts, "nadia", "referral_coordinator")
    state = opened(store, Stage.DECLINED)
    give(store, nadia)
    take(store, state, "overdue:1", Step.OVERDUE)
    found = told(store, "overdue:1")
    assert (found["rung"], found["escalated_from"]) == ("pool", str(nadia))
    assert found["escalated_to"] == "referral_coordinator"


def test_a_partners_overdue_answer_opens_the_pools_task_due_when_it_was_due(store: Store) -> None:
    state = opened(store, Stage.TRIAGE)
    assert [task for task in store.tasks() if task.case_id == store.case] == []
    take(store, state, "overdue:1", Step.OVERDUE)
    task = task_of(store)
    assert (task.owner, task.pool, task.rung, task.due_at) == (None, "referral_coordinator", 1, state.due_at)


def test_a_rung_recorded_twice_climbs_once(store: Store) -> None:
    state = opened(store, Stage.DECLINED)
    take(store, state, "overdue:1", Step.OVERDUE)
    version = task_of(store).version
    take(store, state, "overdue:1", Step.OVERDUE)
    assert (task_of(store).rung, task_of(store).version) == (1, version)


def test_an_answer_that_does_not_fit_leaves_rung_due_time_and_next_instant_as_they_were(store: Store) -> None:
    state = take(store, opened(store, Stage.DECLINED), "overdue:1", Step.OVERDUE)
    before = task_of(store)
    after = take(store, state, "odd", Step.UNEXPECTED, Facts(note="?"))
    assert after.due_at == state.due_at
    assert (task_of(store).rung, task_of(store).due_at) == (before.rung, before.due_at)


def test_a_changed_priority_changes_the_open_tasks_clock(store: Store) -> None:
    state = opened(store, Stage.DECLINED)
    after = take(store, state, "p", Step.PRIORITY_CHANGE, Facts(priority=Priority.STAT, note="Bleeding"))
    task = task_of(store)
    assert (task.priority, task.rank, task.due_at) == ("stat", 0, after.due_at)


def test_the_table_that_gave_a_deadline_is_stored_with_task_and_event(store: Store) -> None:
    opened(store, Stage.DECLINED)
    task = task_of(store)
    digest = hash_of(shipped(Table.REFERRAL_CLOCK))
    assert (task.table_name, task.table_version, task.table_hash) == ("referral_clock", 1, digest)
    found = told(store, store.decision)
    assert found["due"] == {"table": "referral_clock", "version": 1, "hash": digest}
    assert found["route"] == {
        "table": "referral_routing",
        "version": 1,
        "hash": hash_of(shipped(Table.REFERRAL_ROUTING)),
    }


def test_a_clinics_own_table_in_force_is_named(store: Store) -> None:
    put_in_force(store.parts, 3, make.NOW)
    opened(store, Stage.DECLINED)
    assert task_of(store).table_version == 2


def test_a_step_recorded_again_answers_what_was_decided_by_the_table_of_its_time(store: Store) -> None:
    state = opened(store, Stage.DECLINED)
    first = store.step(state, "k", Step.PRIORITY_CHANGE, Facts(priority=Priority.URGENT, note="n"))
    put_in_force(store.parts, 3, make.NOW)
    again = store.step(state, "k", Step.PRIORITY_CHANGE, Facts(priority=Priority.URGENT, note="n"))
    assert again == replace(first, repeated=True)
