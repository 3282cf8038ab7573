"""The blocking face of the engine's client: one loop in a daemon thread, one client, made on first use."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from temporalio.client import Client

T = TypeVar("T")


class Engine:
    """Made anew after a fork: neither the loop nor the client survives one."""

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._process = 0
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._connecting: asyncio.Lock
        self._client: Client | None = None

    def run(self, work: Callable[[Client], Coroutine[Any, Any, T]], seconds: float) -> T:
        """Runs `work` on the engine's loop; raises TimeoutError after `seconds`."""
        loop = self._own_loop()
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(self._with_client(work), seconds), loop).result()

    def close(self) -> None:
        """Ends the loop and its client, so that a command may leave the interpreter; it can be used again."""
        with self._lock:
            if self._process == os.getpid():
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()
            self._process, self._client = 0, None

    async def _with_client(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
        return await work(self._client)

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._process != os.getpid():
                self._process, self._client = os.getpid(), None
                self._loop, self._connecting = asyncio.new_event_loop(), asyncio.Lock()
                # What a cancelled call leaves behind in the engine's library is of no interest.
                self._loop.set_exception_handler(lambda _loop, _context: None)
                self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
                self._thread.start()
            return self._loop
