"""Outgoing messages that no process sends any longer: their case is told to look at the store again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.process import Process
from activities.records.sessions import Context
from activities.records.values import load
from infra.bootstrap import Parts
from web.client import Engine
from web.handover import PATIENCE, TASK_TIMEOUT
from workflows.contracts import referral
from workflows.contracts.calls import INTERACTIVE
from workflows.contracts.people import SYSTEM, speaker

log = structlog.get_logger(__name__)
QUIET = timedelta(minutes=2)
# Longer than a process tries by itself: after that it has forgotten the message.
FORGOTTEN = timedelta(minutes=45)
BATCH = 100
SECONDS = 5.0


class Resender:
    """One that a process still tries is left to it."""

    def __init__(self, parts: Parts, engine: Engine) -> None:
        self._parts, self._engine = parts, engine

    def run(self, context: Context) -> int:
        """Gives how many cases were told."""
        found = self._stuck(context)
        lost = {row.case_id for row in found if row.case_id and self._forgotten(context, row)}
        for case in sorted(lost):
            self.refresh(context, case)
        if lost:
            log.warning("messages that nobody was sending", tenant=context.tenant, count=len(lost))
        return len(lost)

    def refresh(self, context: Context, case_id: UUID) -> None:
        """The case sends what the store says is to be sent; one that does not run is started from its State."""
        process, state = self._state(context, case_id)

        async def work(client: Client) -> None:
            speaker.set(SYSTEM)
            await client.start_workflow(
                referral.WORKFLOW,
                referral.Start(state),
                id=process.workflow_id,
                task_queue=INTERACTIVE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal=referral.REFRESH,
                task_timeout=TASK_TIMEOUT,
                rpc_timeout=PATIENCE,
            )

        self._engine.run(work, SECONDS)

    def _stuck(self, context: Context) -> Sequence[MessageLog]:
        before = datetime.now(UTC) - QUIET
        with self._parts.sessions.begin(context) as session:
            return session.scalars(
                select(MessageLog)
                .where(
                    MessageLog.direction == Direction.OUT,
                    MessageLog.settled_at.is_(None),
                    MessageLog.state.in_([MessageState.READY, MessageState.SENDING]),
                    MessageLog.received_at < before,
                    or_(MessageLog.taken_at.is_(None), MessageLog.taken_at < before),
                )
                .order_by(MessageLog.seq)
                .limit(BATCH)
            ).all()

    def _forgotten(self, context: Context, row: MessageLog) -> bool:
        assert row.case_id is not None
        if datetime.now(UTC) - (row.taken_at or row.received_at) > FORGOTTEN:
            return True
        return str(row.id) not in self._state(context, row.case_id)[1].sends

    def _state(self, context: Context, case_id: UUID) -> tuple[Process, referral.State]:
        workflow_id = referral.workflow_id(context.tenant, str(case_id))
        with self._parts.sessions.begin(context) as session:
            process = session.get_one(Process, workflow_id)
        return process, load(referral.State, self._parts.ring.open(process.state, f"process:{workflow_id}"))
