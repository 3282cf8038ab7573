"""Starts a plan stage by stage, keeps it running, stops it in the opposite order."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress

from infra.supervisor import report
from infra.supervisor.child import Child
from infra.supervisor.home import Home
from infra.supervisor.journal import Journal
from infra.supervisor.processes import Identity
from infra.supervisor.report import Report, ServiceReport
from infra.supervisor.service import Chore, Plan, Service

READY_WITHIN = 90  # seconds for one service


class Supervisor:
    """Runs one plan once; the home must be locked by the caller."""

    def __init__(self, home: Home, plan: Plan, journal: Journal, who: Identity, began: float) -> None:
        self._home = home
        self._plan = plan
        self._journal = journal
        self._who = who
        self._began = began
        self._ready_s: float | None = None
        self._children: list[Child] = []
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM. Calls `ready` once. Raises StartRefused after stopping what had started."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._stop.set)
        try:
            if await self._unless_stopped(self._start()):
                self._ready_s = round(time.monotonic() - self._began, 1)
                self._publish()
                ready()
                await self._stop.wait()
        finally:
            await self._stop_all()

    async def _unless_stopped(self, work: Coroutine[None, None, None]) -> bool:
        """Whether the work was done before somebody asked to stop."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            working.result()
            return True
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        return False

    async def _start(self) -> None:
        for stage in self._plan.stages:
            await asyncio.gather(*(self._begin(each) for each in stage))

    async def _begin(self, each: Service | Chore) -> None:
        began = time.monotonic()
        if isinstance(each, Chore):
            await each.work()
        else:
            child = Child(each, self._home.processes, self._journal, self._publish)
            self._children.append(child)
            child.start()
            await child.first_ready(READY_WITHIN)
        self._journal.say(each.name, f"ready after {time.monotonic() - began:.1f} s")

    async def _stop_all(self) -> None:
        self._ready_s = None
        self._publish()
        for child in self._in_stop_order():
            self._journal.say(child.service.name, "stopping")
            await child.stop()
        self._home.status.unlink(missing_ok=True)

    def _in_stop_order(self) -> list[Child]:
        order = [each.name for stage in self._plan.stages for each in stage]
        return sorted(self._children, key=lambda child: order.index(child.service.name), reverse=True)

    def _publish(self) -> None:
        services = tuple(
            ServiceReport(child.service.name, child.pid, child.service.address, child.healthy)
            for child in self._children
        )
        ready = self._ready_s is not None and all(each.healthy for each in services)
        report.publish(self._home, self._who, Report(ready, self._ready_s, services))
