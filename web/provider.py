"""Our side of OpenID Connect: discovery, the authorization code flow with PKCE, and what an id token must prove."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import httpx
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.oauth2.base import OAuth2Error  # type: ignore[import-untyped]
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

SCOPE = "openid profile email"
ALGORITHMS = ("RS256", "ES256", "PS256")
LEEWAY = 60


class SignInRefused(Exception):
    """The provider refused, or its answer does not prove what it must; the words are for the log, not the page."""


class ProviderAway(Exception):
    """The provider did not answer, or not with what discovery promises."""


@dataclass(frozen=True)
class Attempt:
    """A sign-in under way: what the callback is checked against. `state` also names its cookie."""

    state: str
    nonce: str
    code_verifier: str
    begun: int


@dataclass(frozen=True)
class Subject:
    """Who the provider says it is, and how and when she proved it."""

    issuer: str
    subject: str
    name: str
    email: str
    auth_time: datetime
    acr: str = ""
    sid: str = ""


class Provider:
    """One issuer. Metadata and keys are fetched when first needed and kept; an unknown key id fetches them again."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None, http: httpx.Client | None = None
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._secret = client_secret
        self._http = http or httpx.Client(timeout=10)
        self._lock = Lock()
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    def begin(self, redirect_uri: str, *, hint: str = "", fresh: bool = False) -> tuple[str, Attempt]:
        """The address to send the browser to, and what to remember; `fresh` asks for proof now, not an old one."""
        attempt = Attempt(generate_token(43), generate_token(43), generate_token(64), int(time.time()))
        wishes = {"login_hint": hint, "prompt": "login" if fresh else ""}
        address, _ = self._client(redirect_uri).create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=attempt.state,
            code_verifier=attempt.code_verifier,
            nonce=attempt.nonce,
            **{name: wish for name, wish in wishes.items() if wish},
        )
        return str(address), attempt

    def finish(self, redirect_uri: str, attempt: Attempt, code: str, *, fresh: bool = False) -> Subject:
        """Exchanges the code and checks the id token: signature, iss, aud, exp, nonce, at_hash, auth_time."""
        try:
            token = self._client(redirect_uri).fetch_token(
                self._endpoint("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=attempt.code_verifier,
                **self._credentials(),
            )
        except OAuth2Error as refusal:
            raise SignInRefused(f"the code was refused: {refusal.error}") from refusal
        except (httpx.HTTPError, ValueError) as fault:
            raise ProviderAway(str(fault)) from fault
        return self._read(token, attempt, fresh)

    def end_session_url(self, return_to: str, hint: str = "") -> str | None:
        """Where the browser ends the provider's own session (RP-initiated logout); None if it offers none."""
        endpoint = self._discover().get("end_session_endpoint")
        if not endpoint:
            return None
        asked = {"client_id": self._client_id, "post_logout_redirect_uri": return_to}
        return str(httpx.URL(endpoint, params={**asked, **({"logout_hint": hint} if hint else {})}))

    def _read(self, token: dict[str, Any], attempt: Attempt, fresh: bool) -> Subject:
        if "id_token" not in token:
            raise SignInRefused("the provider sent no id token")
        try:
            signed = self._decode(token["id_token"])
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                {"nonce": attempt.nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=LEEWAY)
        except JoseError as fault:
            raise SignInRefused(f"the id token does not hold: {fault}") from fault
        return self._subject(signed.claims, attempt, fresh)

    def _subject(self, claims: dict[str, Any], attempt: Attempt, fresh: bool) -> Subject:
        auth_time = int(claims.get("auth_time") or claims["iat"])
        if fresh and ("auth_time" not in claims or auth_time < attempt.begun - LEEWAY):
            raise SignInRefused("the provider answered with an older proof than was asked for")
        return Subject(
            issuer=self.issuer,
            subject=str(claims["sub"]),
            name=str(claims.get("name", "")),
            email=str(claims.get("email", "")),
            auth_time=datetime.fromtimestamp(auth_time, UTC),
            acr=str(claims.get("acr", "")),
            sid=str(claims.get("sid", "")),
        )

    def _decode(self, id_token: str) -> jwt.Token:
        try:
            return jwt.decode(id_token, self._key_set(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(id_token, self._key_set(again=True), algorithms=ALGORITHMS)

    def _client(self, redirect_uri: str) -> Any:
        return OAuth2Client(
            self._http,
            client_id=self._client_id,
            client_secret=self._secret,
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _credentials(self) -> dict[str, Any]:
        # Authlib signs requests of the `requests` library; httpx does the same two methods by itself.
        if self._secret:
            return {"auth": httpx.BasicAuth(self._client_id, self._secret)}
        return {"auth": lambda request: request, "client_id": self._client_id}

    def _endpoint(self, name: str) -> str:
        found = self._discover().get(name)
        if not found:
            raise ProviderAway(f"discovery names no {name}")
        return str(found)

    def _discover(self) -> dict[str, Any]:
        with self._lock:
            if self._metadata is None:
                found = self._fetch(f"{self.issuer}/.well-known/openid-configuration")
                if found.get("issuer") != self.issuer:
                    raise ProviderAway("discovery speaks for another issuer")
                self._metadata = found
            return self._metadata

    def _key_set(self, *, again: bool = False) -> KeySet:
        address = self._endpoint("jwks_uri")
        with self._lock:
            if self._keys is None or again:
                self._keys = KeySet.import_key_set(self._fetch(address))  # type: ignore[arg-type]
            return self._keys

    def _fetch(self, address: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._http.get(address).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as fault:
            raise ProviderAway(f"no answer from {address}") from fault
        return found
