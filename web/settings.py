"""What the web process is told, and the parts its views work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask import current_app

from activities.records.audit_event import Auditor
from activities.records.ring import KeyRing
from activities.records.sessions import Sessions

PARTS = "careloop"


@dataclass(frozen=True)
class WebSettings:
    """`public_url` is the only source of absolute addresses; no trailing slash.

    `secret_key` (32 bytes or more, from the key ring) signs form tokens and the cookie of a sign-in under way.
    `cookie_suffix` is the home's short id: cookies ignore ports. `proxies` is how many proxies in front of us
    set `X-Forwarded-…`; 0 believes none. `help_contact` completes "Ask … for access".
    """

    public_url: str
    issuer: str
    client_id: str
    secret_key: bytes = field(repr=False)
    cookie_suffix: str
    client_secret: str | None = field(default=None, repr=False)
    organization: str = "Careloop"
    help_contact: str = "whoever looks after accounts at your clinic"
    development: bool = False
    proxies: int = 0
    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=10)
    sign_in_within: timedelta = timedelta(minutes=10)

    @property
    def secure(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def session_cookie(self) -> str:
        """With https the `__Host-` prefix: no other host or path can set it."""
        return ("__Host-" if self.secure else "") + f"careloop_{self.cookie_suffix}"

    @property
    def callback_url(self) -> str:
        return f"{self.public_url}/login/callback"

    @property
    def fhir_base(self) -> str:
        """The audience of access tokens for our FHIR door."""
        return f"{self.public_url}/fhir"


@dataclass(frozen=True)
class SeededPerson:
    """One entry of the development sign-in page; `subject` goes to the provider as `login_hint`."""

    subject: str
    name: str
    clinic: str
    title: str
    to_try: str = ""

    @property
    def initials(self) -> str:
        words = self.name.partition(",")[0].split()
        return (words[0][0] + words[-1][0]).upper()


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class WebParts:
    """What a view may reach, handed to `create_app`; `client` is the blocking face of the engine."""

    settings: WebSettings
    sessions: Sessions
    client: object
    ring: KeyRing
    auditor: Auditor
    clock: Callable[[], datetime] = utc_now


def parts() -> WebParts:
    """The parts of the application that serves this request."""
    found: WebParts = current_app.extensions[PARTS]
    return found
