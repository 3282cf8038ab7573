"""Files the waiting messages of one patient from one interface, in order, and tells their cases."""

from temporalio import workflow

from workflows.calls import call
from workflows.contracts import inbound as contract
from workflows.contracts import referral


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
            while await self._file_some(line):
                pass
            self._drained = poked
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._poked == poked:
                return

    @workflow.update(name=contract.DRAINED)
    async def drained(self) -> None:
        """A poke: returns once every message that was committed before it is filed."""
        self._poked += 1
        mine = self._poked
        await workflow.wait_condition(lambda: self._drained >= mine)

    async def _file_some(self, line: contract.Line) -> bool:
        batch = await call(contract.FILE, line)
        for filed in batch.filed:
            if filed.message and filed.case_workflow_id:
                case = workflow.get_external_workflow_handle(filed.case_workflow_id)
                await case.signal(referral.TELL, filed.message)
        if batch.filed:
            await call(contract.SETTLE, contract.Settling(tuple(filed.message_id for filed in batch.filed)))
        return len(batch.filed) >= line.limit
