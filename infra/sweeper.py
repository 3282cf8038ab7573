"""Hands over again what nobody settled, tenant by tenant: decisions, messages, and workflows the engine lost."""

import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import literal_column, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.records.decision import Decision
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.process import Process
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from infra.bootstrap import Parts, build, connect_engine
from infra.readiness import announce_ready
from infra.settings import load
from infra.telemetry import set_up_logging
from web.client import Engine
from web.completions import Completions
from web.decisions import Desk
from web.fhir.store import StoreDoor
from workflows.contracts import task
from workflows.contracts.calls import BULK
from workflows.contracts.people import SYSTEM

log = structlog.get_logger(__name__)
PATIENCE = timedelta(seconds=30)
PAUSE = 5.0
BATCH = 100
POOL = 4


class Sweeper:
    """One round looks at each tenant once; everything it does may be done twice without harm."""

    def __init__(self, parts: Parts, engine: Engine, patience: timedelta = PATIENCE) -> None:
        self._parts, self._engine, self._patience = parts, engine, patience
        self._desk = Desk(parts.sessions, parts.ring, engine)
        self._completions = Completions(parts.sessions, parts.ring, engine)
        base = f"{parts.settings.public_url.rstrip('/')}/fhir"
        self._door = StoreDoor(parts.sessions, parts.ring, parts.auditor, engine, base)

    def round(self) -> int:
        """How many inputs and workflows were handed over."""
        with self._parts.sessions.platform() as session:
            tenants = list(session.scalars(select(Tenant.id)))
        return sum(self._sweep(Context(tenant, SYSTEM)) for tenant in tenants)

    def _sweep(self, context: Context) -> int:
        return self._decisions(context) + self._messages(context) + self._tasks(context)

    def _decisions(self, context: Context) -> int:
        with self._parts.sessions.begin(context) as session:
            waiting = list(
                session.execute(
                    select(Decision.id, Decision.name)
                    .where(Decision.outcome.is_(None), Decision.made_at < datetime.now(UTC) - self._patience)
                    .order_by(Decision.made_at)
                    .limit(BATCH)
                )
            )
        for decision, name in waiting:
            taker = self._completions if name == task.COMPLETION else self._desk
            taker.hand_over(context, decision, BULK)
        return len(waiting)

    def _tasks(self, context: Context) -> int:
        """Tasks whose rows are there and whose workflows are not."""
        with self._parts.sessions.begin(context) as session:
            untaken = list(
                session.scalars(
                    select(Process)
                    .where(literal_column("version = 0"), Process.closed_at.is_(None), Process.kind == task.PROCESS)
                    .order_by(Process.opened_at)
                    .limit(BATCH)
                )
            )
        for process in untaken:
            self._completions.start(process, BULK)
        return len(untaken)

    def _messages(self, context: Context) -> int:
        with self._parts.sessions.begin(context) as session:
            lines = session.execute(
                select(MessageLog.interface_id, MessageLog.patient_key)
                .where(
                    MessageLog.direction == Direction.IN,
                    MessageLog.settled_at.is_(None),
                    MessageLog.state.in_([MessageState.RECEIVED, MessageState.FILED]),
                    MessageLog.received_at < datetime.now(UTC) - self._patience,
                )
                .distinct()
                .limit(BATCH)
            ).all()
        for interface_id, patient_key in lines:
            self._door.poke(context.tenant, str(interface_id), patient_key, 4.0)
        return len(lines)

    def reconcile(self) -> int:
        """Starts each open case that the engine does not run from its State; gives how many."""
        with self._parts.sessions.platform() as session:
            tenants = list(session.scalars(select(Tenant.id)))
        return sum(self._restart_lost(Context(tenant, SYSTEM)) for tenant in tenants)

    def _restart_lost(self, context: Context) -> int:
        with self._parts.sessions.begin(context) as session:
            open_cases = list(
                session.scalars(select(Process).where(Process.closed_at.is_(None)).order_by(Process.next_due))
            )
        lost = [process for process in open_cases if not self._runs(process.workflow_id)]
        for process in lost:
            starter = self._completions.start if process.kind == task.PROCESS else self._desk.restart
            starter(process, BULK)
        return len(lost)

    def _runs(self, workflow_id: str) -> bool:
        async def work(client: Client) -> bool:
            try:
                found = await client.get_workflow_handle(workflow_id).describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
            return found.status is WorkflowExecutionStatus.RUNNING

        return self._engine.run(work, 10)


def every(seconds: float, work: Callable[[], int], stop: threading.Event) -> None:
    """Runs `work` again and again until told to stop; a failure is logged and tried again."""
    while not stop.wait(seconds):
        began = time.monotonic()
        try:
            done = work()
        except Exception as error:  # noqa: BLE001 the sweeper outlives every fault of store and engine
            log.warning("sweep failed", cause=type(error).__name__)
            continue
        if done:
            log.info("swept", count=done, seconds=round(time.monotonic() - began, 2))


def main() -> None:
    settings = load()
    set_up_logging(settings.log_level)
    parts = build(settings, POOL)
    sweeper = Sweeper(parts, Engine(lambda: connect_engine(settings, parts.ring)))
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    announce_ready()
    every(PAUSE, sweeper.round, stop)


if __name__ == "__main__":
    main()
