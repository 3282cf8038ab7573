"""A referral whose record ran ahead, cannot take a step, or must be looked at again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from rules.referral.vocabulary import By, Facts, Progress, Reason, Stage, Step
from tests.engine import skipping, working
from web.handover import Answer, Fate, open_referral
from workflows.contracts import inbound, outbound
from workflows.contracts import referral as contract
from workflows.contracts.calls import DIVERGED, INTERACTIVE

ID = "larkmoor:referral:r1"
NOTHING = Facts()


class Record:
    """A store with one case. `fails` are raised one by one, each before a step is taken."""

    def __init__(self, stage: Stage = Stage.TRIAGE, fails: list[ApplicationError] | None = None) -> None:
        self.state = contract.State("r1", Progress(stage=stage, since=datetime.now(UTC)), version=7)
        self.steps: list[Step] = []
        self.asked: list[str] = []
        self.sent: list[str] = []
        self.parked: list[inbound.Parking] = []
        self.unsent: tuple[str, ...] = ()
        self._fails = fails or []

    def activities(self) -> list[Callable[..., Any]]:
        return [self.open, self.record, self.reload, self.send, self.park]

    @activity.defn(name=contract.OPEN.name)
    def open(self, opening: contract.Opening) -> contract.Opened:
        raise self._fails.pop(0)

    @activity.defn(name=contract.RECORD.name)
    def record(self, change: contract.Change) -> contract.Recorded:
        if self._fails:
            raise self._fails.pop(0)
        if change.before.version != self.state.version:
            raise diverged()
        self.steps.append(change.step)
        self.state = replace(change.after, version=self.state.version + 1, due_at=change.at + timedelta(hours=1))
        return contract.Recorded(self.state.version, self.state.due_at)

    @activity.defn(name=contract.RELOAD.name)
    def reload(self, asked: contract.Reload) -> contract.Opened:
        if asked.why:
            self.asked.append(asked.why)
        return contract.Opened(replace(self.state, sends=(*self.state.sends, *self.unsent)))

    @activity.defn(name=outbound.SEND.name)
    def send(self, sending: outbound.Sending) -> outbound.Sent:
        self.sent.append(sending.message_id)
        return outbound.Sent(outbound.Delivery.DELIVERED)

    @activity.defn(name=inbound.PARK.name)
    def park(self, parking: inbound.Parking) -> inbound.Parked:
        self.parked.append(parking)
        return inbound.Parked(True)


def diverged() -> ApplicationError:
    return ApplicationError("The record is ahead of the process.", type=DIVERGED, non_retryable=True)


def unfit() -> ApplicationError:
    return ApplicationError("'Achterbeek' is no code", type="ValueError")


def story(record: Record, told: Callable[[WorkflowHandle[Any, contract.State]], Any], **changes: Any) -> None:
    """Starts the case from the record's State, but for `changes`, and tells the story with it."""

    async def run() -> None:
        async with skipping() as environment, working(environment.client, record.activities()):
            case: WorkflowHandle[Any, contract.State] = await environment.client.start_workflow(
                contract.WORKFLOW,
                contract.Start(replace(record.state, **changes)),
                id=ID,
                task_queue=INTERACTIVE,
                result_type=contract.State,
            )
            await asyncio.wait_for(told(case), 30)

    asyncio.run(run())


async def decide(case: WorkflowHandle[Any, Any], key: str, step: Step, facts: Facts = NOTHING) -> None:
    await case.execute_update(contract.DECIDE, contract.Decision(key, step, facts, By.STAFF), id=key)


async def until(holds: Callable[[], object]) -> None:
    for _ in range(250):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to hold")


def test_a_process_behind_its_record_goes_on_from_the_record_and_a_person_is_asked_to_look() -> None:
    record = Record(Stage.SCHEDULING)

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        await decide(case, "d1", Step.CLOSURE, Facts(reason=Reason.OTHER))
        ended = await case.result()
        assert (ended.progress.stage, ended.version) == (Stage.CLOSED, 8)

    story(record, told, progress=Progress(stage=Stage.TRIAGE, since=datetime.now(UTC)), version=4)
    assert (record.steps, len(record.asked)) == ([Step.CLOSURE], 1)


def test_a_decision_that_the_record_ahead_does_not_allow_is_refused() -> None:
    record = Record(Stage.REVIEWED)

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        with pytest.raises(WorkflowUpdateFailedError):
            await decide(case, "d1", Step.ACCEPTANCE)

    story(record, told, progress=Progress(stage=Stage.TRIAGE, since=datetime.now(UTC)), version=4)
    assert record.steps == []


def test_a_record_that_stays_ahead_fails_the_decision_and_keeps_the_case_alive() -> None:
    record = Record(fails=[diverged(), diverged(), diverged()])

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await decide(case, "d1", Step.ACCEPTANCE)
        assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.type == DIVERGED
        await decide(case, "d2", Step.ACCEPTANCE)

    story(record, told)
    assert record.steps == [Step.ACCEPTANCE]


def test_what_the_record_cannot_take_fails_at_once_and_the_case_stays_alive() -> None:
    record = Record(fails=[unfit()])

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        with pytest.raises(WorkflowUpdateFailedError):
            await decide(case, "d1", Step.ACCEPTANCE)
        await decide(case, "d2", Step.ACCEPTANCE)

    story(record, told)
    assert record.steps == [Step.ACCEPTANCE]


def test_an_answer_the_record_cannot_take_is_parked_without_quoting_it() -> None:
    record = Record(fails=[unfit()])

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        await case.signal(contract.TELL, contract.Message("m1", Step.ACCEPTANCE, NOTHING, datetime.now(UTC)))
        await until(lambda: record.parked)

    story(record, told)
    assert [(one.message_id, "Achterbeek" in one.why) for one in record.parked] == [("m1", False)]


def test_an_instant_the_record_cannot_take_asks_a_person_once_and_does_not_try_for_ever() -> None:
    record = Record(fails=[unfit() for _ in range(50)])

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        await until(lambda: record.asked)
        await asyncio.sleep(0.5)

    story(record, told, due_at=datetime.now(UTC) - timedelta(hours=1))
    assert (len(record.asked), record.steps) == (1, [])


def test_a_referral_that_cannot_be_opened_fails_in_words_that_quote_no_record() -> None:
    record = Record(fails=[unfit()])

    async def run() -> Answer:
        async with skipping() as environment, working(environment.client, record.activities()):
            return await open_referral(environment.client, ID, "d0", "account-1", INTERACTIVE)

    answer = asyncio.run(run())
    assert answer.fate is Fate.FAILED
    assert "ValueError" in answer.words and "Achterbeek" not in answer.words


def test_told_to_look_again_a_referral_sends_what_it_had_lost() -> None:
    record = Record(Stage.SENT)
    record.unsent = ("m7",)

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        await case.signal(contract.REFRESH)
        await until(lambda: Step.DELIVERY in record.steps)

    story(record, told)
    assert (record.sent, record.asked) == (["m7"], [])


def test_an_ended_referral_sends_what_is_left_and_ends_again() -> None:
    record = Record(Stage.CLOSED)

    async def told(case: WorkflowHandle[Any, contract.State]) -> None:
        await case.result()

    story(record, told, sends=("m7",))
    assert record.sent == ["m7"]
