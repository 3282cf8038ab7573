"""The referral's workflow against activities that only remember, on a clock that skips."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from activities import acting
from rules.referral.vocabulary import By, Facts, Priority, Progress, Reason, Stage, Step
from tests.engine import skipping, working
from workflows.contracts import outbound
from workflows.contracts import referral as contract
from workflows.contracts.calls import INTERACTIVE, REFUSED
from workflows.contracts.people import speaker

ID = "larkmoor:referral:r1"
NOTHING = Facts()


class FakeStore:
    """Remembers each step; answers deadlines of one hour; sends one message when the referral is sent."""

    def __init__(self, delivery: outbound.Delivery = outbound.Delivery.DELIVERED) -> None:
        self.changes: list[contract.Change] = []
        self.actors: list[str] = []
        self.sent: list[str] = []
        self.pass_time: Callable[[timedelta], Awaitable[bool]]
        self._delivery = delivery

    def activities(self) -> list[Callable[..., Any]]:
        return [self.open, self.record, self.send]

    @activity.defn(name=contract.OPEN.name)
    def open(self, opening: contract.Opening) -> contract.Opened:
        progress = Progress(priority=Priority.URGENT, since=datetime.now(UTC))
        return contract.Opened(replace(opening.state, progress=progress, version=1))

    @activity.defn(name=contract.RECORD.name)
    def record(self, change: contract.Change) -> contract.Recorded:
        self.changes.append(change)
        self.actors.append(acting.actor.get())
        sends = ("m1",) if change.step is Step.SENDING else ()
        due_at = change.at + timedelta(hours=1) if change.after.progress.rung < 2 else None
        return contract.Recorded(change.before.version + 1, due_at, sends)

    @activity.defn(name=outbound.SEND.name)
    def send(self, sending: outbound.Sending) -> outbound.Sent:
        self.sent.append(sending.message_id)
        return outbound.Sent(self._delivery, "They refuse it.")

    def steps(self) -> list[Step]:
        return [change.step for change in self.changes]


@asynccontextmanager
async def opened(store: FakeStore) -> AsyncIterator[WorkflowHandle[Any, contract.State]]:
    """A referral whose first record is committed."""
    async with skipping() as environment, working(environment.client, store.activities()):
        referral = await start(environment.client)
        store.pass_time = partial(environment.fast_forward, referral)
        yield referral


async def start(client: Client) -> WorkflowHandle[Any, contract.State]:
    begin: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        contract.WORKFLOW,
        contract.Start(contract.State("r1"), "d0"),
        id=ID,
        task_queue=INTERACTIVE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.execute_update_with_start_workflow(contract.OPENED, start_workflow_operation=begin)
    return client.get_workflow_handle(ID, result_type=contract.State)


async def decide(
    handle: WorkflowHandle[Any, Any], key: str, step: Step, facts: Facts = NOTHING, by: By = By.STAFF
) -> contract.Recorded:
    decision = contract.Decision(key, step, facts, by)
    recorded: contract.Recorded = await handle.execute_update(
        contract.DECIDE, decision, id=key, result_type=contract.Recorded
    )
    return recorded


async def tell(handle: WorkflowHandle[Any, Any], key: str, step: Step, facts: Facts = NOTHING) -> None:
    await handle.signal(contract.TELL, contract.Message(key, step, facts, datetime.now(UTC)))


async def eventually(store: FakeStore, step: Step) -> None:
    for _ in range(200):
        if step in store.steps():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{step} did not come; there were {store.steps()}")


def run(story: Callable[[], Any]) -> None:
    asyncio.run(story())


def test_a_sent_referral_is_delivered_accepted_and_closed() -> None:
    async def story() -> None:
        store = FakeStore()
        async with opened(store) as referral:
            await decide(referral, "d1", Step.SENDING)
            await eventually(store, Step.DELIVERY)
            await tell(referral, "m2", Step.ACCEPTANCE)
            await eventually(store, Step.ACCEPTANCE)
            await decide(referral, "d2", Step.CLOSURE, Facts(reason=Reason.TREATED_ELSEWHERE))
            ended = await referral.result()
        assert ended.progress.stage is Stage.CLOSED
        assert store.steps() == [Step.SENDING, Step.DELIVERY, Step.ACCEPTANCE, Step.CLOSURE]
        assert store.sent == ["m1"]

    run(story)


def test_a_refused_decision_leaves_no_trace_and_says_why() -> None:
    async def story() -> None:
        store = FakeStore()
        async with opened(store) as referral:
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await decide(referral, "d1", Step.REVIEW, Facts(note="fine"), By.CLINICIAN)
            await decide(referral, "d2", Step.CLOSURE, Facts(reason=Reason.OTHER))
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert cause.type == REFUSED
        assert "a draft" in cause.message
        assert store.steps() == [Step.CLOSURE]

    run(story)


def test_the_same_decision_twice_is_applied_once() -> None:
    async def story() -> None:
        store = FakeStore()
        async with opened(store) as referral:
            await decide(referral, "d1", Step.SENDING)
            await decide(referral, "d1", Step.SENDING)
            await tell(referral, "m2", Step.ACCEPTANCE)
            await tell(referral, "m2", Step.ACCEPTANCE)
            await eventually(store, Step.ACCEPTANCE)
            await decide(referral, "d2", Step.CLOSURE, Facts(reason=Reason.OTHER))
        assert store.steps().count(Step.SENDING) == store.steps().count(Step.ACCEPTANCE) == 1

    run(story)


def test_an_unanswered_referral_becomes_overdue_and_is_never_closed_by_the_clock() -> None:
    async def story() -> None:
        store = FakeStore()
        async with opened(store) as referral:
            await decide(referral, "d1", Step.SENDING)
            await eventually(store, Step.DELIVERY)
            await store.pass_time(timedelta(minutes=59))
            assert Step.OVERDUE not in store.steps()
            await store.pass_time(timedelta(minutes=2))
            await eventually(store, Step.OVERDUE)
            await store.pass_time(timedelta(days=90))
            state = await referral.query("state", result_type=contract.State)
        assert state.progress.open
        assert store.steps().count(Step.OVERDUE) == state.progress.rung == 2

    run(story)


def test_an_answer_that_does_not_fit_is_shown_to_a_person() -> None:
    async def story() -> None:
        store = FakeStore()
        async with opened(store) as referral:
            await tell(referral, "m2", Step.ACCEPTANCE)
            await eventually(store, Step.UNEXPECTED)

    run(story)


def test_a_refused_delivery_is_told_in_words() -> None:
    async def story() -> None:
        store = FakeStore(outbound.Delivery.REFUSED)
        async with opened(store) as referral:
            await decide(referral, "d1", Step.SENDING)
            await eventually(store, Step.DELIVERY_FAILURE)
        failed = next(change for change in store.changes if change.step is Step.DELIVERY_FAILURE)
        assert failed.after.progress.failed_delivery == "They refuse it."

    run(story)


def test_each_step_is_recorded_as_the_person_who_decided_it() -> None:
    async def story() -> None:
        store = FakeStore()
        async with opened(store) as referral:
            speaker.set("account-1")
            await decide(referral, "d1", Step.SENDING)
            await eventually(store, Step.DELIVERY)
            speaker.set("account-2")
            await decide(referral, "d2", Step.ACCEPTANCE)
        assert dict(zip(store.steps(), store.actors, strict=True)) == {
            Step.SENDING: "account-1",
            Step.DELIVERY: "system",
            Step.ACCEPTANCE: "account-2",
        }

    run(story)


def test_a_referral_goes_on_from_its_state() -> None:
    async def story() -> None:
        store = FakeStore()
        state = contract.State("r1", Progress(stage=Stage.TRIAGE, since=datetime.now(UTC)), version=4)
        async with skipping() as environment, working(environment.client, store.activities()):
            handle: WorkflowHandle[Any, contract.State] = await environment.client.start_workflow(
                contract.WORKFLOW, contract.Start(state), id=ID, task_queue=INTERACTIVE, result_type=contract.State
            )
            await decide(handle, "d9", Step.ACCEPTANCE)
        assert store.changes[0].before.version == 4

    run(story)
