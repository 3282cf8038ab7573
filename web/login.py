"""Signing in by OpenID Connect, again over a page whose session ran out, and out. No password is ever seen here."""

import hmac
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import groupby

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from activities.records import account as accounts
from activities.records import web_session
from activities.records.account import Account
from activities.records.audit_event import Action
from activities.records.sessions import Context, Purpose
from rules.access import Permission
from web.access import public, requires, signed_in
from web.errors import ErrorPage, Told
from web.limits import limited
from web.present import Act
from web.provider import Attempt, Provider, ProviderAway, SignInRefused, Subject
from web.settings import SeededPerson, WebSettings, parts

SALT = "careloop sign-in"
START = "/"


@dataclass(frozen=True)
class UnderWay:
    """What one sign-in carries in its signed cookie. `account` is whose page waits for it, when one does."""

    attempt: Attempt
    next: str = START
    again: bool = False
    account: str = ""


class SignInCookie:
    """One short-lived cookie per attempt, so that two tabs may sign in at once; nothing of it is in an address."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._signer = URLSafeTimedSerializer(settings.secret_key, salt=SALT)

    def put(self, response: Response, under_way: UnderWay) -> None:
        response.set_cookie(
            self._name(under_way.attempt.state),
            self._signer.dumps(asdict(under_way)),
            max_age=int(self._settings.sign_in_within.total_seconds()),
            path="/login",
            secure=self._settings.secure,
            httponly=True,
            samesite="Lax",
        )

    def read(self, state: str) -> UnderWay | None:
        """The attempt this browser made under that state, if it did and not too long ago."""
        value = request.cookies.get(self._name(state), "")
        try:
            kept = self._signer.loads(value, max_age=int(self._settings.sign_in_within.total_seconds()))
        except BadData:
            return None
        under_way = UnderWay(**{**kept, "attempt": Attempt(**kept["attempt"])})
        return under_way if hmac.compare_digest(under_way.attempt.state, state) else None

    def clear(self, response: Response, state: str) -> None:
        response.delete_cookie(
            self._name(state), path="/login", secure=self._settings.secure, httponly=True, samesite="Lax"
        )

    def _name(self, state: str) -> str:
        return f"careloop_{self._settings.cookie_suffix}_login_{sha256(state.encode()).hexdigest()[:12]}"


class Login:
    """The views; `people` are listed on the sign-in page in development only."""

    def __init__(self, settings: WebSettings, provider: Provider, people: Sequence[SeededPerson]) -> None:
        self._settings = settings
        self._provider = provider
        self._people = people if settings.development else ()
        self._cookie = SignInCookie(settings)

    @public
    def sign_in(self) -> Response | str:
        """The sign-in page; whoever is signed in already goes on."""
        going_to = safe_path(request.args.get("next", ""))
        if signed_in() is not None:
            return redirect(going_to, 303)
        clinics = [(clinic, list(group)) for clinic, group in groupby(self._people, key=lambda one: one.clinic)]
        return render_template(
            "sign_in.html",
            clinics=clinics,
            going_to=going_to if going_to != START else "",
            minutes=int(self._settings.idle.total_seconds() // 60),
            organization=self._settings.organization,
            development=self._settings.development,
        )

    @public
    @limited("60 per minute")
    def begin(self) -> Response:
        """To the provider; `hint` names a person of the development sign-in page."""
        return self._to_provider(safe_path(request.args.get("next", "")), request.args.get("hint", "")[:200])

    @public
    @limited("60 per minute")
    def again(self) -> Response:
        """From a page whose session ran out: in a window of its own, as the same person, with proof of now."""
        account = self._owner_of_page()
        if account is None:
            return self._to_provider(START, "", again=True)
        return self._to_provider(START, account.subject, again=True, account=str(account.id))

    @public
    @limited("60 per minute")
    def callback(self) -> Response:
        """The provider's answer: checked, the account found, a new session under a new token."""
        state = request.args.get("state", "")
        under_way = self._cookie.read(state)
        if under_way is None:
            raise Told(400, NOT_OURS)
        subject = self._prove(under_way)
        account = self._account(subject)
        if under_way.account not in ("", str(account.id)):
            raise Told(409, OTHER_PERSON)
        response = self._done(under_way)
        self._cookie.clear(response, state)
        self._put_session(response, self._open(account, subject))
        return response

    @public
    def logout(self) -> Response:
        """Ends the session here and, where it offers that, at the provider."""
        token = request.cookies.get(self._settings.session_cookie, "")
        sid = ""
        if (person := signed_in()) is not None:
            current_app.extensions["csrf"].protect()
            sid = self._close(token, person.context)
        response = redirect(self._after_logout(sid), 303)
        response.delete_cookie(
            self._settings.session_cookie, secure=self._settings.secure, httponly=True, samesite="Lax"
        )
        return response

    @requires(Permission.SESSION, background=True)
    def session(self) -> Response:
        """Whether somebody is signed in still: 204 or 401; asking is no activity."""
        return make_response("", 204)

    def _to_provider(self, going_to: str, hint: str, *, again: bool = False, account: str = "") -> Response:
        try:
            address, attempt = self._provider.begin(self._settings.callback_url, hint=hint, fresh=again)
        except ProviderAway as fault:
            raise Told(503, PROVIDER_AWAY) from fault
        response = redirect(address, 303)
        self._cookie.put(response, UnderWay(attempt, going_to, again, account))
        return response

    def _prove(self, under_way: UnderWay) -> Subject:
        code = request.args.get("code", "")
        if not code:
            raise Told(403, NOT_SIGNED_IN)
        try:
            return self._provider.finish(self._settings.callback_url, under_way.attempt, code, fresh=under_way.again)
        except SignInRefused as refusal:
            current_app.logger.warning("sign-in refused: %s", refusal)
            raise Told(403, NOT_SIGNED_IN) from refusal
        except ProviderAway as fault:
            raise Told(503, PROVIDER_AWAY) from fault

    def _account(self, subject: Subject) -> Account:
        with parts().sessions.platform() as store:
            account = accounts.by_subject(store, subject.issuer, subject.subject)
        if account is None or not account.active:
            raise Told(403, self._unknown(subject, switched_off=account is not None))
        return account

    def _open(self, account: Account, subject: Subject) -> str:
        work, now = parts(), parts().clock()
        context = Context(account.tenant, str(account.id), Purpose.OPERATIONS)
        proof = web_session.Proof(subject.auth_time, subject.acr, subject.sid)
        with work.sessions.begin(context) as store:
            web_session.end(store, request.cookies.get(self._settings.session_cookie, ""))
            web_session.forget_ended(store, now - self._settings.absolute)
            work.auditor.write(store, context, Action.EXECUTE, "Account", str(account.id), detail={"step": "sign-in"})
            return web_session.start(store, account, proof, now, self._settings.absolute)

    def _close(self, token: str, context: Context) -> str:
        work = parts()
        with work.sessions.begin(context) as store:
            found = web_session.find(store, token)
            web_session.end(store, token)
            work.auditor.write(store, context, Action.EXECUTE, "Account", context.actor, detail={"step": "sign-out"})
            return found[0].sid if found is not None else ""

    def _owner_of_page(self) -> Account | None:
        token = request.cookies.get(self._settings.session_cookie, "")
        with parts().sessions.platform() as store:
            found = web_session.find(store, token)
        return found[1] if found is not None and found[1].active else None

    def _done(self, under_way: UnderWay) -> Response:
        if not under_way.again:
            return redirect(safe_path(under_way.next), 303)
        return make_response(render_template("signed_in.html", development=self._settings.development))

    def _put_session(self, response: Response, token: str) -> None:
        response.set_cookie(
            self._settings.session_cookie, token, secure=self._settings.secure, httponly=True, samesite="Lax"
        )

    def _after_logout(self, sid: str) -> str:
        page = f"{self._settings.public_url}{url_for('login.sign_in')}"
        try:
            return self._provider.end_session_url(page, sid) or page
        except ProviderAway:
            return page

    def _unknown(self, subject: Subject, *, switched_off: bool) -> ErrorPage:
        cause = "has been switched off" if switched_off else "is not known to Careloop yet"
        return ErrorPage(
            "You are signed in at your identity provider, but not here",
            f"The account {subject.email or subject.subject} {cause}.",
            (
                ("What is safe", "Everything: nothing was opened or changed."),
                ("What to do", f"Ask {self._settings.help_contact} for access."),
            ),
            (Act("Sign in as somebody else", "/sign-in", "login-2", filled=True),),
            "user-x",
        )


def create_login(settings: WebSettings, provider: Provider, people: Sequence[SeededPerson]) -> Blueprint:
    """The blueprint `login`: /sign-in, /login, /login/again, /login/callback, /logout, /session."""
    login = Login(settings, provider, people)
    blueprint = Blueprint("login", __name__)
    blueprint.add_url_rule("/sign-in", "sign_in", login.sign_in)
    blueprint.add_url_rule("/login", "begin", login.begin)
    blueprint.add_url_rule("/login/again", "again", login.again)
    blueprint.add_url_rule("/login/callback", "callback", login.callback)
    blueprint.add_url_rule("/logout", "logout", login.logout, methods=["POST"])
    blueprint.add_url_rule("/session", "session", login.session)
    return blueprint


def safe_path(path: str) -> str:
    """A path of ours, or the start page: nobody is sent elsewhere by a link to our sign-in."""
    plain = path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else START


_START_AGAIN = (Act("Sign in again", "/sign-in", "login-2", filled=True),)
NOT_OURS = ErrorPage(
    "This sign-in was not started here",
    "The answer belongs to no sign-in that this browser began in the last ten minutes.",
    (("What is safe", "Everything: nobody was signed in."), ("What to do", "Start the sign-in again.")),
    _START_AGAIN,
    "login-2",
)
NOT_SIGNED_IN = ErrorPage(
    "Your identity provider did not sign you in",
    "Its answer does not prove who you are, or you stopped the sign-in there.",
    (("What is safe", "Everything: nobody was signed in."), ("What to do", "Start the sign-in again.")),
    _START_AGAIN,
    "login-2",
)
OTHER_PERSON = ErrorPage(
    "This page belongs to somebody else",
    "The page that waits was opened by a colleague. What is typed there is sent in that name only.",
    (
        ("What is safe", "What is typed in the other page is still there. Nobody was signed in."),
        ("What to do", "Close this window and let the colleague sign in, or begin with your own start page."),
    ),
    (Act("Go to my own start page", "/sign-in", "login-2", filled=True),),
    "users",
)
PROVIDER_AWAY = ErrorPage(
    "Your identity provider does not answer",
    "Careloop asks it who you are, and got no answer within ten seconds.",
    (
        ("What is safe", "Everything. Work goes on by itself; deadlines keep running."),
        ("What to do", "Wait a moment and sign in again. If it stays away, tell IT."),
    ),
    _START_AGAIN,
    "plug-connected-x",
)
