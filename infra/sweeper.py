"""Hands over again what nobody settled, brings engine and store together, and seals the audit; clinic by clinic."""

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import zip_longest
from uuid import UUID

import structlog
from sqlalchemy import func, literal_column, select, update
from sqlalchemy.orm import Session

from activities.records.audit_seal import seal
from activities.records.decision import Decision
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.process import Process
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from infra.bootstrap import Parts, build, case_review, connect_engine
from infra.fax_folder import take_faxes
from infra.readiness import announce_ready
from infra.reconcile import Reconciler, beginning
from infra.resend import Resender
from infra.settings import load
from infra.telemetry import set_up_logging
from web.client import Engine
from web.completions import Completions
from web.decisions import Desk
from web.fhir.store import StoreDoor
from web.handover import start_again
from workflows.contracts import task
from workflows.contracts.calls import INTERACTIVE
from workflows.contracts.people import SYSTEM

log = structlog.get_logger(__name__)
PATIENCE = timedelta(seconds=30)
SWEEP, RECONCILE, SEAL, FAXES = 5.0, 60.0, 1.0, 5.0  # seconds between two rounds
WHOLE = 10  # of the looks at the engine, one in so many compares every process
BUDGET = 20.0
AGAIN = 5.0  # seconds after a round that failed
BATCH, HANDS, POOL = 100, 4, 8
ALARM = 5
Work = Callable[[], object]


class Sweeper:
    """Everything it does may be done twice without harm, and by several at once."""

    def __init__(self, parts: Parts, engine: Engine, patience: timedelta = PATIENCE, budget: float = BUDGET) -> None:
        self._parts, self._engine, self._patience, self._budget = parts, engine, patience, budget
        self._desk = Desk(parts.sessions, parts.ring, engine, case_review(parts))
        self._completions = Completions(parts.sessions, parts.ring, engine)
        base = f"{parts.settings.public_url.rstrip('/')}/fhir"
        self._door = StoreDoor(parts.sessions, parts.ring, parts.auditor, engine, base)
        self._reconciler, self._resender = Reconciler(parts, engine), Resender(parts, engine)
        self._looks = 0

    def sweep(self) -> int:
        """Hands over what is unsettled, one of each clinic in turn, until the time is up; gives how many were tried.

        What was tried least comes first: a slow one holds up nobody for longer than a round.
        """
        until = time.monotonic() + self._budget
        queues = [self._unsettled(Context(tenant, SYSTEM)) for tenant in self._tenants()]
        turns = [work for turn in zip_longest(*queues) for work in turn if work]
        with ThreadPoolExecutor(HANDS) as pool:
            return sum(pool.map(lambda work: _try(work, until), turns))

    def reconcile(self) -> int:
        """Starts what the engine lost, and sends what no process sends any longer; gives how many."""
        self._looks += 1
        started = 0
        if self._looks % WHOLE == 1 or not self._reconciler.agrees():
            started = self._reconciler.run().started
        return started + sum(self._resender.run(Context(tenant, SYSTEM)) for tenant in self._tenants())

    def seal(self) -> int:
        """Seals each clinic's audit; the count is of no interest to the log."""
        for tenant in self._tenants():
            seal(self._parts.sessions, self._parts.ring, tenant)
        return 0

    def faxes(self) -> int:
        """Takes what fax servers have dropped into the clinics' folders; gives how many files."""
        return sum(take_faxes(self._parts, Context(tenant, SYSTEM)) for tenant in self._tenants())

    def _tenants(self) -> list[str]:
        with self._parts.sessions.platform() as session:
            return list(session.scalars(select(Tenant.id)))

    def _unsettled(self, context: Context) -> list[Work]:
        before = datetime.now(UTC) - self._patience
        with self._parts.sessions.begin(context) as session:
            tasks, decisions = self._tasks(session), self._decisions(session, context, before)
            return [*tasks, *decisions, *self._lines(session, context, before)]

    def _decisions(self, session: Session, context: Context, before: datetime) -> list[Work]:
        rows = session.execute(
            select(Decision.id, Decision.name, Decision.attempts)
            .where(Decision.outcome.is_(None), Decision.made_at < before)
            .order_by(Decision.attempts, Decision.made_at)
            .limit(BATCH)
        ).all()
        if many := sum(row.attempts >= ALARM for row in rows):
            log.error("decisions are not taken by the engine", tenant=context.tenant, count=many)
        return [partial(self._taker(row.name).hand_over, context, row.id) for row in rows]

    def _taker(self, name: str) -> Completions | Desk:
        return self._completions if name == task.COMPLETION else self._desk

    def _lines(self, session: Session, context: Context, before: datetime) -> list[Work]:
        rows = session.execute(
            select(MessageLog.interface_id, MessageLog.patient_key, func.max(MessageLog.attempts).label("attempts"))
            .where(
                MessageLog.direction == Direction.IN,
                MessageLog.settled_at.is_(None),
                MessageLog.state.in_([MessageState.RECEIVED, MessageState.FILED]),
                MessageLog.received_at < before,
            )
            .group_by(MessageLog.interface_id, MessageLog.patient_key)
            .order_by(func.min(MessageLog.attempts), func.min(MessageLog.seq))
            .limit(BATCH)
        ).all()
        return [partial(self._poke, context, row.interface_id, row.patient_key, row.attempts) for row in rows]

    def _poke(self, context: Context, interface_id: UUID, patient_key: str, attempts: int) -> None:
        if self._door.poke(context.tenant, str(interface_id), patient_key, 4.0):
            return
        if attempts and attempts % ALARM == 0:
            log.error("messages are not taken by the engine", tenant=context.tenant, attempts=attempts)
            self._door.abandon(context.tenant, str(interface_id), patient_key)
        with self._parts.sessions.begin(context) as session:
            session.execute(
                update(MessageLog)
                .where(
                    MessageLog.interface_id == interface_id,
                    MessageLog.patient_key == patient_key,
                    MessageLog.direction == Direction.IN,
                    MessageLog.settled_at.is_(None),
                )
                .values(attempts=MessageLog.attempts + 1)
            )

    def _tasks(self, session: Session) -> list[Work]:
        """Tasks whose rows are there and whose workflows are not."""
        untaken = session.scalars(
            select(Process)
            .where(literal_column("version = 0"), Process.closed_at.is_(None), Process.kind == task.PROCESS)
            .order_by(Process.opened_at)
            .limit(BATCH)
        ).all()
        return [partial(self._start, one) for one in untaken]

    def _start(self, process: Process) -> None:
        begin = beginning(self._parts.ring, process)
        self._engine.run(
            lambda client: start_again(client, begin.workflow, process.workflow_id, begin.start, INTERACTIVE), 5.0
        )


def _try(work: Work, until: float) -> int:
    if time.monotonic() > until:
        return 0
    try:
        work()
    except Exception as error:  # noqa: BLE001 one that cannot be handed over must not keep back the others
        log.warning("not handed over", cause=type(error).__name__)
    return 1


def every(seconds: float, work: Callable[[], int], stop: threading.Event) -> None:
    """Runs `work` at once and again and again until told to stop; a failure is logged and soon tried again."""
    while True:
        began, pause = time.monotonic(), seconds
        try:
            done = work()
            if done:
                log.info("swept", work=work.__name__, count=done, seconds=round(time.monotonic() - began, 2))
        except Exception as error:  # noqa: BLE001 the sweeper outlives every fault of store and engine
            log.warning("sweep failed", work=work.__name__, cause=type(error).__name__)
            pause = min(seconds, AGAIN)
        if stop.wait(pause):
            return


def main() -> None:
    settings = load()
    set_up_logging(settings.log_level)
    parts = build(settings, POOL)
    sweeper = Sweeper(parts, Engine(lambda: connect_engine(settings, parts.ring)))
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    rounds = ((RECONCILE, sweeper.reconcile), (SEAL, sweeper.seal), (FAXES, sweeper.faxes))
    threads = [threading.Thread(target=every, args=(*one, stop), daemon=True) for one in rounds]
    for thread in threads:
        thread.start()
    announce_ready()
    every(SWEEP, sweeper.sweep, stop)


if __name__ == "__main__":
    main()
