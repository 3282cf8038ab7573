"""All simulators in one process, each Flask application on its own port, until told to stop."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from infra.readiness import announce_ready
from infra.seed.people import load as load_staff
from infra.settings import Environment, Settings, load
from infra.simulators.identity import create_identity
from infra.simulators.identity_clients import kept_secret, partner_clients, web_client
from infra.simulators.specialist import SpecialistConfig, create_specialist
from infra.telemetry import set_up_logging

HOST = "127.0.0.1"
QUILLON, QUILLON_CLIENT = "Quillon Digestive Health", "quillon-platform"


def nothing() -> None:
    """There is nothing to stop but the server."""


@dataclass(frozen=True)
class Simulator:
    """One outside party; `stop` ends what it does beside serving."""

    name: str
    app: Flask
    port: int
    stop: Callable[[], None] = nothing


class Simulators:
    """Serves each application on a thread of its own; `ports` tells where, also when 0 was asked for."""

    def __init__(self, simulators: list[Simulator]) -> None:
        self._simulators = simulators
        self._servers: dict[str, BaseWSGIServer] = {
            one.name: make_server(HOST, one.port, one.app, threaded=True) for one in simulators
        }
        self._threads = [
            threading.Thread(target=server.serve_forever, name=name, daemon=True)
            for name, server in self._servers.items()
        ]

    @property
    def ports(self) -> dict[str, int]:
        return {name: server.server_port for name, server in self._servers.items()}

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for server, thread in zip(self._servers.values(), self._threads, strict=True):
            if thread.is_alive():
                server.shutdown()
            server.server_close()
        for one in self._simulators:
            one.stop()


def identity(settings: Settings) -> Flask:
    """The identity provider for the demo people, its keys below `home/identity`."""
    staff = load_staff()
    folder = identity_folder(settings)
    secret = settings.oidc_client_secret_file
    clients = (
        web_client(settings.oidc_client_id, settings.public_url, secret.read_text().strip() if secret else None),
        *partner_clients(staff.clients, f"{settings.public_url}/fhir", folder),
    )
    return create_identity(staff.people, clients, identity_issuer(settings), folder)


def identity_folder(settings: Settings) -> Path:
    """Where the provider's key lies, and beside it the keys of the partners' programs."""
    return settings.home / "identity"


def identity_issuer(settings: Settings) -> str:
    """The issuer the simulated provider speaks for."""
    return settings.oidc_issuer or f"http://{HOST}:{settings.simulator_identity_port}"


def specialist(settings: Settings) -> Simulator:
    """Quillon Digestive Health, prompt, with a FHIR server of its own."""
    app = create_specialist(
        SpecialistConfig(
            name=QUILLON,
            folder=settings.home / "specialist",
            fhir_base=f"{settings.public_url}/fhir",
            token_url=f"{identity_issuer(settings)}/token",
            client_id=QUILLON_CLIENT,
            client_secret=kept_secret(identity_folder(settings), QUILLON_CLIENT),
        )
    )
    return Simulator("specialist", app, settings.simulator_specialist_port, app.extensions["specialist"].stop)


def chosen(settings: Settings) -> list[Simulator]:
    """The simulated partners, and the identity provider unless an outside one is set."""
    found = [specialist(settings)]
    if urlsplit(identity_issuer(settings)).netloc == f"{HOST}:{settings.simulator_identity_port}":
        found.append(Simulator("identity", identity(settings), settings.simulator_identity_port))
    return found


def main() -> None:
    settings = load()
    set_up_logging(settings.log_level)
    if settings.env is Environment.PRODUCTION:
        raise SystemExit("Simulators do not run in production: CARELOOP_ENV is production.")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    simulators = Simulators(chosen(settings))
    simulators.start()
    announce_ready()
    stopped.wait()
    simulators.stop()


if __name__ == "__main__":
    main()
