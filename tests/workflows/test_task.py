"""A task of its own on a clock that skips: it climbs, it waits, and only a person ends it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from activities import acting
from tests.engine import skipping, working
from workflows.contracts import task as contract
from workflows.contracts.calls import INTERACTIVE, REFUSED
from workflows.contracts.people import speaker

ID = "larkmoor:task:t1"
START = contract.Start(contract.State("t1"))
TOP = 3


class FakeStore:
    """Remembers what was asked; a rung takes an hour, and the ladder has three."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.actors: list[str] = []
        self.pass_time: Callable[[timedelta], Awaitable[bool]]

    def activities(self) -> list[Callable[..., Any]]:
        return [self.take, self.climb, self.finish]

    @activity.defn(name=contract.TAKE.name)
    def take(self, state: contract.State) -> contract.Recorded:
        self.asked.append("take")
        return contract.Recorded(replace(state, version=1, due_at=datetime.now(UTC) + timedelta(hours=1)))

    @activity.defn(name=contract.CLIMB.name)
    def climb(self, climbing: contract.Climbing) -> contract.Recorded:
        self.asked.append("climb")
        before = climbing.state
        due_at = None if before.rung + 1 >= TOP else climbing.at + timedelta(hours=1)
        return contract.Recorded(replace(before, version=before.version + 1, rung=before.rung + 1, due_at=due_at))

    @activity.defn(name=contract.FINISH.name)
    def finish(self, completing: contract.Completing) -> contract.Recorded:
        self.asked.append("finish")
        self.actors.append(acting.actor.get())
        before = completing.state
        if completing.completion.outcome != "reviewed":
            return contract.Recorded(before, "Choose what came of it: reviewed.")
        return contract.Recorded(replace(before, version=before.version + 1, due_at=None, done=True))


@asynccontextmanager
async def started(store: FakeStore) -> AsyncIterator[WorkflowHandle[Any, contract.State]]:
    async with skipping() as environment, working(environment.client, store.activities()):
        handle: WorkflowHandle[Any, contract.State] = await environment.client.start_workflow(
            contract.WORKFLOW, START, id=ID, task_queue=INTERACTIVE, result_type=contract.State
        )
        store.pass_time = partial(environment.fast_forward, handle)
        await eventually(store, "take")
        yield handle


async def eventually(store: FakeStore, what: str, times: int = 1) -> None:
    for _ in range(200):
        if store.asked.count(what) >= times:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what} did not come; there were {store.asked}")


async def complete(handle: WorkflowHandle[Any, Any], key: str, outcome: str = "reviewed") -> contract.State:
    said = contract.Completion(key, outcome)
    done: contract.State = await handle.execute_update(contract.COMPLETE, said, id=key, result_type=contract.State)
    return done


def test_a_task_nobody_completes_climbs_to_the_top_and_stays_open() -> None:
    async def story() -> None:
        store = FakeStore()
        async with started(store) as task:
            for rung in range(1, TOP + 1):
                await store.pass_time(timedelta(minutes=61))
                await eventually(store, "climb", rung)
            await store.pass_time(timedelta(days=90))
            state = await task.query("state", result_type=contract.State)
        assert (state.rung, state.done) == (TOP, False)
        assert store.asked == ["take"] + ["climb"] * TOP

    asyncio.run(story())


def test_a_completed_task_ends() -> None:
    async def story() -> None:
        store = FakeStore()
        async with started(store) as task:
            speaker.set("account-1")
            await complete(task, "d1")
            assert (await task.result()).done
        assert store.actors == ["account-1"]

    asyncio.run(story())


def test_a_refused_completion_says_why_and_the_task_goes_on() -> None:
    async def story() -> None:
        store = FakeStore()
        async with started(store) as task:
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await complete(task, "d1", "thrown-away")
            cause = refused.value.cause
            assert isinstance(cause, ApplicationError) and cause.type == REFUSED
            await complete(task, "d2")
            assert (await task.result()).done

    asyncio.run(story())


def test_a_completion_starts_the_workflow_that_was_not_there() -> None:
    async def story() -> None:
        store = FakeStore()
        async with skipping() as environment, working(environment.client, store.activities()):
            begin: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                contract.WORKFLOW,
                START,
                id=ID,
                task_queue=INTERACTIVE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            await environment.client.execute_update_with_start_workflow(
                contract.COMPLETE, contract.Completion("d1", "reviewed"), id="d1", start_workflow_operation=begin
            )
            handle = environment.client.get_workflow_handle(ID, result_type=contract.State)
            assert (await handle.result()).done
        assert store.asked == ["take", "finish"]

    asyncio.run(story())


def test_a_task_goes_on_from_its_state() -> None:
    async def story() -> None:
        store = FakeStore()
        state = contract.State("t1", 4, 2, datetime.now(UTC) - timedelta(hours=1))
        async with skipping() as environment, working(environment.client, store.activities()):
            await environment.client.start_workflow(
                contract.WORKFLOW, contract.Start(state), id=ID, task_queue=INTERACTIVE
            )
            await eventually(store, "climb")
        assert store.asked == ["climb"]

    asyncio.run(story())
