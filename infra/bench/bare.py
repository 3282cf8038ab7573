"""The peers: workflows with the engine's work of ours and nothing else, each step one row in a plain table."""

import asyncio
from dataclasses import dataclass

from temporalio import workflow

from workflows.calls import call
from workflows.contracts.calls import Activity, Kind

QUEUE = "bare"
OPENED, DECIDE, TELL, DRAINED, APPROVE = "opened", "decide", "tell", "drained", "approve"


@dataclass(frozen=True)
class Said:
    """One step, or one message, of one case."""

    case: str
    key: str
    last: bool = False


@dataclass(frozen=True)
class Kept:
    count: int


INSERT = Activity("bare.insert", takes=Said, gives=Kept, kind=Kind.STORE)
SEND = Activity("bare.send", takes=Said, gives=Kept, kind=Kind.PARTNER)


@workflow.defn
class BareReferral:
    """As `Referral`: opened, decided by updates, told by signals; the first decision sends."""

    @workflow.init
    def __init__(self, start: Said) -> None:  # noqa: ARG002 the engine wants run's arguments
        self._opened = self._sent = self._ended = False
        self._lock = asyncio.Lock()
        self._to_send: Said | None = None

    @workflow.run
    async def run(self, start: Said) -> None:
        await call(INSERT, start)
        self._opened = True
        await workflow.wait_condition(lambda: self._to_send is not None)
        assert self._to_send is not None
        await call(SEND, self._to_send)
        async with self._lock:
            await call(INSERT, Said(start.case, "delivery"))
        await workflow.wait_condition(lambda: self._ended and workflow.all_handlers_finished())

    @workflow.update(name=OPENED)
    async def opened(self) -> None:
        await workflow.wait_condition(lambda: self._opened)

    @workflow.update(name=DECIDE)
    async def decide(self, said: Said) -> Kept:
        kept = await self._keep(said)
        self._to_send = self._to_send or said
        return kept

    @workflow.signal(name=TELL)
    async def tell(self, said: Said) -> None:
        await self._keep(said)

    async def _keep(self, said: Said) -> Kept:
        await workflow.wait_condition(lambda: self._opened)
        async with self._lock:
            kept = await call(INSERT, said)
            self._ended = self._ended or said.last
        return kept


@workflow.defn
class BareInbound:
    """As `Inbound`: poked by update-with-start, files one message and tells its case."""

    @workflow.init
    def __init__(self, start: Said) -> None:  # noqa: ARG002 the engine wants run's arguments
        self._filed = False

    @workflow.run
    async def run(self, start: Said) -> None:
        await call(INSERT, start)
        await workflow.get_external_workflow_handle(start.case).signal(TELL, start)
        self._filed = True
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update(name=DRAINED)
    async def drained(self) -> None:
        await workflow.wait_condition(lambda: self._filed)


@workflow.defn
class Approval:
    """Start, four store steps, one approval."""

    @workflow.init
    def __init__(self, start: Said) -> None:  # noqa: ARG002 the engine wants run's arguments
        self._stored = self._approved = False

    @workflow.run
    async def run(self, start: Said) -> None:
        for step in range(4):
            await call(INSERT, Said(start.case, f"step {step}"))
        self._stored = True
        await workflow.wait_condition(lambda: self._approved)

    @workflow.update(name=APPROVE)
    async def approve(self) -> None:
        """Waits until there is something to approve."""
        await workflow.wait_condition(lambda: self._stored)
        self._approved = True
