"""The programs that may ask the development identity provider for tokens, and the keys they prove themselves with."""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from joserfc.jwk import KeyParameters, RSAKey

from infra.seed.people import PartnerClient
from rules.access import scope

CODE, CREDENTIALS = "authorization_code", "client_credentials"
PEOPLE_SCOPES = ("openid", "profile", "email")


@dataclass(frozen=True)
class Client:
    """A client of the provider, in the shape Authlib's server asks it.

    `audience` is the `aud` of its access tokens (empty: the issuer, for userinfo); `public_key` proves it by
    `private_key_jwt`, `secret` by HTTP Basic; with neither it is a public client and PKCE protects its codes.
    """

    client_id: str
    scopes: tuple[str, ...]
    audience: str = ""
    redirect_uris: tuple[str, ...] = ()
    post_logout_uris: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    public_key: RSAKey | None = field(default=None, repr=False)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return self.redirect_uris[0] if self.redirect_uris else None

    def get_allowed_scope(self, words: str | None) -> str | None:
        """Everything it may have when it asks for nothing; None when it asks for nothing it may have."""
        asked = (words or "").split() or list(self.scopes)
        return " ".join(word for word in asked if self.may_have(word)) or None

    def may_have(self, word: str) -> bool:
        """Its own scopes, and any narrower one: `system/Task.r` where it has `system/Task.crus`."""
        asked = scope(word)
        if asked is None:
            return word in self.scopes
        held = [one for own in self.scopes if (one := scope(own)) is not None]
        return any(one.resource in ("*", asked.resource) and asked.interactions <= one.interactions for one in held)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return any(_same(redirect_uri, known) for known in self.redirect_uris)

    def check_post_logout(self, address: str) -> bool:
        return any(_same(address, known) for known in self.post_logout_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.secret is not None and secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        ways = {
            "none": self.secret is None and self.public_key is None,
            "client_secret_basic": self.secret is not None,
            "private_key_jwt": self.public_key is not None,
        }
        return endpoint != "token" or ways.get(method, False)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and bool(self.redirect_uris)

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == (CODE if self.redirect_uris else CREDENTIALS)


def _same(given: str, known: str) -> bool:
    """RFC 8252 §7.3: on a loopback address any port is the same address; elsewhere every letter counts."""
    if given == known:
        return True
    one, other = urlsplit(given), urlsplit(known)
    return (
        _loopback(one.hostname)
        and (one.scheme, one.hostname, one.path, one.query) == (other.scheme, other.hostname, other.path, other.query)
        and not one.fragment
        and one.username is None
    )


def _loopback(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def web_client(client_id: str, public_url: str, secret: str | None = None) -> Client:
    """Our own web process."""
    return Client(
        client_id,
        PEOPLE_SCOPES,
        redirect_uris=(f"{public_url}/login/callback",),
        post_logout_uris=(f"{public_url}/sign-in",),
        secret=secret,
    )


def partner_clients(known: Sequence[PartnerClient], audience: str, folder: Path) -> tuple[Client, ...]:
    """The partners' programs; each private key and secret is made once and kept below `folder` (mode 600).

    A program that plays the partner reads `<folder>/<client_id>.jwk` or `<folder>/<client_id>.secret`.
    """
    return tuple(
        Client(
            one.client_id,
            one.scopes,
            audience,
            secret=kept_secret(folder, one.client_id),
            public_key=kept_key(folder / f"{one.client_id}.jwk", {"use": "sig", "alg": "RS384"}),
        )
        for one in known
    )


def kept_key(path: Path, parameters: KeyParameters) -> RSAKey:
    """The RSA key in a file, made there first if need be."""
    if not path.exists():
        key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(8), **parameters}, private=True)
        _keep(path, json.dumps(key.as_dict(private=True)))
    return RSAKey.import_key(json.loads(path.read_text()))


def kept_secret(folder: Path, client_id: str) -> str:
    """The secret of a partner's program, made on first use."""
    path = folder / f"{client_id}.secret"
    if not path.exists():
        _keep(path, secrets.token_urlsafe(32))
    return path.read_text()


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_suffix(f"{path.suffix}.new")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    made.replace(path)
