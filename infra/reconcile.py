"""Store and engine brought together: each open process that the engine does not run is started from its State."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import structlog
from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.service import RPCError

from activities.records.process import Process
from activities.records.ring import KeyRing, Unreadable
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from activities.records.values import load
from infra.bootstrap import Parts, case_review
from web.client import Engine
from web.handover import start_again
from workflows.contracts import referral, task
from workflows.contracts.calls import INTERACTIVE
from workflows.contracts.people import SYSTEM

log = structlog.get_logger(__name__)
AT_ONCE, BATCH, SECONDS = 8, 200, 60.0
GIVES_UP = 3
LOOK = "This case does not start by itself. Look at it, and tell whoever runs the platform"


@dataclass(frozen=True)
class Beginning:
    """How a process is started: its workflow, and what that takes."""

    workflow: str
    start: object


KINDS: dict[str, Callable[[bytes], Beginning]] = {
    "referral": lambda plain: Beginning(referral.WORKFLOW, referral.Start(load(referral.State, plain))),
    task.PROCESS: lambda plain: Beginning(task.WORKFLOW, task.Start(load(task.State, plain))),
}


def beginning(ring: KeyRing, process: Process) -> Beginning:
    """From the State in the process's row; raises Unreadable without the clinic's key."""
    return KINDS[process.kind](ring.open(process.state, f"process:{process.workflow_id}"))


def running(tenant: str) -> str:
    """The engine's list filter for the running processes of a clinic."""
    kinds = ", ".join(f'"{one}"' for one in (referral.WORKFLOW, task.WORKFLOW))
    return f'ExecutionStatus = "Running" AND WorkflowType IN ({kinds}) AND WorkflowId STARTS_WITH "{tenant}:"'


async def running_ids(client: Client, tenant: str) -> set[str]:
    """The engine's list lags behind by moments: what it lacks may run all the same."""
    return {one.id async for one in client.list_workflows(running(tenant), page_size=1000)}


@dataclass(frozen=True)
class Counts:
    """Open processes of the store, how many of them the engine ran, were started now, and could not be."""

    open: int = 0
    running: int = 0
    started: int = 0
    failed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.open + other.open,
            self.running + other.running,
            self.started + other.started,
            self.failed + other.failed,
        )


@dataclass
class Reconciler:
    """Safe to run at any time and twice at once: starting one that runs changes nothing."""

    parts: Parts
    engine: Engine
    _lost_before: Counter[str] = field(default_factory=Counter)

    def agrees(self) -> bool:
        """A cheap look: both sides count the same for each clinic."""
        return all(self._open_count(one) == self._running_count(one) for one in self._tenants())

    def run(self) -> Counts:
        """Starts what is lost, those whose instant has passed first; raises when the engine does not answer."""
        return sum((self._clinic(tenant) for tenant in self._tenants()), Counts())

    def _tenants(self) -> list[str]:
        with self.parts.sessions.platform() as session:
            return list(session.scalars(select(Tenant.id)))

    def _open_count(self, tenant: str) -> int:
        with self.parts.sessions.begin(Context(tenant, SYSTEM)) as session:
            return session.scalar(select(func.count()).select_from(Process).where(Process.closed_at.is_(None))) or 0

    def _running_count(self, tenant: str) -> int:
        async def work(client: Client) -> int:
            return (await client.count_workflows(running(tenant))).count

        return self.engine.run(work, SECONDS)

    def _clinic(self, tenant: str) -> Counts:
        context = Context(tenant, SYSTEM)
        known = self.engine.run(lambda client: running_ids(client, tenant), SECONDS)
        with self.parts.sessions.begin(context) as session:
            ids = session.scalars(
                select(Process.workflow_id).where(Process.closed_at.is_(None)).order_by(Process.next_due)
            ).all()
        lost = [one for one in ids if one not in known]
        counts = sum((self._start(context, some) for some in _batches(lost)), Counts())
        self._forget(tenant, set(lost))
        return Counts(len(ids), len(ids) - len(lost)) + counts

    def _start(self, context: Context, ids: Sequence[str]) -> Counts:
        with self.parts.sessions.begin(context) as session:
            found = session.scalars(select(Process).where(Process.workflow_id.in_(ids), Process.closed_at.is_(None)))
            in_order = sorted(found.all(), key=lambda one: ids.index(one.workflow_id))
        begun = [(one, begin) for one in in_order if (begin := self._beginning(context, one))]
        done = self.engine.run(lambda client: _start_all(client, begun), SECONDS)
        if done:
            log.warning("lost processes started from their state", tenant=context.tenant, count=done)
        return Counts(started=done, failed=len(in_order) - done)

    def _beginning(self, context: Context, process: Process) -> Beginning | None:
        """None for one that cannot be started, or is lost again and again: a person is told, once."""
        self._lost_before[process.workflow_id] += 1
        try:
            begin = beginning(self.parts.ring, process)
        except Unreadable:
            self._tell(context, process, "The clinic's key that seals its state is not in the key ring.")
            return None
        if self._lost_before[process.workflow_id] > GIVES_UP:
            self._tell(context, process, f"It was started {GIVES_UP} times and ended each time.")
            return None
        return begin

    def _tell(self, context: Context, process: Process, why: str) -> None:
        log.error("process cannot be started", workflow=process.workflow_id)
        now = datetime.now(UTC)
        with self.parts.sessions.begin(context) as session:
            case_review(self.parts)(session, context, process.case_id, "lost", LOOK, why, now)

    def _forget(self, tenant: str, lost: set[str]) -> None:
        for one in [one for one in self._lost_before if one.startswith(f"{tenant}:") and one not in lost]:
            del self._lost_before[one]


async def _start_all(client: Client, begun: Sequence[tuple[Process, Beginning]]) -> int:
    """A few at once, so that a clinic's thousand cases leave room for its people."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def start(process: Process, begin: Beginning) -> bool:
        async with gate:
            try:
                await start_again(client, begin.workflow, process.workflow_id, begin.start, INTERACTIVE)
            except RPCError as error:
                log.warning("process not started", workflow=process.workflow_id, cause=error.status.name)
                return False
            return True

    return sum(await asyncio.gather(*(start(*one) for one in begun)))


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    rest = iter(ids)
    while some := list(islice(rest, BATCH)):
        yield some
