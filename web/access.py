"""Default deny: every view names a permission, a scope or that it is public; who asks is known before it runs."""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from flask import Flask, current_app, g, request, session
from flask.sessions import SecureCookieSession, SessionInterface
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden, Unauthorized

from activities.records import web_session
from activities.records.account import Account
from activities.records.sessions import Context
from rules.access import Interaction, Permission, granted, holders
from web.fhir.bearer import Bearer, BearerVerifier
from web.settings import WebParts, parts

View = TypeVar("View", bound=Callable[..., object])
BACKGROUND = "X-Careloop-Background"
FORM_TOKEN_LIFE = 7 * 24 * 3600
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Person:
    """Who is signed in. `context` is what a transaction of hers begins with."""

    account: UUID
    tenant: str
    name: str
    title: str
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    context: Context

    def may(self, permission: Permission) -> bool:
        return permission in granted(self.roles)


@dataclass(frozen=True)
class Door:
    """What a view asks of whoever calls it. All empty: nothing, it is public."""

    permission: Permission | None = None
    resource: str = ""
    interaction: Interaction | None = None
    background: bool = False


class MissingPermission(Forbidden):
    """Somebody is signed in and may not do this; `permission` says what it would take."""

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self.permission = permission


class MissingScope(Forbidden):
    """A bearer's token does not cover this; the description names the scope that would."""


class SignInNeeded(Unauthorized):
    """Nobody is signed in, or not any more."""


class BearerNeeded(Unauthorized):
    """A door for programs was called without a bearer token."""


class UnguardedView(Exception):
    """A view says nothing about who may call it; the application does not start."""


def requires(permission: Permission, *, background: bool = False) -> Callable[[View], View]:
    """The view is for signed-in people who hold the permission.

    `background`: calls never count as activity (event streams, polling), whatever header they carry.
    """
    return _mark(Door(permission=permission, background=background))


def requires_scope(resource: str, interaction: Interaction) -> Callable[[View], View]:
    """The view is for programs whose bearer token covers the interaction with the resource type."""
    return _mark(Door(resource=resource, interaction=interaction))


def public(view: View) -> View:
    """The view is for everybody; it must guard itself where it needs to."""
    return _mark(Door())(view)


def _mark(door: Door) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.door = door  # type: ignore[attr-defined]
        return view

    return mark


def door_of(view: Callable[..., object]) -> Door | None:
    """What a view asks; None when it says nothing."""
    found: Door | None = getattr(view, "door", None)
    return found


def refuse_unguarded(app: Flask) -> None:
    """Raises `UnguardedView` naming every endpoint that no decorator guards."""
    unguarded = sorted(name for name, view in app.view_functions.items() if door_of(view) is None)
    if unguarded:
        raise UnguardedView(f"neither @requires, @requires_scope nor @public: {', '.join(unguarded)}")


def current() -> Person:
    """Who is signed in; only in a view behind `@requires`."""
    person: Person = g.person
    return person


def signed_in() -> Person | None:
    """Who is signed in, if anybody; for public views."""
    person: Person | None = g.get("person")
    return person


def current_bearer() -> Bearer:
    """Which program asks; only in a view behind `@requires_scope`."""
    bearer: Bearer = g.bearer
    return bearer


def viewed(store: Session, entity: str, ids: Iterable[UUID], query: str = "") -> None:
    """Records that the signed-in person was shown these; call it in the transaction that reads them."""
    parts().auditor.record_view(store, current().context, entity, ids, query)


class NothingKept(SessionInterface):
    """Flask's own session keeps nothing: it lives for one request and carries only the form token's secret."""

    def open_session(self, _app: Flask, _request: object) -> SecureCookieSession:
        return SecureCookieSession()

    def save_session(self, _app: Flask, _session: object, _response: object) -> None:
        """There is nothing to keep."""


class Guard:
    """Runs before every view: finds out who asks, and refuses whom the view's door does not let in."""

    def __init__(self, bearers: BearerVerifier, csrf: CSRFProtect) -> None:
        self._bearers = bearers
        self._csrf = csrf

    def check(self) -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        door = door_of(view) if view is not None else None
        if door is None:
            return  # no such address: the 404 follows, and start-up has refused every unguarded view
        if door.interaction is not None:
            self._program(door.resource, door.interaction)
        elif door.permission is not None:
            self._person(door.permission, door.background)
        else:
            recognise(counts=False)

    def _person(self, permission: Permission, background: bool) -> None:
        person = recognise(counts=not (background or BACKGROUND in request.headers))
        if person is None:
            raise SignInNeeded
        if request.method in UNSAFE:
            # Fetch Metadata: the browser says which site a request came from, and no script can set it.
            if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
                raise Forbidden("This request came from another site.")
            self._csrf.protect()
        if not person.may(permission):
            raise MissingPermission(permission)

    def _program(self, resource: str, interaction: Interaction) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BearerNeeded("Send an access token of the identity provider: Authorization: Bearer …")
        g.bearer = self._bearers.verify_bearer(token.strip())
        if not g.bearer.allows(resource, interaction):
            raise MissingScope(f"The access token lacks the scope system/{resource}.{interaction}.")


def recognise(*, counts: bool) -> Person | None:
    """The person whose live session the cookie names, noted in `g.person`; activity is noted when it `counts`."""
    work = parts()
    token = request.cookies.get(work.settings.session_cookie)
    if not token:
        return None
    now = work.clock()
    with work.sessions.platform() as store:
        found = web_session.find(store, token)
        if found is None or not found[1].active or not web_session.live(found[0], now, work.settings.idle):
            return None
        if counts:
            web_session.touch(store, found[0], now)
        g.person = person_of(found[1])
        g.session_token = token
    session["csrf_token"] = form_secret(work, found[1].id)
    return current()


def person_of(account: Account) -> Person:
    context = Context(account.tenant, str(account.id))
    roles, sites = tuple(account.roles), tuple(account.sites)
    return Person(account.id, account.tenant, account.name, account.title, roles, sites, context)


def form_secret(work: WebParts, account: UUID) -> str:
    """What form tokens of one person are checked against.

    It is hers and not the session's, so that a form outlives a session that ran out; a form that somebody else
    opened in the same browser is refused. Flask-WTF signs it with the time: a token lasts seven days.
    """
    return hmac.new(work.settings.secret_key, b"form " + account.bytes, sha256).hexdigest()


def whom_to_ask(permission: Permission) -> str:
    """The roles that hold a permission, as words."""
    return ", ".join(str(role).replace("_", " ") for role in holders(permission))


def guard(app: Flask, bearers: BearerVerifier) -> None:
    """Puts the guard before every view of the application. Call it before anything else that runs before views."""
    app.session_interface = NothingKept()
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=FORM_TOKEN_LIFE,
        # `Referrer-Policy: no-referrer` leaves no referrer to compare; Fetch Metadata takes its place.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.before_request(Guard(bearers, CSRFProtect(app)).check)
