"""Ports of 127.0.0.1: chosen once, kept, and who listens on them."""

import socket
from collections.abc import Sequence
from pathlib import Path

from infra.supervisor.home import Home, read_json, write_private

# Below the range from which Linux takes ports for outgoing connections: a kept port stays free.
FIRST, COUNT = 20_000, 12_000


class PortTaken(Exception):
    """A port that was asked for by number belongs to another program."""


def choose(home: Home, names: Sequence[str]) -> dict[str, int]:
    """A free port for each name: the one of last time where it is still free. Kept in `ports.json`."""
    kept = read_json(home.ports)
    chosen: dict[str, int] = {}
    for index, name in enumerate(names):
        before = kept.get(name, 0)
        start = FIRST + (int(home.short_id, 16) + 17 * index) % COUNT
        chosen[name] = before if before and is_free(before) else _next_free(start, {**kept, **chosen})
    write_private(home.ports, {**kept, **chosen})
    return chosen


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Any port of 127.0.0.1 that is free now, for something that lives shortly."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _next_free(start: int, taken: dict[str, int]) -> int:
    for step in range(COUNT):
        port = FIRST + (start - FIRST + step) % COUNT
        if port not in taken.values() and is_free(port):
            return port
    raise PortTaken(f"No port between {FIRST} and {FIRST + COUNT} is free on 127.0.0.1.")


def listens(pid: int, port: int) -> bool:
    """Whether that very process (not a stranger on the same port) listens on the TCP port."""
    wanted = {f"socket:[{inode}]" for inode in _listening(port)}
    try:
        return any(_target(link) in wanted for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _listening(port: int) -> set[str]:
    """Inodes of the sockets in state LISTEN (0A) on a port, from the kernel's table."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        for fields in map(str.split, lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found
