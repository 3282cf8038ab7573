"""A task of its own, from its row until somebody has completed it; no clock ends it."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.calls import call
from workflows.contracts import task as contract
from workflows.contracts.calls import REFUSED
from workflows.tasks import changed_or_due


@workflow.defn(name=contract.WORKFLOW)
class Task:
    @workflow.init
    def __init__(self, start: contract.Start) -> None:
        self._state = start.state
        self._lock = asyncio.Lock()

    @workflow.run
    async def run(self, start: contract.Start) -> contract.State:  # noqa: ARG002 kept by init
        async with self._lock:
            await self._take()
        while not self._state.done:
            seen = self._state
            if not await changed_or_due(lambda seen=seen: self._state is not seen, seen.due_at):  # type: ignore[misc]
                await self._climb(seen)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    @workflow.update(name=contract.COMPLETE)
    async def complete(self, completion: contract.Completion) -> contract.State:
        """What came of the task, applied once under its own id; refused in words when it does not fit."""
        async with self._lock:
            await self._take()
            recorded = await call(contract.FINISH, contract.Completing(self._state, completion, workflow.now()))
            self._state = recorded.state
        if recorded.refusal:
            raise ApplicationError(recorded.refusal, type=REFUSED, non_retryable=True)
        return recorded.state

    @workflow.query(name="state")
    def state(self) -> contract.State:
        return self._state

    async def _take(self) -> None:
        """From here on the row is this workflow's."""
        if self._state.version == 0:
            self._state = (await call(contract.TAKE, self._state)).state

    async def _climb(self, seen: contract.State) -> None:
        async with self._lock:
            if self._state == seen:
                recorded = await call(contract.CLIMB, contract.Climbing(seen, workflow.now()))
                self._state = recorded.state
