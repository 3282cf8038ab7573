"""Bearer tokens of partners' programs: JWT access tokens of the issuer, for our FHIR base and nobody else's."""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from rules.access import Interaction, scope_allows

ALGORITHMS = ("RS256", "ES256", "PS256", "RS384", "ES384")
LEEWAY, KEYS_LIFE, ASK_AGAIN_AFTER = 30, 600, 10


class BearerRefused(Exception):
    """Why a token does not open the door, in words for the client (RFC 6750 `invalid_token`)."""


class IssuerAway(Exception):
    """The issuer's keys cannot be fetched: nothing is known about the token. Answer 503, not 401."""


@dataclass(frozen=True)
class Bearer:
    """Which program asks, and what its token allows."""

    client_id: str
    scopes: frozenset[str]

    def allows(self, resource: str, interaction: Interaction) -> bool:
        return scope_allows(self.scopes, resource, interaction)


class BearerVerifier:
    """Checks tokens with the issuer's published keys, fetched when needed and kept ten minutes.

    An unknown key id fetches them again, at most every ten seconds, so that a new key works at once and a made-up
    one costs the issuer nothing.
    """

    def __init__(self, issuer: str, audience: str, http: httpx.Client | None = None) -> None:
        self._issuer = issuer
        self._audience = audience
        self._http = http or httpx.Client(timeout=10)
        self._lock = Lock()
        self._keys: KeySet | None = None
        self._fetched = 0.0

    def verify_bearer(self, token: str) -> Bearer:
        """The client and its scopes; `BearerRefused` for a token that is not the issuer's, ours and in time."""
        try:
            claims = self._decode(token).claims
            self._registry().validate(claims)
        except (JoseError, ValueError) as fault:
            raise BearerRefused(f"The access token does not hold: {fault}.") from fault
        client_id = claims.get("client_id") or claims.get("azp")
        if not isinstance(client_id, str):
            raise BearerRefused("The access token does not say which client it was given to (client_id).")
        return Bearer(client_id, frozenset(_words(claims.get("scope"))))

    def _registry(self) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )

    def _decode(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(KEYS_LIFE), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(token, self._key_set(ASK_AGAIN_AFTER), algorithms=ALGORITHMS)

    def _key_set(self, not_older_than: float) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() - self._fetched > not_older_than:
                self._keys, self._fetched = self._fetch(), time.monotonic()
            return self._keys

    def _fetch(self) -> KeySet:
        try:
            found = self._get(f"{self._issuer}/.well-known/openid-configuration")
            return KeySet.import_key_set(self._get(found["jwks_uri"]))
        except (httpx.HTTPError, ValueError, KeyError) as fault:
            raise IssuerAway(f"the keys of {self._issuer} cannot be fetched") from fault

    def _get(self, address: str) -> Any:
        return self._http.get(address).raise_for_status().json()


def _words(scope: object) -> list[str]:
    """RFC 9068 writes a string; some issuers write a list."""
    return scope.split() if isinstance(scope, str) else [str(one) for one in scope] if isinstance(scope, list) else []
