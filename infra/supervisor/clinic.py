"""The services of a clinic on one box, from its settings."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.seed.people import Person
from infra.seed.people import load as load_staff
from infra.settings import Settings, runtime_file
from infra.supervisor import postgres, temporal
from infra.supervisor.home import Home, write_private
from infra.supervisor.ports import PortTaken, choose, is_free, listens
from infra.supervisor.service import Chore, Plan, Probe, Service, StartRefused
from infra.supervisor.store_urls import StoreUrls, external_urls, own_urls

CHECKOUT = Path(__file__).parents[2]
PYTHON = sys.executable


def migrate_store(settings: Settings) -> None:
    from infra.cli.db import migrate  # only `up` needs it, not each command

    migrate(settings)


def staff(settings: Settings) -> Sequence[Person]:
    """Whom one can sign in as: nobody unless the development identity provider runs with the demo clinics."""
    return load_staff().people if settings.simulators and settings.seed else ()


def seed_store(settings: Settings) -> None:
    from infra.cli.seed import seed_if_empty  # only `up` needs it, not each command

    seed_if_empty(settings)


@dataclass(frozen=True)
class Programs:
    """Our own programs and what the start calls of them; tests give stand-ins."""

    simulators: tuple[str, ...] = (PYTHON, "-m", "infra.simulators.run")
    worker: tuple[str, ...] = (PYTHON, "-m", "infra.worker")
    sweeper: tuple[str, ...] = (PYTHON, "-m", "infra.sweeper")
    web: tuple[str, ...] = (PYTHON, "-m", "gunicorn", "-c", "infra/gunicorn_conf.py", "infra.wsgi:app")
    migrate: Callable[[Settings], None] = migrate_store
    seed: Callable[[Settings], None] = seed_store
    people: Callable[[Settings], Sequence[Person]] = staff


def refuse_unsafe(settings: Settings) -> None:
    """Raises StartRefused for what production mode does not allow."""
    from infra.production import Unsafe, refuse  # brings the store's client, which the other commands do not need

    try:
        refuse(settings)
    except Unsafe as why:
        raise StartRefused(str(why)) from None


def clinic(given: Settings, home: Home, programs: Programs) -> Plan:
    """Chooses addresses, writes them to `runtime.json` and lays out what runs. Makes the cluster's files."""
    refuse_unsafe(given)
    ports = choose(home, ("web", "postgres", "temporal", "identity", "specialist"))
    store = external_urls(home, given.postgres_url) if given.postgres_url else own_urls(home, ports["postgres"])
    settings = _settled(given, home, ports, store)
    write_private(runtime_file(home.folder), _runtime(settings))
    return Plan(
        stages=(
            (_postgres(settings, home, ports, store), _temporal(settings, given, home, ports)),
            _chores(settings, programs),
            _programs(settings, programs),
            (_web(settings, programs), _seeding(settings, programs)),
        ),
        people=programs.people(settings),
        address=settings.public_url,
    )


def web_port(settings: Settings, ports: dict[str, int]) -> int:
    """The one asked for by number, or the kept one. Raises PortTaken."""
    host, _, port = settings.web_bind.rpartition(":")
    if not int(port):
        return ports["web"]
    if not is_free(int(port), host):
        raise PortTaken(f"CARELOOP_WEB_BIND asks for {settings.web_bind}, which another program uses.")
    return int(port)


def _settled(given: Settings, home: Home, ports: dict[str, int], store: StoreUrls) -> Settings:
    """The settings with every address filled in."""
    host, port = given.web_bind.rpartition(":")[0], web_port(given, ports)
    identity = given.simulator_identity_port or ports["identity"]
    issuer = f"http://127.0.0.1:{identity}" if given.simulators else ""
    return given.model_copy(
        update={
            "home": home.folder,
            "admin_url": store.admin,
            "owner_url": given.owner_url or store.owner,
            "database_url": given.database_url or store.application,
            "temporal_address": given.temporal_address or f"127.0.0.1:{ports['temporal']}",
            "web_bind": f"{host}:{port}",
            "public_url": given.public_url or f"http://127.0.0.1:{port}",
            "oidc_issuer": given.oidc_issuer or issuer,
            "simulator_identity_port": identity,
            "simulator_specialist_port": given.simulator_specialist_port or ports["specialist"],
        }
    )


def _runtime(settings: Settings) -> dict[str, object]:
    """What the commands an operator types cannot know by themselves."""
    names = {
        *("home", "admin_url", "owner_url", "database_url", "temporal_address", "web_bind", "public_url"),
        *("oidc_issuer", "simulators", "simulator_identity_port", "simulator_specialist_port"),
    }
    return settings.model_dump(mode="json", include=names)


def _environment(settings: Settings) -> dict[str, str]:
    """For our own programs; the role that may create roles is for the migration only."""
    ours = {f"CARELOOP_{name.upper()}": str(value) for name, value in _runtime(settings).items()}
    environment = {**os.environ, **ours, "PYTHONUNBUFFERED": "1"}
    for secret in ("CARELOOP_POSTGRES_URL", "CARELOOP_ADMIN_URL"):
        environment.pop(secret, None)
    # The sandbox imports a workflow's code for each case anew: uncompiled, that takes half the worker's time.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _postgres(settings: Settings, home: Home, ports: dict[str, int], store: StoreUrls) -> Service:
    if settings.postgres_url:
        return postgres.external_service(store.admin)
    return postgres.own_service(postgres.make_cluster(home), ports["postgres"], store.admin)


def _temporal(settings: Settings, given: Settings, home: Home, ports: dict[str, int]) -> Service:
    if given.temporal_address:
        return temporal.external_service(given.temporal_address, settings.temporal_namespace)
    return temporal.own_service(home, ports["temporal"], settings.temporal_namespace)


def _chores(settings: Settings, programs: Programs) -> tuple[Chore, ...]:
    async def migrate() -> None:
        await asyncio.to_thread(programs.migrate, settings)

    return (Chore("migrate", migrate),)


def _seeding(settings: Settings, programs: Programs) -> Chore:
    """Beside the web's start: it needs a worker, and nobody can sign in before it."""

    async def seed() -> None:
        await asyncio.to_thread(programs.seed, settings)

    return Chore("seed", seed)


def _programs(settings: Settings, programs: Programs) -> tuple[Service, ...]:
    """In the order in which they start; the last one stops first."""
    workers = [f"worker-{n}" for n in range(1, settings.workers + 1)] if settings.workers > 1 else ["worker"]
    found = [("sweeper", programs.sweeper), *((name, programs.worker) for name in workers)]
    if settings.simulators:
        found.insert(0, ("simulators", programs.simulators))
    environment = _environment(settings)
    addresses = {"simulators": settings.oidc_issuer}
    return tuple(
        Service(name, command, None, addresses.get(name, ""), environment, CHECKOUT) for name, command in found
    )


def _web(settings: Settings, programs: Programs) -> Service:
    port = int(settings.web_bind.rpartition(":")[2])
    address = f"http://127.0.0.1:{port}"
    return Service("web", programs.web, _answers(address, port), address, _environment(settings), CHECKOUT, patience=12)


def _answers(address: str, port: int) -> Probe:
    async def probe(pid: int) -> str:
        if not listens(pid, port):
            return f"web does not listen on port {port} yet"
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=3) as client:
                status = (await client.get(f"{address}/healthz")).status_code
        except httpx.HTTPError as why:
            return f"{address}/healthz does not answer: {type(why).__name__}"
        return "" if status == httpx.codes.OK else f"{address}/healthz answers {status}"

    return probe
