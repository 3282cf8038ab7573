"""One worker process: every queue, workflows and activities, until it is told to stop."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from infra.bootstrap import activities, build, connect_engine
from infra.readiness import announce_ready
from infra.settings import load
from infra.telemetry import set_up_logging
from workflows.contracts.calls import BULK, INTERACTIVE
from workflows.inbound import Inbound
from workflows.referral import Referral
from workflows.task import Task

SLOTS = 16
DRAIN = timedelta(seconds=10)
WORKFLOWS = (Referral, Inbound, Task)


def runner(sandbox: bool) -> WorkflowRunner:
    """Workflow code in the engine's sandbox, with our pure packages passed through; or without it."""
    if not sandbox:
        return UnsandboxedWorkflowRunner()
    passed = SandboxRestrictions.default.with_passthrough_modules("rules", "workflows.contracts")
    return SandboxedWorkflowRunner(restrictions=passed)


def make_worker(
    client: Client,
    queue: str,
    all_activities: Sequence[Callable[..., Any]],
    sandbox: bool,
    pool: ThreadPoolExecutor,
    workflows: Sequence[type] = WORKFLOWS,
) -> Worker:
    """A worker for one queue; as many activity slots as threads and store connections."""
    return Worker(
        client,
        task_queue=queue,
        workflows=list(workflows),
        activities=list(all_activities),
        activity_executor=pool,
        max_concurrent_activities=SLOTS,
        max_concurrent_local_activities=SLOTS,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=DRAIN,
        workflow_runner=runner(sandbox),
    )


async def serve() -> None:
    """Works until SIGTERM or SIGINT, then lets what has begun finish."""
    from infra.directory import make_directory

    settings = load()
    set_up_logging(settings.log_level)
    parts = build(settings, SLOTS)
    client = await connect_engine(settings, parts.ring)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with ThreadPoolExecutor(SLOTS) as pool:
        async with AsyncExitStack() as stack:
            for queue in (INTERACTIVE, BULK):
                known = activities(parts, make_directory(settings))
                await stack.enter_async_context(make_worker(client, queue, known, settings.sandbox, pool))
            announce_ready()
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve())
