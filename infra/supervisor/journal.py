"""One readable log of all services: on the terminal and in `logs/careloop.log`."""

import asyncio
import os
import time
from contextlib import suppress
from logging import makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

WIDTH = 12
LONGEST_LINE = 8_000


class Journal:
    """Puts the service's name before each line. Files are turned over at 10 MB; five old ones are kept."""

    def __init__(self, folder: Path, *, terminal: bool = True) -> None:
        self._file = RotatingFileHandler(folder / "careloop.log", maxBytes=10_000_000, backupCount=5)
        self._terminal = terminal

    def say(self, name: str, line: str) -> None:
        text = f"{name:<{WIDTH}}│ {line[:LONGEST_LINE]}"
        self._file.emit(makeLogRecord({"msg": f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}"}))
        if self._terminal:
            # A closed terminal must not stop the clinic.
            with suppress(OSError):
                print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def pipe(self, name: str) -> int:
        """A descriptor whose lines are logged under that name; the caller closes it after handing it on."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        asyncio.get_running_loop().add_reader(reader, self._drain, name, reader, bytearray())
        return writer

    def _drain(self, name: str, reader: int, rest: bytearray) -> None:
        try:
            chunk = os.read(reader, 65_536)
        except BlockingIOError:
            return
        rest += chunk
        *lines, tail = bytes(rest).split(b"\n")
        if len(tail) > LONGEST_LINE or (tail and not chunk):
            lines, tail = [*lines, tail], b""
        rest[:] = tail
        for line in filter(None, lines):
            self.say(name, line.decode(errors="replace").rstrip())
        if not chunk:
            asyncio.get_running_loop().remove_reader(reader)
            os.close(reader)

    def close(self) -> None:
        self._file.close()
