"""Bearer tokens for calling a partner: OAuth 2 client credentials, kept until shortly before they end."""

from collections.abc import Callable
from threading import Lock
from typing import Any

import httpx

from activities.partners.base import PartnerError

EARLY = 30.0


class ClientCredentials:
    """`token()` is safe from several threads. `clock` counts seconds and never goes back.

    An empty `scope` asks for everything the provider lets this client have.
    """

    def __init__(
        self,
        partner: str,
        token_url: str,
        client_id: str,
        secret: str,
        scope: str,
        client: httpx.Client,
        clock: Callable[[], float],
    ) -> None:
        self._partner = partner
        self._token_url = token_url
        self._credentials = (client_id, secret)
        self._scope = scope
        self._client = client
        self._clock = clock
        self._lock = Lock()
        self._token = ""
        self._ends = 0.0

    def token(self) -> str:
        """A token that holds for at least a few seconds; raises PartnerError, passing if the provider is away."""
        with self._lock:
            if not self._token or self._clock() >= self._ends:
                self._token, lifetime = self._fetch()
                self._ends = self._clock() + max(lifetime - EARLY, lifetime / 2)
            return self._token

    def forget(self) -> None:
        """The partner refused the token: the next call fetches another."""
        with self._lock:
            self._token = ""

    def _fetch(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        try:
            answer = self._client.post(self._token_url, data=form, auth=self._credentials)
        except httpx.HTTPError:
            raise self._away() from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise self._away()
        try:
            body: Any = answer.json()
            token, lifetime = body["access_token"], float(body.get("expires_in", 60))
        except (ValueError, TypeError, KeyError):
            raise self._refused() from None
        if answer.status_code != 200 or not isinstance(token, str) or not token:
            raise self._refused()
        return token, lifetime

    def _away(self) -> PartnerError:
        words = f"The identity provider that signs us in at {self._partner} does not answer. We try again by ourselves."
        return PartnerError(self._partner, permanent=False, code="identity-away", words=words)

    def _refused(self) -> PartnerError:
        words = (
            f"The identity provider does not sign us in at {self._partner}. "
            "Check our client id, its secret and the scopes it may have, then retry."
        )
        return PartnerError(self._partner, permanent=True, code="identity-refused", words=words)
