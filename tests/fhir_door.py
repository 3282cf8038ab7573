"""The FHIR door over a store in memory, with an issuer of real tokens: for tests that need no database."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock, Thread
from time import time
from typing import Any, cast

import httpx
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

from activities.formats.fhir.datatypes import Identifier, Reference, moment
from activities.formats.fhir.read import read_json
from activities.formats.fhir.search import Search
from activities.formats.fhir.task import TaskContent, build_task
from activities.formats.fhir.task_update import updated
from web.access import guard
from web.fhir.bearer import BearerVerifier
from web.fhir.door import Arrival, ArrivalKind, Fate, Interface, Page, Readable, Received, Stored
from web.fhir.views import fhir_blueprint
from web.settings import PARTS, WebParts, WebSettings

Json = dict[str, Any]
AT = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
PARTNERS = {"quillon": "larkmoor", "other-partner": "larkmoor", "heron-partner": "heronfield"}


def a_task(base: str, task_id: str, number: str = "R-20418") -> Json:
    return build_task(
        TaskContent(
            address=f"{base}/Task/{task_id}",
            number=Identifier("https://larkmoor.example/referral", number, "PLAC"),
            focus=Reference("ServiceRequest/s1"),
            patient=Reference("Patient/p1"),
            requester=Reference("Organization/larkmoor"),
            owner=Reference("Organization/quillon"),
            authored_at=AT,
            id=task_id,
            version="1",
        )
    )


@dataclass
class FakeDoor:
    """Keeps Tasks by (client, id). `fate` is what the engine answers; `later` what it answers to `outcome`."""

    tasks: dict[tuple[str, str], Stored] = field(default_factory=dict)
    fate: Fate = Fate.APPLIED
    later: Fate = Fate.APPLIED
    arrivals: list[Arrival] = field(default_factory=list)
    searches: list[Search] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    first: dict[tuple[str, bytes], Received] = field(default_factory=dict)
    patients: tuple[str, ...] = ("p1",)

    def put(self, client: str, task: Json) -> None:
        self.tasks[client, task["id"]] = Stored(task, task["meta"]["versionId"], AT)

    def interface_of(self, client_id: str) -> Interface | None:
        tenant = PARTNERS.get(client_id)
        return None if tenant is None else Interface(client_id, tenant, client_id)

    def read(self, interface: Interface, kind: Readable, resource_id: str) -> Stored | None:
        if kind is Readable.TASK:
            return self.tasks.get((interface.id, resource_id))
        if kind is Readable.PATIENT and resource_id in self.patients:
            return Stored({"resourceType": "Patient", "id": resource_id}, "1", AT)
        return None

    def search(self, interface: Interface, asked: Search) -> Page:
        self.searches.append(asked)
        mine = [one.content for (client, _), one in self.tasks.items() if client == interface.id]
        return Page(tuple(mine), "c2", len(mine))

    def receive(self, interface: Interface, arrival: Arrival) -> Received:
        with self.lock:
            known = self.first.get((arrival.external_id, arrival.raw))
            if known is not None:
                return known
            received = self._take(interface, arrival)
            if received.fate is not Fate.STALE:
                self.first[arrival.external_id, arrival.raw] = received
            return received

    def _take(self, interface: Interface, arrival: Arrival) -> Received:
        stored = self.tasks.get((interface.id, arrival.resource_id))
        if stored is not None and stored.version != arrival.version:
            return Received(Fate.STALE, version=stored.version)
        self.arrivals.append(arrival)
        if self.fate is not Fate.APPLIED:
            return Received(self.fate, "m1", words="A person looks." if self.fate is Fate.WAITING else "")
        if arrival.kind is not ArrivalKind.TASK_UPDATE:
            return Received(Fate.APPLIED, "m1", {**read_json(arrival.raw, 10**8), "id": "new1"}, "1")
        return self._update(interface, arrival, stored)

    def _update(self, interface: Interface, arrival: Arrival, stored: Stored | None) -> Received:
        assert stored is not None
        version = str(int(stored.version) + 1)
        after = updated(stored.content, read_json(arrival.raw), version, moment(AT) or "")
        self.tasks[interface.id, arrival.resource_id] = Stored(after, version, AT)
        return Received(Fate.APPLIED, "m1", after, version)

    def outcome(self, interface: Interface, message_id: str, seconds: float) -> Received:
        resource = next(iter(self.tasks.values())).content
        return Received(self.later, message_id, resource if self.later is Fate.APPLIED else None, "2")


@dataclass
class Issuer:
    """Issues real RS256 tokens; `url` is where its keys are found. One secret for every client: `secret`."""

    url: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}))

    def token(self, audience: str, client: str = "quillon", scope: str = "system/Task.rus", life: int = 300) -> str:
        claims = {"iss": self.url, "aud": audience, "client_id": client, "scope": scope, "exp": int(time()) + life}
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)

    def answer(self, path: str) -> Json:
        if path.endswith("/jwks"):
            return dict(KeySet([self.key]).as_dict(private=False))
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "token_endpoint": f"{self.url}/token"}

    def client(self) -> httpx.Client:
        """A client that finds the issuer without a socket."""
        return httpx.Client(
            transport=httpx.MockTransport(lambda asked: httpx.Response(200, json=self.answer(asked.url.path)))
        )

    def app_for(self, audience: str) -> Flask:
        """The issuer as a server: keys, discovery and client credentials for one audience."""
        app = Flask("issuer")

        @app.get("/<path:path>")
        def published(path: str) -> Response:
            return jsonify(self.answer(f"/{path}"))

        @app.post("/token")
        def issue() -> Response | tuple[Response, int]:
            who = request.authorization
            if who is None or who.password != "secret":
                return jsonify({"error": "invalid_client"}), 401
            token = self.token(audience, who.username or "", request.form.get("scope", "system/Task.rus"))
            return jsonify({"access_token": token, "token_type": "Bearer", "expires_in": 300})

        return app


def door_app(door: FakeDoor, base: str, issuer: Issuer, keys: httpx.Client) -> Flask:
    """The blueprint behind the real guard of the web process."""
    app = Flask("web")
    settings = WebSettings(base.removesuffix("/fhir"), issuer.url, "careloop", b"k" * 32, "test")
    app.extensions[PARTS] = WebParts(settings, *cast(tuple[Any, ...], (None,) * 4))
    guard(app, BearerVerifier(issuer.url, base, keys))
    app.register_blueprint(fhir_blueprint(door, base, f"{issuer.url}/token"))
    return app


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of the application on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def outcome(body: bytes) -> list[Json]:
    """The issues of an OperationOutcome."""
    read = json.loads(body)
    assert read["resourceType"] == "OperationOutcome"
    return cast(list[Json], read["issue"])
