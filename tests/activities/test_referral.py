"""The store's side of a referral, against a real PostgreSQL."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.deadline import Deadlines
from activities.records.audit_event import AuditEvent
from activities.records.case_event import CaseEvent
from activities.records.process import Process
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus
from activities.referral.packet import Packet
from activities.referral.record import ReferralActivities
from activities.referral.task import ReferralTask
from activities.tables.engine import Tables
from infra.bootstrap import Parts, case_review
from rules.referral.steps import follow
from rules.referral.vocabulary import Facts, Reason, Stage, Step
from tests import make
from workflows.contracts import referral as contract
from workflows.contracts.calls import DIVERGED

NOTHING = Facts()


class Store:
    """The activities of one referral, run as the engine runs them."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        make.clinics(parts)
        packet = Packet(parts.ring, parts.settings.public_url)
        task = ReferralTask(Deadlines(Tables()), lambda: make.NOW)
        self._activities = ReferralActivities(
            parts.sessions, parts.ring, parts.auditor, packet, task, case_review(parts)
        )
        partner = make.organization(parts)
        self.decision = make.opening(parts, make.content(make.patient(parts), partner))
        self.case = UUID(self.decision)

    def _as_engine(self) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        workflow_id = contract.workflow_id("larkmoor", str(self.case))
        environment.info = replace(environment.info, workflow_id=workflow_id)
        return environment

    def open(self) -> contract.State:
        opening = contract.Opening(self.decision, contract.State(str(self.case)))
        return self._as_engine().run(self._activities.open, opening).state

    def step(self, before: contract.State, key: str, step: Step, facts: Facts = NOTHING) -> contract.Recorded:
        after = replace(before, progress=follow(before.progress, step, facts, make.NOW))
        change = contract.Change(key, step, facts, make.NOW, before, after)
        return self._as_engine().run(self._activities.record, change)

    def count(self, kind: type) -> int:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.scalar(select(func.count()).select_from(kind)) or 0

    def request(self) -> ServiceRequest:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.get_one(ServiceRequest, self.case)

    def tasks(self) -> list[Task]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(session.scalars(select(Task).order_by(Task.opened_at, Task.id)))


@pytest.fixture
def store(parts: Parts) -> Store:
    return Store(parts)


def test_an_opened_referral_has_a_number_a_task_and_a_process(store: Store) -> None:
    state = store.open()
    assert store.request().number.startswith("R-")
    assert [task.status for task in store.tasks()] == [TaskStatus.OPEN]
    assert state.due_at is not None
    assert store.count(Process) == 1
    assert store.count(AuditEvent) == 1


def test_opening_twice_changes_nothing(store: Store) -> None:
    assert store.open() == store.open()
    assert store.count(ServiceRequest) == store.count(CaseEvent) == store.count(AuditEvent) == 1


def test_a_step_recorded_twice_happens_once_and_answers_the_same(store: Store) -> None:
    state = store.open()
    first = store.step(state, "k1", Step.SENDING)
    again = store.step(state, "k1", Step.SENDING)
    assert again == replace(first, repeated=True)
    assert store.request().version == 2
    assert store.count(CaseEvent) == 2


def test_a_process_behind_the_record_is_told_so(store: Store) -> None:
    state = store.open()
    store.step(state, "k1", Step.SENDING)
    with pytest.raises(ApplicationError) as refused:
        store.step(state, "k2", Step.CLOSURE, Facts(reason=Reason.DUPLICATE))
    assert refused.value.type == DIVERGED
    assert store.request().stage == Stage.SENT


def test_a_closed_referral_has_no_open_task_and_no_deadline(store: Store) -> None:
    state = store.open()
    recorded = store.step(state, "k1", Step.CLOSURE, Facts(reason=Reason.DUPLICATE))
    assert recorded.due_at is None
    assert [task.status for task in store.tasks()] == [TaskStatus.DONE]
    assert store.request().close_reason == Reason.DUPLICATE


def test_another_clinic_sees_nothing_of_it(store: Store) -> None:
    store.open()
    with store.parts.sessions.begin(make.HERONFIELD) as session:
        for kind in (ServiceRequest, Task, Process, CaseEvent, AuditEvent):
            assert session.scalar(select(func.count()).select_from(kind)) == 0
