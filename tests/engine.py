"""The engine under test: the full server with a clock that skips, wrapped so that it can be swapped."""

import sysconfig
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.records.ring import PLATFORM, Key, KeyRing
from infra.interceptors import ActorInterceptor
from infra.payload_codec import data_converter
from infra.worker import make_worker
from workflows.contracts.calls import INTERACTIVE

BINARY = Path(sysconfig.get_path("scripts")) / "temporal"
SKIPPING = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]


def make_test_ring() -> KeyRing:
    """Fixed keys: recorded histories must open with them for ever."""
    owners = (PLATFORM, "larkmoor", "heronfield")
    keys = [Key(bytes([number]) * 8, owner, bytes([number + 1]) * 32) for number, owner in enumerate(owners, 1)]
    return KeyRing(keys, b"\x07" * 32)


@asynccontextmanager
async def skipping(ring: KeyRing | None = None) -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock stands still until a test moves it: `environment.fast_forward(handle, hours)`."""
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=str(BINARY),
        dev_server_extra_args=SKIPPING,
        data_converter=data_converter(ring or make_test_ring()),
        interceptors=[ActorInterceptor()],
    )
    async with environment:
        yield environment


@asynccontextmanager
async def working(
    client: Client, activities: Sequence[Callable[..., Any]], queue: str = INTERACTIVE
) -> AsyncIterator[None]:
    """Our own worker on one queue, with the activities given (real ones or fakes)."""
    with ThreadPoolExecutor(16) as pool:
        async with make_worker(client, queue, activities, True, pool):
            yield
