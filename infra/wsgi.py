"""The web process: one application, its engine connection made after the fork."""

from flask import Flask

from activities.records.ring import PLATFORM
from infra.bootstrap import Parts, build, case_review, connect_engine
from infra.seed.people import load as load_staff
from infra.settings import Environment, Settings, load
from infra.supervisor.home import Home
from infra.telemetry import set_up_logging
from web.app import create_app
from web.client import Engine
from web.decisions import Desk
from web.documents.views import create_documents
from web.errors import speak
from web.fhir.refusals import answer_http
from web.fhir.store import StoreDoor
from web.fhir.views import fhir_blueprint
from web.live import Live, create_live
from web.operations.messages import create_messages
from web.operations.views import create_operations
from web.partners.views import create_partners
from web.patients.views import create_patients
from web.referrals.views import create_referrals
from web.settings import SeededPerson, WebSettings
from web.tasks.views import create_tasks


def make_app(settings: Settings, parts: Parts) -> Flask:
    """Everything the web needs, wired."""
    engine = Engine(lambda: connect_engine(settings, parts.ring))
    desk = Desk(parts.sessions, parts.ring, engine, case_review(parts))
    shown = web_settings(settings, parts)
    door = StoreDoor(parts.sessions, parts.ring, parts.auditor, engine, shown.fhir_base)
    app = create_app(
        shown,
        parts.sessions,
        engine,
        seeded_people(settings),
        ring=parts.ring,
        auditor=parts.auditor,
        blueprints=(
            create_tasks(),
            create_referrals(desk, parts.ring),
            create_documents(desk, parts.ring),
            create_patients(),
            create_partners(),
            create_operations(desk, engine),
            create_messages(parts.ring, door),
            create_live(Live(parts.sessions.engine.url, settings.web_streams)),
            fhir_blueprint(door, shown.fhir_base, f"{settings.oidc_issuer}/token"),
        ),
    )
    speak(app, "/fhir", answer_http)
    return app


def web_settings(settings: Settings, parts: Parts) -> WebSettings:
    """The web's part of the settings; its form key is derived from the platform's key."""
    secret = settings.oidc_client_secret_file
    return WebSettings(
        public_url=settings.public_url.rstrip("/"),
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.read_text().strip() if secret else None,
        secret_key=parts.ring.digest(PLATFORM, "forms", b"key"),
        cookie_suffix=Home(settings.home).short_id,
        development=settings.env is Environment.DEVELOPMENT,
    )


def seeded_people(settings: Settings) -> tuple[SeededPerson, ...]:
    """The demo staff for the development sign-in page; nobody in production."""
    if settings.env is Environment.PRODUCTION or not settings.simulators:
        return ()
    return tuple(
        SeededPerson(one.subject, one.name, one.clinic.name, one.title, one.to_try) for one in load_staff().people
    )


def _make() -> Flask:
    settings = load()
    set_up_logging(settings.log_level)
    return make_app(settings, build(settings, settings.web_threads))


app = _make()
