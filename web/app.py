"""The web application: put together from what it is handed, refusing to start with a view that guards nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime

import httpx
from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from activities.records.audit_event import Auditor
from activities.records.ring import KeyRing
from activities.records.sessions import Sessions
from web.access import guard, public, refuse_unguarded
from web.errors import answer_errors
from web.fhir.bearer import BearerVerifier
from web.headers import set_headers
from web.limits import set_limits
from web.login import create_login
from web.provider import Provider
from web.settings import PARTS, SeededPerson, WebParts, WebSettings, utc_now
from web.static_files import serve_static

LARGEST_REQUEST = 25 * 1024 * 1024
LARGEST_FORM = 2 * 1024 * 1024
SHORTEST_KEY = 32


def create_app(
    settings: WebSettings,
    sessions: Sessions,
    client: object,
    people: Sequence[SeededPerson],
    *,
    ring: KeyRing,
    auditor: Auditor,
    blueprints: Sequence[Blueprint] = (),
    clock: Callable[[], datetime] = utc_now,
) -> Flask:
    """Every part comes in; nothing is read from the environment. Raises `UnguardedView` or `ValueError`."""
    if len(settings.secret_key) < SHORTEST_KEY:
        raise ValueError(f"the key that signs forms has {len(settings.secret_key)} bytes, not {SHORTEST_KEY} or more")
    app = Flask("web", static_folder=None, template_folder="templates", root_path=__file__.rpartition("/")[0])
    app.secret_key = settings.secret_key
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_FORM)
    app.extensions[PARTS] = WebParts(settings, sessions, client, ring, auditor, clock)
    http = httpx.Client(timeout=10)
    guard(app, BearerVerifier(settings.issuer, settings.fhir_base, http))
    set_headers(app, settings)
    answer_errors(app)
    provider = Provider(settings.issuer, settings.client_id, settings.client_secret, http)
    _register(app, [create_login(settings, provider, people), *blueprints])
    set_limits(app, sessions)
    _put_in_front(app, settings)
    refuse_unguarded(app)
    return app


def _register(app: Flask, blueprints: Sequence[Blueprint]) -> None:
    app.add_url_rule("/healthz", "healthz", healthz)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)


def _put_in_front(app: Flask, settings: WebSettings) -> None:
    serve_static(app)
    if settings.proxies:
        front = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0)
        app.wsgi_app = front  # type: ignore[method-assign]


@public
def healthz() -> str:
    """Whether this process answers; it asks nothing of the store."""
    return "ok"
