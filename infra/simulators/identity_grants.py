"""How the development identity provider issues tokens: Authlib's grants over a desk held in memory."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    grants,
)
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator  # type: ignore[import-untyped]
from authlib.oidc.core.grants import OpenIDCode  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from infra.simulators.identity_clients import Client

CODE_LIFE, TOKEN_LIFE, ASSERTION_LIFE = 60, 300, 300
ACR = "urn:careloop:acr:development"


@dataclass(frozen=True)
class Code:
    """An authorization code: one use, one client, one minute."""

    value: str
    client_id: str
    redirect_uri: str
    scope: str
    subject: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    issued: int = field(default_factory=lambda: int(time.time()))
    sid: str = field(default_factory=lambda: secrets.token_hex(16))

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.issued

    def get_acr(self) -> str:
        return ACR

    def get_amr(self) -> None:
        return None


@dataclass(frozen=True)
class Known:
    """A person, in the shape Authlib's server asks for."""

    subject: str
    name: str
    email: str
    title: str

    def get_user_id(self) -> str:
        return self.subject


class Desk:
    """What the provider remembers while it runs: codes not yet used and assertions already seen."""

    def __init__(self, issuer: str, people: Mapping[str, Known], clients: Mapping[str, Client], key: RSAKey) -> None:
        self.issuer = issuer
        self.people = people
        self.clients = clients
        self.key = key
        self._codes: dict[str, Code] = {}
        self._seen: dict[str, float] = {}
        self._lock = Lock()

    def hand_out(self, code: Code) -> None:
        with self._lock:
            self._codes = {value: one for value, one in self._codes.items() if not _old(one)}
            self._codes[code.value] = code

    def redeem(self, value: str) -> Code | None:
        """The code, once: a second try finds nothing, whoever asks."""
        with self._lock:
            code = self._codes.pop(value, None)
        return None if code is None or _old(code) else code

    def first_seen(self, jti: str) -> bool:
        now = time.time()
        with self._lock:
            self._seen = {known: until for known, until in self._seen.items() if until > now}
            fresh = jti not in self._seen
            self._seen[jti] = now + 2 * ASSERTION_LIFE
        return fresh


def _old(code: Code) -> bool:
    return time.time() - code.issued > CODE_LIFE


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Authorization code, always with PKCE; `desk` is set on the class that is registered."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_basic")
    desk: Desk

    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload.data
        self.desk.hand_out(
            Code(
                value=code,
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                subject=request.user.subject,
                nonce=asked.get("nonce"),
                code_challenge=asked.get("code_challenge"),
                code_challenge_method=asked.get("code_challenge_method"),
            )
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = self.desk.redeem(code)
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Nothing is left to delete: redeeming took it away."""

    def authenticate_user(self, authorization_code: Code) -> Known | None:
        return self.desk.people.get(authorization_code.subject)


class StrictChallenge(CodeChallenge):  # type: ignore[misc]
    """RFC 9700 §2.1.1: PKCE for every client, and `S256` only."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("This provider asks for a 'code_challenge' by the method S256.")
        super().validate_code_challenge(grant, redirect_uri)


class IdTokens(OpenIDCode):  # type: ignore[misc]
    """The id token of a code: RS256, five minutes."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(require_nonce=True)
        self._desk = desk

    def exists_nonce(self, _nonce: str, _request: Any) -> bool:
        """A nonce may come twice: it binds the answer to the browser, the code is what is used once."""
        return False

    def resolve_client_private_key(self, _client: Client) -> RSAKey:
        return self._desk.key

    def get_client_algorithm(self, _client: Client) -> str:
        return "RS256"

    def get_encode_header(self, _client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": str(self._desk.key.kid)}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._desk.issuer, "aud": client.client_id, "exp": int(time.time()) + TOKEN_LIFE}

    def get_authorization_code_claims(self, authorization_code: Code) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_authorization_code_claims(authorization_code)
        return {**claims, "sid": authorization_code.sid}

    def generate_user_info(self, user: Known, _scope: str) -> dict[str, str]:
        return {"sub": user.subject, "name": user.name, "email": user.email}


class PartnerGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials: every scope asked for must be the client's, none is dropped silently."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt", "client_secret_basic")

    def validate_requested_scope(self) -> None:
        asked = (self.request.payload.scope or "").split()
        if not all(self.request.client.may_have(word) for word in asked):
            raise InvalidScopeError("This client may not have every scope it asks for.")


class PartnerAssertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """`private_key_jwt` as SMART App Launch 2 wants it: RS384 or ES384, at most five minutes, each good once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, desk: Desk) -> None:
        super().__init__(validate_jti=True)
        self._desk = desk

    def get_audiences(self) -> list[str]:
        return [f"{self._desk.issuer}/token", self._desk.issuer]

    def validate_jti(self, _claims: Mapping[str, Any], jti: str) -> bool:
        return self._desk.first_seen(jti)

    def resolve_client_public_key(self, client: Client) -> RSAKey:
        if client.public_key is None:
            raise InvalidClientError(description="This client proves itself by another method.")
        return client.public_key

    def process_assertion_claims(self, assertion: str, resolve_key: RSAKey) -> dict[str, Any]:
        try:
            claims = jwt.decode(assertion, resolve_key, algorithms=["RS384", "ES384"]).claims
        except JoseError as fault:
            raise InvalidClientError(description=f"The assertion does not hold: {fault.error}.") from fault
        self.verify_claims(claims)
        if claims["exp"] > time.time() + ASSERTION_LIFE + self.leeway:
            raise InvalidClientError(description="The assertion lasts longer than five minutes.")
        return claims


class AccessTokens(JWTBearerTokenGenerator):  # type: ignore[misc]
    """Access tokens as JWT (RFC 9068), five minutes, for the client's audience."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(issuer=desk.issuer, alg="RS256", expires_generator=TOKEN_LIFE)
        self._desk = desk

    def get_jwks(self) -> RSAKey:
        return self._desk.key

    def get_audiences(self, client: Client, _user: Any, _scope: str) -> str:
        return client.audience or self._desk.issuer
