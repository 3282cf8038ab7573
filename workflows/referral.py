"""A referral, from its draft until the loop is closed."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from rules.referral.steps import follow, received, refuses
from rules.referral.vocabulary import By, Facts, Progress, Step
from workflows.calls import call
from workflows.contracts import referral as contract
from workflows.contracts.calls import REFUSED
from workflows.contracts.outbound import Delivery, Sent
from workflows.outbound import deliver


@workflow.defn(name=contract.WORKFLOW)
class Referral:
    @workflow.init
    def __init__(self, start: contract.Start) -> None:
        self._state = start.state
        self._opened = start.state.version > 0
        self._lock = asyncio.Lock()
        self._sending: dict[str, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, start: contract.Start) -> contract.State:
        await self._open(start)
        while self._state.progress.open:
            self._send_what_is_ready()
            await self._wait()
            self._go_on_afresh_when_long()
        await workflow.wait_condition(lambda: not self._sending)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    @workflow.update(name=contract.OPENED)
    async def opened(self) -> contract.State:
        """Returns once the first record is committed."""
        await workflow.wait_condition(lambda: self._opened)
        return self._state

    @workflow.update(name=contract.DECIDE)
    async def decide(self, decision: contract.Decision) -> contract.Recorded:
        """A person's decision, applied once under its own id."""
        async with self._lock:
            if decision.id in self._state.remembered:
                return contract.Recorded(self._state.version, self._state.due_at, repeated=True)
            self._refuse(decision)
            return await self._record(decision.id, decision.step, decision.facts, workflow.now())

    @decide.validator
    def _may_decide(self, decision: contract.Decision) -> None:
        if decision.id not in self._state.remembered:
            self._refuse(decision)

    @workflow.signal(name=contract.TELL)
    async def tell(self, message: contract.Message) -> None:
        """A partner's answer, already filed; one that does not fit is shown to a person."""
        async with self._lock:
            if message.id in self._state.remembered:
                return
            step = received(self._state.progress, message.step, message.facts)
            await self._record(message.id, step, message.facts, message.at)

    @workflow.query(name="state")
    def state(self) -> contract.State:
        return self._state

    def _refuse(self, decision: contract.Decision) -> None:
        refusal = refuses(self._state.progress, decision.step, decision.facts, decision.by)
        if refusal:
            raise ApplicationError(refusal.words, type=REFUSED, non_retryable=True)

    async def _open(self, start: contract.Start) -> None:
        if not self._opened:
            opened = await call(contract.OPEN, contract.Opening(start.decision_id, self._state))
            self._state, self._opened = opened.state, True

    def _send_what_is_ready(self) -> None:
        """Beside the wait, so that a silent partner never hides a deadline."""
        for message_id in self._state.sends:
            if message_id not in self._sending:
                self._sending[message_id] = asyncio.create_task(self._deliver(message_id))

    async def _deliver(self, message_id: str) -> None:
        sent = await deliver(message_id)
        async with self._lock:
            await self._record_delivery(message_id, sent)
        del self._sending[message_id]

    async def _record_delivery(self, message_id: str, sent: Sent) -> None:
        rest = tuple(other for other in self._state.sends if other != message_id)
        self._state = replace(self._state, sends=rest)
        step = Step.DELIVERY if sent.delivery is Delivery.DELIVERED else Step.DELIVERY_FAILURE
        facts = Facts(note=sent.words)
        if refuses(self._state.progress, step, facts, By.ENGINE) is None:
            await self._record(f"{step}:{message_id}", step, facts, workflow.now())

    async def _wait(self) -> None:
        """Until something happens, or until the wait runs out and its owner must know."""
        seen = self._state
        try:
            await workflow.wait_condition(
                lambda: self._state is not seen, timeout=self._left(seen.due_at), timeout_summary="next action due"
            )
        except TimeoutError:
            await self._overdue(seen.progress)

    async def _overdue(self, seen: Progress) -> None:
        async with self._lock:
            if self._state.progress == seen:
                key = f"{Step.OVERDUE}:{self._state.version}"
                await self._record(key, Step.OVERDUE, Facts(), workflow.now())

    async def _record(self, key: str, step: Step, facts: Facts, at: datetime) -> contract.Recorded:
        """Stores one step, then believes it: in this order, under the lock."""
        before = self._state
        after = replace(
            before,
            progress=follow(before.progress, step, facts, at),
            remembered=(*before.remembered, key)[-contract.REMEMBERED :],
        )
        recorded = await call(contract.RECORD, contract.Change(key, step, facts, at, before, after))
        self._state = replace(
            after,
            progress=recorded.onto(after.progress),
            version=recorded.version,
            due_at=recorded.due_at,
            sends=(*self._state.sends, *recorded.sends),
        )
        return recorded

    def _left(self, due_at: datetime | None) -> timedelta | None:
        return None if due_at is None else max(due_at - workflow.now(), timedelta(0))

    def _go_on_afresh_when_long(self) -> None:
        if workflow.info().is_continue_as_new_suggested() and not self._sending and workflow.all_handlers_finished():
            workflow.continue_as_new(contract.Start(self._state))
