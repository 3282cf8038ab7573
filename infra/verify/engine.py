"""Engine and store agree: each open process runs, no ended one does, and both know the same stage."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import defer
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.records.process import Process
from infra.reconcile import running_ids
from infra.verify.finding import MINUTE, Clinic, Finding
from workflows.contracts import referral

SECONDS, AT_ONCE, COMPARED = 120.0, 16, 500
# A process that has ended runs on while its last message is under way to the partner.
LAST_SENDS = timedelta(minutes=35)


def check(clinic: Clinic) -> Iterator[Finding]:
    """Stages are compared for at most 500 cases, those whose instant comes first."""
    try:
        running = clinic.engine.run(lambda client: running_ids(client, clinic.tenant), SECONDS)
    except (RPCError, RuntimeError, TimeoutError):
        yield Finding("engine", "The engine does not answer, so that it could not be compared with the store.")
        return
    now = datetime.now(UTC)
    known = {row.workflow_id: row for row in clinic.session.scalars(select(Process).options(defer(Process.state)))}
    opened = {one: row for one, row in known.items() if row.closed_at is None}
    unlisted = [one for one, row in opened.items() if one not in running and not _starting(row, now)]
    lost = set(clinic.engine.run(lambda client: _not_running(client, unlisted), SECONDS))
    for one in sorted(lost):
        yield Finding(one, "It is open in the store, and the engine does not run it.")
    for one in sorted(running - opened.keys()):
        row = known.get(one)
        if row is None or row.closed_at is None or now - row.closed_at > LAST_SENDS:
            yield Finding(one, "The engine runs it, and in the store it is not open.")
    there = [row for one, row in opened.items() if row.kind == "referral" and one not in lost]
    compared = sorted(there, key=lambda row: row.next_due or now)[:COMPARED]
    yield from clinic.engine.run(lambda client: _stages(client, compared), SECONDS)


def _starting(row: Process, now: datetime) -> bool:
    return row.version == 0 and now - row.opened_at < MINUTE


async def _not_running(client: Client, ids: Sequence[str]) -> list[str]:
    """The engine's list lags behind by moments: each is asked for by name."""
    found = []
    for one in ids:
        try:
            status = (await client.get_workflow_handle(one).describe()).status
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            status = None
        if status is not WorkflowExecutionStatus.RUNNING:
            found.append(one)
    return found


async def _stages(client: Client, rows: Sequence[Process]) -> list[Finding]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def compare(row: Process) -> Finding | None:
        async with gate:
            handle = client.get_workflow_handle(row.workflow_id)
            try:
                state = await handle.query("state", result_type=referral.State, rpc_timeout=timedelta(seconds=10))
            except RPCError as error:
                return Finding(row.workflow_id, f"Its process does not say where it stands ({error.status.name}).")
        if state.progress.stage == row.stage and state.version == row.version:
            return None
        words = f"The process believes in {state.progress.stage}, version {state.version}"
        return Finding(row.workflow_id, f"{words}; the store says {row.stage}, version {row.version}.")

    return [one for one in await asyncio.gather(*(compare(row) for row in rows)) if one]
