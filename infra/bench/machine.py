"""What processes use of the machine, read from /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that descend from it, now."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if fields := _stat(int(path.parent.name)):
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Processor time they have used so far, with that of their children that have ended."""
    return sum(sum(map(int, fields[11:15])) for one in pids if (fields := _stat(one))) / TICKS


def resident_mib(pids: list[int]) -> float:
    """Memory they hold, MiB; what several share counts once (proportional set size)."""
    return sum(_proportional_kib(one) for one in pids) / 1024


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the third on; empty for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _proportional_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
