"""One patient's line of messages, on a real engine with activities that only remember."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from rules.referral.vocabulary import Facts, Progress, Stage, Step
from tests.engine import skipping, working
from workflows.contracts import inbound as contract
from workflows.contracts import referral
from workflows.contracts.calls import INTERACTIVE

LINE = contract.Line("i1", "k1")


class FakeRecord:
    """Messages of a line by number; a message leaves it when its case has recorded it."""

    def __init__(self, stage: Stage, readable: bool = True) -> None:
        self.waiting: dict[int, str] = {}
        self.told: list[tuple[Step, str]] = []
        self.parked: list[str] = []
        self.looks = 0
        self._stage, self._readable = stage, readable

    def arrive(self, *names: str) -> None:
        for name in names:
            self.waiting[len(self.waiting) + len(self.told) + 1] = name

    def activities(self) -> list[Callable[..., Any]]:
        return [self.file, self.park, self.reload, self.record]

    @activity.defn(name=contract.FILE.name)
    def file(self, line: contract.Line) -> contract.Batch:
        self.looks += 1
        time.sleep(0.03)
        taken = [(number, name) for number, name in sorted(self.waiting.items()) if number > line.after][: line.limit]
        return contract.Batch(
            tuple(contract.Filed(name, "r1", _accepted(name)) for _, name in taken),
            taken[-1][0] if taken else line.after,
            len(taken) >= line.limit,
        )

    @activity.defn(name=contract.PARK.name)
    def park(self, parking: contract.Parking) -> contract.Parked:
        self.parked.append(parking.message_id)
        return contract.Parked(True)

    @activity.defn(name=referral.RELOAD.name)
    def reload(self, asked: referral.Reload) -> referral.Opened:
        if not self._readable:
            raise ApplicationError("There is no such case.", type="NoResultFound", non_retryable=True)
        progress = Progress(stage=self._stage, since=datetime.now(UTC))
        return referral.Opened(referral.State(asked.referral_id, progress, version=4))

    @activity.defn(name=referral.RECORD.name)
    def record(self, change: referral.Change) -> referral.Recorded:
        self.told.append((change.step, change.key))
        self.waiting = {number: name for number, name in self.waiting.items() if name != change.key}
        return referral.Recorded(change.before.version + 1)


def _accepted(name: str) -> referral.Message:
    return referral.Message(name, Step.ACCEPTANCE, Facts(), datetime.now(UTC))


async def poke(client: Client, line: contract.Line = LINE) -> None:
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        contract.WORKFLOW,
        line,
        id=contract.workflow_id("larkmoor", line.interface_id, line.patient_key),
        task_queue=INTERACTIVE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.execute_update_with_start_workflow(contract.DRAINED, start_workflow_operation=start)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(250):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to hold")


def test_a_message_for_a_lost_case_starts_it_again_from_its_state() -> None:
    async def story() -> None:
        record = FakeRecord(Stage.TRIAGE)
        record.arrive("m1")
        async with skipping() as environment, working(environment.client, record.activities()):
            await poke(environment.client)
            await until(lambda: not record.waiting)
            case = environment.client.get_workflow_handle("larkmoor:referral:r1", result_type=referral.State)
            state = await case.query("state", result_type=referral.State)
        assert record.told == [(Step.ACCEPTANCE, "m1")]
        assert (state.progress.stage, state.version) == (Stage.SCHEDULING, 5)

    asyncio.run(story())


def test_messages_for_a_closed_case_reach_it_one_by_one_and_it_ends_again() -> None:
    async def story() -> None:
        record = FakeRecord(Stage.CLOSED)
        record.arrive("m1", "m2", "m3")
        async with skipping() as environment, working(environment.client, record.activities()):
            await poke(environment.client)
            await until(lambda: not record.waiting)
            await environment.client.get_workflow_handle("larkmoor:referral:r1").result()
        assert {key for _, key in record.told} == {"m1", "m2", "m3"}
        assert {step for step, _ in record.told} == {Step.LATE_NOTE}

    asyncio.run(story())


def test_pokes_that_come_while_the_line_is_being_filed_are_all_answered() -> None:
    async def story() -> None:
        record = FakeRecord(Stage.TRIAGE)
        record.arrive("m1")
        async with skipping() as environment, working(environment.client, record.activities()):
            await asyncio.wait_for(asyncio.gather(*(poke(environment.client) for _ in range(8))), 20)

    asyncio.run(story())


def test_a_line_longer_than_a_batch_is_walked_once_and_in_order() -> None:
    async def story() -> None:
        record = FakeRecord(Stage.TRIAGE)
        names = [f"m{number:02}" for number in range(7)]
        record.arrive(*names)
        async with skipping() as environment, working(environment.client, record.activities()):
            await poke(environment.client, contract.Line("i1", "k1", limit=3))
            await until(lambda: not record.waiting)
        assert [key for _, key in record.told] == names
        assert record.looks <= 4

    asyncio.run(story())


def test_a_message_whose_case_cannot_be_read_is_parked_and_holds_up_nobody() -> None:
    async def story() -> None:
        record = FakeRecord(Stage.TRIAGE, readable=False)
        record.arrive("m1", "m2")
        async with skipping() as environment, working(environment.client, record.activities()):
            await poke(environment.client)
        assert record.parked == ["m1", "m2"]

    asyncio.run(story())
