"""What `careloop status` tells: written by the supervisor at each change, read by the operator's commands."""

from dataclasses import asdict, dataclass

from infra.supervisor.home import Home, read_json, write_private
from infra.supervisor.processes import Identity, alive


@dataclass(frozen=True)
class ServiceReport:
    name: str
    pid: int | None  # None: not running now, or somebody else's server
    address: str
    healthy: bool


@dataclass(frozen=True)
class Report:
    ready: bool
    ready_s: float | None  # seconds from the start to the moment everything was ready
    services: tuple[ServiceReport, ...]


def publish(home: Home, who: Identity, report: Report) -> None:
    write_private(home.status, {"supervisor": asdict(who), **asdict(report)})


def supervisor_of(home: Home) -> Identity | None:
    """The supervisor that runs this home now."""
    known = read_json(home.status).get("supervisor")
    who = Identity(**known) if known else None
    return who if alive(who) else None


def read(home: Home) -> Report:
    """The state now; without a supervisor nothing is ready and nothing is listed."""
    if supervisor_of(home) is None:
        return Report(ready=False, ready_s=None, services=())
    known = read_json(home.status)
    services = tuple(ServiceReport(**each) for each in known["services"])
    return Report(known["ready"], known["ready_s"], services)
