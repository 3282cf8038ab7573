"""The web application in tests, with people of the cast who can sign in."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Blueprint, Flask, render_template_string, request
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from activities.records.account import Grant, grant
from infra.bootstrap import Parts
from infra.seed.people import Person, Staff, load
from infra.simulators.identity import create_identity
from infra.simulators.identity_clients import partner_clients, web_client
from rules.access import Interaction, Permission
from tests.make import clinics
from tests.postgres import free_port
from web.access import current, current_bearer, public, requires, requires_scope, viewed
from web.app import create_app
from web.settings import SeededPerson, WebSettings, parts

PUBLIC = "http://127.0.0.1:1"
CLIENT = "careloop"


class Clock:
    """Now, until somebody turns it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(frozen=True)
class Provider:
    """The development identity provider, listening."""

    issuer: str
    folder: Path
    app: Flask
    staff: Staff

    def answer(self, address: str) -> str:
        """Where the provider sends the browser on to, as path and query of ours."""
        went = httpx.get(address)
        assert went.status_code == 302, went.text
        sent = urlsplit(went.headers["Location"])
        return f"{sent.path}?{sent.query}"


@contextmanager
def running_identity(folder: Path) -> Iterator[Provider]:
    port = free_port()
    issuer, staff = f"http://127.0.0.1:{port}", load()
    clients = (web_client(CLIENT, PUBLIC), *partner_clients(staff.clients, f"{PUBLIC}/fhir", folder))
    app = create_identity(staff.people, clients, issuer, folder)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Provider(issuer, folder, app, staff)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def probe() -> Blueprint:
    """Views of the shapes the platform has, and nothing of its work."""
    views = Blueprint("probe", __name__)

    @views.get("/")
    @requires(Permission.SESSION)
    def home() -> str:
        return f"home of {current().name} at {current().tenant}"

    @views.post("/notes")
    @requires(Permission.REFERRAL_ACT)
    def notes() -> str:
        return f"{current().name} wrote {request.form['note']}"

    @views.get("/form")
    @requires(Permission.SESSION)
    def form() -> str:
        return render_template_string("<input name=csrf_token value={{ csrf_token() }}>")

    @views.get("/decisions")
    @requires(Permission.REFERRAL_DECIDE)
    def decisions() -> str:
        return "decisions"

    @views.get("/stream")
    @requires(Permission.SESSION, background=True)
    def stream() -> str:
        return "stream"

    @views.get("/crash")
    @public
    def crash() -> str:
        raise RuntimeError("Rosalind Achterbeek, born 1958")

    @views.get("/fhir/Task")
    @requires_scope("Task", Interaction.SEARCH)
    def tasks() -> str:
        return current_bearer().client_id

    @views.get("/fhir/Claim")
    @requires_scope("Claim", Interaction.SEARCH)
    def claims() -> str:
        return current_bearer().client_id

    @views.get("/looked")
    @requires(Permission.PATIENT_READ)
    def looked() -> str:
        with parts().sessions.begin(current().context) as session:
            viewed(session, "Patient", [current().account])
        return "looked"

    return views


class WebClinic:
    """The application with both clinics' people; `browser()` is a new browser without cookies."""

    def __init__(self, store: Parts, provider: Provider, clock: Clock) -> None:
        self.parts, self.provider, self.clock = store, provider, clock
        self.people = {person.subject: person for person in provider.staff.people}
        clinics(store)
        for person in provider.staff.people:
            self.grant(person)
        self.settings = WebSettings(PUBLIC, provider.issuer, CLIENT, b"k" * 32, "t3st")
        self.app = self.build([probe()])

    def build(self, blueprints: list[Blueprint], **changes: Any) -> Flask:
        shown = [
            SeededPerson(one.subject, one.name, one.clinic.name, one.title, one.to_try)
            for one in self.provider.staff.people
        ]
        app = create_app(
            replace(self.settings, **changes),
            self.parts.sessions,
            None,
            shown,
            ring=self.parts.ring,
            auditor=self.parts.auditor,
            blueprints=blueprints,
            clock=self.clock,
        )
        app.testing = False
        return app

    def grant(self, person: Person) -> None:
        given = Grant(
            tenant=person.clinic.tenant,
            issuer=self.provider.issuer,
            subject=person.subject,
            name=person.name,
            email=person.email,
            roles=person.roles,
            title=person.title,
            sites=person.sites,
        )
        with self.parts.sessions.platform() as session:
            grant(session, given, person.account_id)

    def browser(self, app: Flask | None = None) -> "Browser":
        return Browser((app or self.app).test_client(), self.provider)

    def signed_in(self, subject: str) -> "Browser":
        browser = self.browser()
        answer = browser.sign_in(subject)
        assert answer.status_code == 303, answer.text
        return browser


class Browser:
    """A Flask client that follows the provider's redirects."""

    def __init__(self, client: FlaskClient, provider: Provider) -> None:
        self.client, self.provider = client, provider

    def sign_in(self, subject: str, address: str = "/login", **query: str) -> TestResponse:
        return self.get(self.to_callback(subject, address, **query))

    def to_callback(self, subject: str, address: str = "/login", **query: str) -> str:
        """The callback's address with a good code, not yet asked for."""
        begun = self.client.get(address, query_string={"hint": subject, **query} if subject else query)
        assert begun.status_code == 303, begun.text
        return self.provider.answer(begun.headers["Location"])

    def get(self, address: str, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(address, headers=named, buffered=True)

    def post(self, address: str, form: dict[str, Any], **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(address, data=form, headers=named)

    def token(self) -> str:
        """The form token of a page."""
        found = re.search(r"value=(\S+)>", self.get("/form").text)
        assert found is not None
        return found[1]

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in (self.client._cookies or {}).values()}

    def cookie(self, name: str = "careloop_t3st") -> str:
        found = self.client.get_cookie(name)
        assert found is not None
        return found.value
