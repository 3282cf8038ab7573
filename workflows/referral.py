"""A referral, from its draft until the loop is closed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from rules.referral.steps import follow, received, refuses
from rules.referral.vocabulary import By, Facts, Progress, Step
from workflows.calls import FAILED, call, kind_of, words_of
from workflows.contracts import inbound
from workflows.contracts import referral as contract
from workflows.contracts.calls import DIVERGED, NOT_OPENED, REFUSED
from workflows.contracts.outbound import Delivery, Sent
from workflows.outbound import deliver
from workflows.tasks import changed_or_due

AHEAD = (
    "The record was ahead of the process, which has gone on from the record. Compare the timeline with what happened."
)
TRIES = 3


@workflow.defn(name=contract.WORKFLOW)
class Referral:
    @workflow.init
    def __init__(self, start: contract.Start) -> None:
        self._state = start.state
        self._opened = start.state.version > 0
        self._unopened = ""
        self._lock = asyncio.Lock()
        self._sending: dict[str, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, start: contract.Start) -> contract.State:
        await self._open(start)
        for message in start.told:
            await self.tell(message)
        while self._state.progress.open:
            self._send_what_is_ready()
            await self._wait()
            self._go_on_afresh_when_long()
        while self._state.sends or not workflow.all_handlers_finished():
            self._send_what_is_ready()
            await workflow.wait_condition(lambda: not self._sending and workflow.all_handlers_finished())
        return self._state

    @workflow.update(name=contract.OPENED)
    async def opened(self) -> contract.State:
        """Returns once the first record is committed."""
        await self._until_opened()
        return self._state

    @workflow.update(name=contract.DECIDE)
    async def decide(self, decision: contract.Decision) -> contract.Recorded:
        """A person's decision, applied once under its own id."""

        def fits(progress: Progress) -> Step:
            self._refuse(progress, decision)
            return decision.step

        return await self._take(decision.id, decision.facts, workflow.now(), fits)

    @decide.validator
    def _may_decide(self, decision: contract.Decision) -> None:
        if decision.id not in self._state.remembered:
            self._refuse(self._state.progress, decision)

    @workflow.signal(name=contract.TELL)
    async def tell(self, message: contract.Message) -> None:
        """A partner's answer, already filed; one that does not fit is shown to a person."""

        def fits(progress: Progress) -> Step:
            return received(progress, message.step, message.facts)

        try:
            await self._take(message.id, message.facts, message.at, fits)
        except FAILED as failed:
            await call(inbound.PARK, inbound.Parking(message.id, words_of(failed)))

    @workflow.signal(name=contract.REFRESH)
    async def refresh(self) -> None:
        """The store knows something that this process may have missed: a message to be sent."""
        await self._until_opened()
        async with self._lock:
            await self._reload("")

    @workflow.query(name="state")
    def state(self) -> contract.State:
        return self._state

    def _refuse(self, progress: Progress, decision: contract.Decision) -> None:
        refusal = refuses(progress, decision.step, decision.facts, decision.by)
        if refusal:
            raise ApplicationError(refusal.words, type=REFUSED, non_retryable=True)

    async def _open(self, start: contract.Start) -> None:
        if self._opened:
            return
        try:
            opened = await call(contract.OPEN, contract.Opening(start.decision_id, self._state))
        except FAILED as failed:
            self._unopened = words_of(failed)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        self._state, self._opened = opened.state, True

    async def _until_opened(self) -> None:
        await workflow.wait_condition(lambda: self._opened or bool(self._unopened))
        if self._unopened:
            raise ApplicationError(self._unopened, type=NOT_OPENED, non_retryable=True)

    async def _reload(self, why: str) -> None:
        """Believes the store, under the lock; with `why`, a person is asked to look."""
        stored = await call(contract.RELOAD, contract.Reload(self._state.referral_id, why))
        self._state = stored.state

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
        await self._record_own(
            f"{step}:{message_id}", step, facts, lambda progress: refuses(progress, step, facts, By.ENGINE) is None
        )

    async def _wait(self) -> None:
        """Until something happens, or until the wait runs out and its owner must know."""
        seen = self._state
        if not await changed_or_due(lambda: self._state is not seen, seen.due_at):
            await self._overdue(seen.progress)

    async def _overdue(self, seen: Progress) -> None:
        async with self._lock:
            key = f"{Step.OVERDUE}:{self._state.version}"
            if not await self._record_own(key, Step.OVERDUE, Facts(), lambda progress: progress == seen):
                # A person has been asked to look; the clock must not try for ever.
                self._state = replace(self._state, due_at=None)

    async def _take(self, key: str, facts: Facts, at: datetime, fits: Callable[[Progress], Step]) -> contract.Recorded:
        """Records what somebody said; where the record has run ahead, once more from where it stands."""
        await self._until_opened()
        async with self._lock:
            for tried in range(TRIES):
                if key in self._state.remembered:
                    return contract.Recorded(self._state.version, self._state.due_at, repeated=True)
                try:
                    return await self._record(key, fits(self._state.progress), facts, at)
                except FAILED as failed:
                    if kind_of(failed) != DIVERGED or tried == TRIES - 1:
                        raise
                    await self._reload(AHEAD)
        raise AssertionError("the last try returns or raises")

    async def _record_own(self, key: str, step: Step, facts: Facts, applies: Callable[[Progress], bool]) -> bool:
        """A step this process takes by itself while it applies; False where the record cannot take it."""
        for _ in range(TRIES):
            if key in self._state.remembered or not applies(self._state.progress):
                return True
            try:
                await self._record(key, step, facts, workflow.now())
            except FAILED as failed:
                await self._reload(AHEAD if kind_of(failed) == DIVERGED else words_of(failed))
                if kind_of(failed) != DIVERGED:
                    return False
        return key in self._state.remembered

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

    def _go_on_afresh_when_long(self) -> None:
        if workflow.info().is_continue_as_new_suggested() and not self._sending and workflow.all_handlers_finished():
            workflow.continue_as_new(contract.Start(self._state))
