"""Processes a second: start, four store steps, one approval, with and without the engine's sandbox."""

import asyncio
import os
import time
from contextlib import ExitStack
from pathlib import Path

from temporalio.client import Client

from activities.records.base import new_id
from infra.bench import bare
from infra.bench.bare import Said
from infra.bench.clinic import TENANT, Clinic, standing
from infra.bench.machine import cpu_seconds, family
from infra.bench.peer import make_tables, working
from infra.bench.result import Result, at_least, beside_limit, beside_peer

ROUNDS, EACH, TOGETHER = 3, 300, 32
FREE, SANDBOXED = "free", "sandboxed"


def measure(folder: Path) -> list[Result]:
    """Interleaved rounds; processor time is that of every process, ours and the servers'."""
    with standing(folder) as clinic, ExitStack() as workers:
        make_tables(clinic)
        for queue in (FREE, SANDBOXED):
            workers.enter_context(working(clinic, folder, queue, sandbox=queue == SANDBOXED))
            _round(clinic, queue, TOGETHER)
        rounds = {queue: [_round(clinic, queue, EACH) for _ in range(ROUNDS)] for queue in (FREE, SANDBOXED)}
    return _results(rounds)


def _results(rounds: dict[str, list[tuple[float, float]]]) -> list[Result]:
    rates = {queue: [rate for rate, _ in found] for queue, found in rounds.items()}
    costs = {queue: [cost for _, cost in found] for queue, found in rounds.items()}
    beside = "without the sandbox"
    return [
        beside_limit("processes", "processes/s", rates[FREE], at_least(28)),
        beside_peer("processes-sandboxed", "processes/s", rates[SANDBOXED], beside, rates[FREE]),
        beside_peer("processes-sandboxed-cpu", "CPU ms each", costs[SANDBOXED], beside, costs[FREE]),
    ]


def _round(clinic: Clinic, queue: str, count: int) -> tuple[float, float]:
    """Processes a second, and CPU milliseconds for each."""
    ours = family(os.getpid())
    before, began = cpu_seconds(ours), time.monotonic()
    clinic.engine.run(lambda client: _run_all(client, queue, count), 600)
    seconds, used = time.monotonic() - began, cpu_seconds(family(os.getpid())) - before
    return count / seconds, used / count * 1000


async def _run_all(client: Client, queue: str, count: int) -> None:
    places = asyncio.Semaphore(TOGETHER)

    async def one() -> None:
        async with places:
            case = f"{TENANT}:{queue}:{new_id()}"
            handle = await client.start_workflow("Approval", Said(case, "start"), id=case, task_queue=queue)
            await handle.execute_update(bare.APPROVE)
            await handle.result()

    await asyncio.gather(*(one() for _ in range(count)))
