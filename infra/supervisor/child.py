"""One service kept running: started, watched, started again when it dies."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from infra.readiness import READY_FILE
from infra.supervisor import processes
from infra.supervisor.journal import Journal
from infra.supervisor.service import Service, StartRefused

FIRST_PAUSE, LONGEST_PAUSE, STEADY = 0.2, 10.0, 60.0  # seconds
DEATHS_AT_START = 5
LAUNCH = Path(__file__).with_name("launch.py")


class Child:
    """`start()` returns at once, `first_ready()` answers once, `stop()` ends it for good."""

    def __init__(self, service: Service, folder: Path, journal: Journal, changed: Callable[[], None]) -> None:
        self.service = service
        self.healthy = False
        self.missing = "not started yet"
        self._pid_file = folder / f"{service.name}.json"
        self._ready_file = folder / f"{service.name}.ready"
        self._journal = journal
        self._changed = changed
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def first_ready(self, seconds: float) -> None:
        """Returns when the service is ready for the first time. Raises StartRefused."""
        try:
            await asyncio.wait_for(asyncio.shield(self._first), seconds)
        except TimeoutError as late:
            raise StartRefused(f"{self.service.name} was not ready within {seconds:.0f} s: {self.missing}") from late

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Asks the service to stop, waits as long as it may take, then ends it and all it started."""
        self._stopping.set()
        if self._keeping is not None:
            await self._keeping

    async def _keep(self) -> None:
        pause, deaths = FIRST_PAUSE, 0
        while not self._stopping.is_set():
            began = time.monotonic()
            ending = await self._run_once() if self.service.command else await self._only_watch()
            if self._stopping.is_set():
                return
            pause, deaths = (FIRST_PAUSE, 0) if time.monotonic() - began > STEADY else (pause, deaths + 1)
            if deaths >= DEATHS_AT_START and not self._first.done():
                why = f"{self.service.name} ended {deaths} times before it was ready, {ending}"
                self._first.set_exception(StartRefused(why))
                return
            self._say(f"ended by itself, {ending}; started again in {pause:.1f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self) -> str:
        """From start to end of one process; says how it ended."""
        process = self._process = await self._spawn()
        processes.write_pid(self._pid_file, process.pid, self.service.stop)
        watching = self._begin_watch(process.pid)
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        stopping.cancel()
        await self._end(process)
        ending = _ending(await ended)
        self._pid_file.unlink(missing_ok=True)
        self._set(f"ended, {ending}")
        return ending

    async def _end(self, process: Process) -> None:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(self.service.stop)
            try:
                await asyncio.wait_for(process.wait(), self.service.patience)
            except TimeoutError:
                self._say(f"did not stop within {self.service.patience:.0f} s and is ended now")
        processes.signal_group(process.pid, signal.SIGKILL)  # what it started must not hold its port

    async def _only_watch(self) -> str:
        """For a server of somebody else: nothing to start, nothing to end."""
        watching = self._begin_watch(0)
        await self._stopping.wait()
        watching.cancel()
        return "no longer watched"

    async def _spawn(self) -> Process:
        self._ready_file.unlink(missing_ok=True)
        output = self._journal.pipe(self.service.name)
        parent, death = str(os.getpid()), str(int(self.service.stop))
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LAUNCH), parent, death, self.service.account),
                *self.service.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.service.environment, READY_FILE: str(self._ready_file)},
                cwd=self.service.folder,
                start_new_session=True,
            )
        finally:
            os.close(output)

    def _begin_watch(self, pid: int) -> asyncio.Task[None]:
        watching = asyncio.create_task(self._watch(pid))
        watching.add_done_callback(self._watch_ended)
        return watching

    def _watch_ended(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and (why := watching.exception()):
            self._set(f"it cannot be watched: {why!r}")
            self._say(self.missing)

    async def _watch(self, pid: int) -> None:
        """Asks often until the service is ready, then now and then whether it still is."""
        while True:
            self._set(await self._ask(pid))
            if self.healthy and not self._first.done():
                self._first.set_result(None)
            await asyncio.sleep(5 if self.healthy else 0.1)

    async def _ask(self, pid: int) -> str:
        if self.service.probe is not None:
            return await self.service.probe(pid)
        return "" if self._ready_file.exists() else "it has not said yet that it is ready"

    def _set(self, missing: str) -> None:
        before, self.missing, self.healthy = self.healthy, missing, not missing
        if before != self.healthy:
            self._changed()

    def _say(self, line: str) -> None:
        self._journal.say(self.service.name, line)


def _ending(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
