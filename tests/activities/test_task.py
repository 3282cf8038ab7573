"""A task of its own against a real PostgreSQL: the row first, then its workflow's steps, each once."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.deadline import Deadlines
from activities.records.audit_event import AuditEvent
from activities.records.base import new_id
from activities.records.case_event import CaseEvent
from activities.records.process import Process
from activities.records.task import Task, TaskStatus
from activities.records.task_act import claim
from activities.reviews import Review, Reviews
from activities.tables.engine import Tables
from activities.task import TaskActivities
from infra.bootstrap import Parts
from rules.task import LADDERS, Ladder
from tests import make
from workflows.contracts import task as contract
from workflows.contracts.calls import DIVERGED

LATER = make.NOW + timedelta(days=3)


class Store:
    """Reviews of one case, and the activities run as the engine runs them."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.case = parts, new_id()
        make.clinics(parts)
        deadlines = Deadlines(Tables())
        self._reviews = Reviews(parts.ring, deadlines, lambda: make.NOW)
        self._activities = TaskActivities(parts.sessions, parts.ring, parts.auditor, deadlines, lambda: make.NOW)

    def open(self, key: str = "m1", **fields: object) -> UUID:
        values: dict[str, object] = {"pool": "clinician", "priority": "routine", "action": "Look", "why": "Late note"}
        review = Review(self.case, key, **(values | fields))  # type: ignore[arg-type]
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return self._reviews.open_review(session, make.LARKMOOR, review, make.NOW)

    def _as_engine(self, task_id: str) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_id=contract.workflow_id("larkmoor", task_id))
        return environment

    def take(self, task: UUID) -> contract.State:
        state = contract.State(str(task))
        return self._as_engine(state.task_id).run(self._activities.take, state).state

    def climb(self, state: contract.State) -> contract.State:
        return self._as_engine(state.task_id).run(self._activities.climb, contract.Climbing(state, LATER)).state

    def finish(self, state: contract.State, key: str, outcome: str = "reviewed") -> contract.Recorded:
        completing = contract.Completing(state, contract.Completion(key, outcome, "All fine"), LATER)
        return self._as_engine(state.task_id).run(self._activities.finish, completing)

    def row(self, task: UUID) -> Task:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.get_one(Task, task)

    def process(self, task: UUID) -> Process:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.scalars(select(Process).where(Process.case_id == task)).one()

    def count(self, kind: type) -> int:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.fixture
def store(parts: Parts) -> Store:
    return Store(parts)


def test_a_review_has_an_owner_or_pool_a_deadline_and_a_process_nobody_has_taken_up(store: Store) -> None:
    task = store.open()
    row, process = store.row(task), store.process(task)
    assert (row.pool, row.kind, row.status) == ("clinician", "review", TaskStatus.OPEN)
    assert row.due_at == make.NOW + timedelta(days=2)
    assert row.table_name == "task_clock"
    assert (process.version, process.next_action, process.next_owner) == (0, "Look", "clinician")
    assert process.next_due == row.due_at


def test_the_same_event_opens_one_review(store: Store) -> None:
    assert store.open("m1") == store.open("m1") != store.open("m2")
    assert store.count(Task) == store.count(Process) == 2


def test_a_late_note_for_valbrenna_goes_to_oyelaran(store: Store) -> None:
    valbrenna, oyelaran = (make.account(store.parts, name, "clinician") for name in ("valbrenna", "oyelaran"))
    make.away(store.parts, valbrenna, oyelaran)
    assert store.row(store.open(preferred=valbrenna)).owner == oyelaran


def test_a_review_that_is_rolled_back_leaves_nothing(store: Store) -> None:
    review = Review(store.case, "m1", "Look", "Late note", "clinician", "routine")
    with pytest.raises(RuntimeError), store.parts.sessions.begin(make.LARKMOOR) as session:
        store._reviews.open_review(session, make.LARKMOOR, review, make.NOW)
        raise RuntimeError("the caller failed")
    assert store.count(Task) == store.count(Process) == 0


def test_taken_up_twice_it_has_one_state(store: Store) -> None:
    task = store.open()
    assert store.take(task) == store.take(task) == contract.State(str(task), 1, 0, store.row(task).due_at)
    assert store.process(task).version == 1
    assert store.count(CaseEvent) == store.count(AuditEvent) == 1


def test_an_overdue_review_climbs_to_the_top_and_stays_open(store: Store) -> None:
    director = make.account(store.parts, "director", "medical_director")
    task = store.open()
    due_at = store.row(task).due_at
    state = store.take(task)
    for rung in range(1, len(LADDERS[Ladder.STANDARD])):
        state = store.climb(state)
        assert state.rung == store.row(task).rung == rung
    row = store.row(task)
    assert (row.owner, row.pool, row.due_at, row.status) == (director, "medical_director", due_at, TaskStatus.OPEN)
    assert (state.due_at, state.done) == (None, False)
    assert store.process(task).next_due == due_at


def test_a_rung_taken_twice_is_taken_once(store: Store) -> None:
    state = store.take(store.open())
    assert store.climb(state) == store.climb(state)
    assert store.row(UUID(state.task_id)).rung == 1


def test_completing_closes_row_and_process_with_what_came_of_it(store: Store) -> None:
    task = store.open()
    done = store.finish(store.take(task), "d1").state
    row, process = store.row(task), store.process(task)
    assert done.done
    assert (row.status, row.outcome, row.done_key, row.done_at) == (TaskStatus.DONE, "reviewed", "d1", LATER)
    assert (process.closed_at, process.next_action, process.next_due) == (LATER, "", None)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        event = session.scalars(select(CaseEvent).where(CaseEvent.step_key == "d1")).one()
    assert event.facts == {"id": "d1", "outcome": "reviewed", "note": "All fine"}


def test_the_same_completion_twice_is_recorded_once(store: Store) -> None:
    state = store.take(store.open())
    assert store.finish(state, "d1") == store.finish(state, "d1")


def test_an_outcome_that_is_not_one_of_the_tasks_is_refused_with_those_that_are(store: Store) -> None:
    task = store.open(outcomes=("reviewed", "filed"))
    refused = store.finish(store.take(task), "d1", "thrown-away")
    assert refused.refusal == "Choose what came of it: reviewed, filed."
    assert store.row(task).status == TaskStatus.OPEN


def test_a_task_that_somebody_closed_says_who(store: Store) -> None:
    nadia = make.account(store.parts, "Nadia Ferro-Lund", "referral_coordinator")
    task = store.open()
    state = store.take(task)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        row = session.get_one(Task, task)
        row.status, row.done_by, row.done_at = TaskStatus.DONE, str(nadia), make.NOW
    told = store.finish(state, "d1")
    assert told.refusal == "Done by Nadia Ferro-Lund."
    assert told.state.done


def test_a_row_whose_case_has_ended_is_taken_over_and_its_completion_recorded(store: Store) -> None:
    task = new_id()
    row = Task(
        id=task,
        tenant="larkmoor",
        workflow_id=f"larkmoor:referral:{store.case}",
        case_id=store.case,
        kind="referral",
        number="R-20418",
        action="Call for the report",
        why="Seen",
        stage="closed",
        outcomes=["report"],
        priority="routine",
        rank=2,
        pool="referral_coordinator",
        due_at=make.NOW,
        opened_at=make.NOW,
        opened_key="k",
    )
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.add(row)
    assert store.finish(store.take(task), "d1", "report").state.done
    found = store.row(task)
    assert (found.kind, found.outcome) == ("orphan", "report")
    assert found.workflow_id == contract.workflow_id("larkmoor", str(task))


def test_a_claim_between_two_rungs_is_no_divergence(store: Store) -> None:
    nadia = make.account(store.parts, "nadia", "clinician")
    task = store.open()
    state = store.climb(store.take(task))
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert claim(session, task, nadia, "t").won
    assert store.climb(state).rung == 2


def test_a_process_behind_the_record_is_told_so(store: Store) -> None:
    state = store.take(store.open())
    store.climb(state)
    with pytest.raises(ApplicationError) as refused:
        store.finish(state, "d1")
    assert refused.value.type == DIVERGED


def test_another_clinic_sees_no_review(store: Store) -> None:
    task = store.open()
    with store.parts.sessions.begin(make.HERONFIELD) as session:
        assert session.get(Task, task) is None
