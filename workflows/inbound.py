"""Files the waiting messages of one patient from one interface, in order, and tells their cases."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from workflows.calls import FAILED, call, words_of
from workflows.contracts import inbound as contract
from workflows.contracts import referral
from workflows.contracts.people import tenant_of

TASK_TIMEOUT = timedelta(seconds=3)
TRIES = 3


@workflow.defn(name=contract.WORKFLOW)
class Inbound:
    @workflow.init
    def __init__(self, line: contract.Line) -> None:  # noqa: ARG002 the engine wants run's arguments
        self._poked = 0
        self._drained = 0

    @workflow.run
    async def run(self, line: contract.Line) -> None:
        while True:
            poked = self._poked
            await self._drain(line)
            self._drained = poked
            # A poke that came meanwhile waits for another turn: waiting for it here would wait for ever.
            await workflow.wait_condition(
                lambda poked=poked: self._poked != poked or workflow.all_handlers_finished()  # type: ignore[misc]
            )
            if self._poked == poked:
                return

    @workflow.update(name=contract.DRAINED)
    async def drained(self) -> None:
        """A poke: returns once every message that was committed before it is filed."""
        self._poked += 1
        mine = self._poked
        await workflow.wait_condition(lambda: self._drained >= mine)

    async def _drain(self, line: contract.Line) -> None:
        """Once along the whole line: a message stays on it until its case has recorded it."""
        more = True
        while more:
            batch = await call(contract.FILE, line)
            for filed in batch.filed:
                await self._hand_on(filed)
            line, more = replace(line, after=batch.last), batch.more

    async def _hand_on(self, filed: contract.Filed) -> None:
        """A message whose case cannot be reached now is handed on again with the next poke."""
        if filed.message is None:
            return
        try:
            for _ in range(TRIES):
                if await self._told(filed.referral_id, filed.message) or await self._started(filed):
                    return
        except FAILED as failed:
            await call(contract.PARK, contract.Parking(filed.message_id, words_of(failed)))

    async def _told(self, referral_id: str, message: referral.Message) -> bool:
        """False when the engine does not run the case: it has ended, or it was lost."""
        case = workflow.get_external_workflow_handle(_case(referral_id))
        try:
            await case.signal(referral.TELL, message)
        except ApplicationError:
            return False
        return True

    async def _started(self, filed: contract.Filed) -> bool:
        """Starts the case again from its State, with the message; False when somebody else was quicker."""
        assert filed.message is not None
        stored = await call(referral.RELOAD, referral.Reload(filed.referral_id))
        try:
            await workflow.start_child_workflow(
                referral.WORKFLOW,
                referral.Start(stored.state, told=(filed.message,)),
                id=_case(filed.referral_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                task_timeout=TASK_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True


def _case(referral_id: str) -> str:
    return referral.workflow_id(tenant_of(workflow.info().workflow_id), referral_id)
