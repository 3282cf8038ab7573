"""What an id token must prove, tried on a provider that tells lies."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

from tests.postgres import free_port
from web.provider import Provider, ProviderAway, SignInRefused

BACK = "http://127.0.0.1:1/login/callback"
Change = dict[str, Any]


class Liar:
    """A provider whose next id token is told here; by itself it tells the truth."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256"})
        self.published = [self.key]
        self.changes: Change = {}
        self.header: Change = {}
        self.leaves_out: tuple[str, ...] = ()
        self.asked: dict[str, str] = {}
        self.nonce = ""
        self.app = Flask("liar")
        self.app.add_url_rule("/.well-known/openid-configuration", "discovery", self.discovery)
        self.app.add_url_rule("/jwks", "jwks", self.jwks)
        self.app.add_url_rule("/token", "token", self.token, methods=["POST"])

    def discovery(self) -> Any:
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            jwks_uri=f"{self.issuer}/jwks",
        )

    def jwks(self) -> Any:
        return jsonify(KeySet([*self.published]).as_dict(private=False))

    def token(self) -> Any:
        self.asked = {**request.form.to_dict(), "authorization": request.headers.get("Authorization", "")}
        now = int(time.time())
        truth = {
            "iss": self.issuer,
            "aud": "careloop",
            "sub": "nadia.ferro-lund",
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": self.nonce,
        }
        claims = {name: value for name, value in {**truth, **self.changes}.items() if name not in self.leaves_out}
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        signed = jwt.encode(header, claims, self.key, algorithms=["RS256", "HS256"])
        return jsonify(access_token="opaque", token_type="Bearer", id_token=signed)


@pytest.fixture
def liar() -> Iterator[Liar]:
    port = free_port()
    liar = Liar(port)
    server = make_server("127.0.0.1", port, liar.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield liar
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(liar: Liar, *, fresh: bool = False, secret: str | None = None) -> str:
    provider = Provider(liar.issuer, "careloop", secret)
    _, attempt = provider.begin(BACK, fresh=fresh)
    liar.nonce = attempt.nonce
    return provider.finish(BACK, attempt, "code", fresh=fresh).subject


def test_a_true_token_is_believed_and_its_code_comes_with_the_verifier(liar: Liar) -> None:
    assert sign_in(liar) == "nadia.ferro-lund"
    assert liar.asked["client_id"] == "careloop" and len(liar.asked["code_verifier"]) >= 43
    assert liar.asked["redirect_uri"] == BACK and not liar.asked["authorization"]


def test_a_confidential_client_proves_itself_by_basic_authentication(liar: Liar) -> None:
    sign_in(liar, secret="quiet")

    assert liar.asked["authorization"] == httpx.BasicAuth("careloop", "quiet")._auth_header
    assert "quiet" not in {value for name, value in liar.asked.items() if name != "authorization"}


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"aud": ["careloop", "somebody-else"]},
        {"iss": "http://127.0.0.1:9"},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"nonce": "replayed"},
        {"azp": "somebody-else"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_token_that_says_something_else_is_refused(liar: Liar, changes: Change) -> None:
    liar.changes = changes

    with pytest.raises(SignInRefused):
        sign_in(liar)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "iat", "nonce"])
def test_a_token_that_leaves_something_out_is_refused(liar: Liar, claim: str) -> None:
    liar.leaves_out = (claim,)

    with pytest.raises(SignInRefused):
        sign_in(liar)


def test_a_token_signed_with_a_key_that_is_not_published_is_refused(liar: Liar) -> None:
    liar.published = [RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256"})]

    with pytest.raises(SignInRefused):
        sign_in(liar)


def test_a_key_published_since_is_found(liar: Liar) -> None:
    provider = Provider(liar.issuer, "careloop", None)
    for name in ("one", "two"):
        liar.key = RSAKey.generate_key(2048, {"kid": name, "alg": "RS256"})
        liar.published = [liar.key]
        _, attempt = provider.begin(BACK)
        liar.nonce = attempt.nonce
        assert provider.finish(BACK, attempt, "code").subject == "nadia.ferro-lund"


def test_an_old_proof_does_not_do_where_a_fresh_one_was_asked_for(liar: Liar) -> None:
    liar.changes = {"auth_time": int(time.time()) - 3600}
    assert sign_in(liar) == "nadia.ferro-lund"
    with pytest.raises(SignInRefused, match="older proof"):
        sign_in(liar, fresh=True)

    liar.changes, liar.leaves_out = {}, ("auth_time",)
    with pytest.raises(SignInRefused, match="older proof"):
        sign_in(liar, fresh=True)


def test_a_provider_that_is_not_there_is_told_from_one_that_refuses() -> None:
    with pytest.raises(ProviderAway):
        Provider("http://127.0.0.1:9", "careloop", None).begin(BACK)
