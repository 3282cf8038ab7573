"""The peer of a whole happy path: the same engine work, and the same message to the same specialist."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import select
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from activities.records.base import new_id
from activities.records.message_log import Direction, MessageLog
from activities.records.service_request import Fulfilment, ServiceRequest
from infra.bench import bare
from infra.bench.bare import Said
from infra.bench.clinic import TENANT, Clinic
from infra.bench.happy_path import ANSWERS, REVIEWED
from infra.supervisor.store_urls import libpq
from web.handover import TASK_TIMEOUT

Leg = Callable[[Client, str], Awaitable[None]]


class BarePath:
    """`like` is a referral of ours that was sent: the peer's messages are its message under other names."""

    def __init__(self, clinic: Clinic, like: UUID) -> None:
        self._clinic = clinic
        self._number, self._task, self._message = _sent(clinic, like)

    def prepare(self, count: int) -> list[str]:
        """Workflow ids, each with its message ready."""
        ids = [f"{TENANT}:bare:{new_id()}" for _ in range(count)]
        names = {case: f"B-{case[-12:]}" for case in ids}
        self._clinic.script(list(names.values()), ["never"])
        with psycopg.connect(libpq(self._clinic.parts.settings.owner_url)) as owner, owner.cursor() as cursor:
            cursor.executemany(
                "insert into bare_message values (%s, %s)",
                [(case, self._renamed(names[case])) for case in ids],
            )
        return ids

    def walk_all(self, ids: list[str], together: int) -> None:
        """So many at once, until all have ended."""

        async def work(client: Client) -> None:
            places = asyncio.Semaphore(together)

            async def one(leg: Leg, case: str) -> None:
                async with places:
                    await leg(client, case)

            for leg in (_send, _answer, _finish):
                await asyncio.gather(*(one(leg, case) for case in ids))

        self._clinic.engine.run(work, 600)

    def _renamed(self, number: str) -> bytes:
        return self._message.replace(self._number, number.encode()).replace(self._task, str(new_id()).encode())


async def _send(client: Client, case: str) -> None:
    await _started(client, "BareReferral", case, Said(case, "opening"), bare.OPENED)
    await client.get_workflow_handle(case).execute_update(bare.DECIDE, Said(case, "sending"))


async def _answer(client: Client, case: str) -> None:
    for answer in ANSWERS:
        await _started(client, "BareInbound", f"{case}:{answer}", Said(case, answer), bare.DRAINED)


async def _finish(client: Client, case: str) -> None:
    handle = client.get_workflow_handle(case)
    for step, _ in REVIEWED:
        await handle.execute_update(bare.DECIDE, Said(case, step, last=step is REVIEWED[-1][0]))
    await handle.result()


async def _started(client: Client, workflow: str, identity: str, said: Said, update: str) -> None:
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        workflow,
        said,
        id=identity,
        task_queue=bare.QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=TASK_TIMEOUT,
    )
    await client.execute_update_with_start_workflow(update, start_workflow_operation=start)


def _sent(clinic: Clinic, case: UUID) -> tuple[bytes, bytes, bytes]:
    """A referral's number, the id of its Task, and the bytes that went to the specialist."""
    with clinic.parts.sessions.begin(clinic.system) as session:
        number = session.get_one(ServiceRequest, case).number
        task = session.scalars(select(Fulfilment.id).where(Fulfilment.service_request_id == case)).one()
        query = select(MessageLog).where(MessageLog.case_id == case, MessageLog.direction == Direction.OUT)
        row = session.scalars(query.order_by(MessageLog.seq)).first()
        assert row is not None
        return number.encode(), str(task).encode(), clinic.parts.ring.open(row.raw, f"message:{row.id}")
