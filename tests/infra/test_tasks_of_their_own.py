"""A review from its row to its completion: the sweeper or the person who completes it starts its workflow."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from temporalio.client import Client

from activities.deadline import Deadlines
from activities.records.base import new_id
from activities.records.decision import Decision, Outcome
from activities.records.process import Process
from activities.records.task import Task, TaskStatus
from activities.reviews import Review, Reviews
from activities.tables.engine import Tables
from activities.task import TaskActivities
from infra.bootstrap import Parts
from infra.interceptors import ActorInterceptor
from infra.payload_codec import data_converter
from infra.sweeper import Sweeper
from tests import make
from tests.engine import skipping, working
from web.client import Engine
from web.completions import Completed, Completions
from workflows.contracts import task as contract

TOKEN = UUID(int=7)


@pytest.fixture
def store(parts: Parts) -> Parts:
    make.clinics(parts)
    return parts


def a_review(parts: Parts) -> UUID:
    reviews = Reviews(parts.ring, Deadlines(Tables()), lambda: make.NOW)
    review = Review(new_id(), "m1", "Look", "Late note", "clinician", "routine")
    with parts.sessions.begin(make.LARKMOOR) as session:
        return reviews.open_review(session, make.LARKMOOR, review, make.NOW)


def row(parts: Parts, task: UUID) -> Task:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return session.get_one(Task, task)


def process_version(parts: Parts, task: UUID) -> int:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return session.get_one(Process, contract.workflow_id("larkmoor", str(task))).version


def with_engine(parts: Parts, story: Callable[[Engine], None]) -> None:
    """Runs the story in a thread, beside an engine and a worker of ours."""

    async def run() -> None:
        own = TaskActivities(parts.sessions, parts.ring, parts.auditor, Deadlines(Tables()), lambda: make.NOW)
        async with skipping(parts.ring) as environment:
            address = environment.client.service_client.config.target_host

            async def connect() -> Client:
                return await Client.connect(
                    address, data_converter=data_converter(parts.ring), interceptors=[ActorInterceptor()]
                )

            activities: list[Callable[..., object]] = [own.take, own.climb, own.finish]
            async with working(environment.client, activities), working(environment.client, activities, "bulk"):
                await asyncio.to_thread(story, Engine(connect))

    asyncio.run(run())


def test_the_sweeper_starts_a_workflow_for_each_row_that_has_none(store: Parts) -> None:
    task = a_review(store)

    def story(engine: Engine) -> None:
        sweeper = Sweeper(store, engine)
        assert sweeper.sweep() == 1
        for _ in range(100):
            if process_version(store, task):
                break
            engine.run(lambda _: asyncio.sleep(0.05), 1)
        assert process_version(store, task) == 1
        assert sweeper.sweep() == 0

    with_engine(store, story)


def test_a_review_is_completed_by_a_person_before_the_sweeper_came(store: Parts) -> None:
    task = a_review(store)
    nadia = replace(make.LARKMOOR, actor=str(make.account(store, "Nadia Ferro-Lund", "clinician")))

    def story(engine: Engine) -> None:
        completions = Completions(store.sessions, store.ring, engine)
        assert completions.complete(nadia, TOKEN, task, "reviewed") == Completed(Outcome.APPLIED)
        assert completions.complete(nadia, TOKEN, task, "reviewed") == Completed(Outcome.APPLIED)
        late = completions.complete(nadia, UUID(int=8), task, "reviewed")
        assert (late.outcome, late.done_by, late.done_at) == (Outcome.REFUSED, nadia.actor, row(store, task).done_at)

    with_engine(store, story)
    found = row(store, task)
    assert (found.status, found.done_by, found.done_key) == (TaskStatus.DONE, nadia.actor, str(TOKEN))


def test_a_completion_the_engine_never_heard_of_is_handed_over_by_the_sweeper(store: Parts) -> None:
    task = a_review(store)

    async def nowhere() -> Client:
        raise RuntimeError("no engine")

    waiting = Completions(store.sessions, store.ring, Engine(nowhere)).complete(make.LARKMOOR, TOKEN, task, "reviewed")
    assert waiting.outcome is None

    def story(engine: Engine) -> None:
        Sweeper(store, engine, patience=make.NOW - make.NOW).sweep()

    with_engine(store, story)
    assert row(store, task).status == TaskStatus.DONE
    with store.sessions.begin(make.LARKMOOR) as session:
        assert session.get_one(Decision, TOKEN).outcome == Outcome.APPLIED
