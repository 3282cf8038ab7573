import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7523 import private_key_jwt_sign  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from infra.seed.people import load
from infra.simulators.identity import create_identity
from infra.simulators.identity_clients import Client, partner_clients, web_client

ISSUER, PUBLIC = "http://127.0.0.1:4444", "http://127.0.0.1:5555"
VERIFIER = "v" * 64
ASKED = {
    "response_type": "code",
    "client_id": "careloop",
    "redirect_uri": f"{PUBLIC}/login/callback",
    "scope": "openid profile email",
    "state": "s",
    "nonce": "n",
    "code_challenge": create_s256_code_challenge(VERIFIER),
    "code_challenge_method": "S256",
}
PARTNER = "heronfield-platform"


def start(folder: Path, *more: Client) -> FlaskClient:
    staff = load()
    clients = (web_client("careloop", PUBLIC), *partner_clients(staff.clients, f"{PUBLIC}/fhir", folder), *more)
    return create_identity(staff.people, clients, ISSUER, folder).test_client()


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[FlaskClient]:
    yield start(tmp_path)


def code(identity: FlaskClient, person: str = "nadia.ferro-lund", **changes: str) -> str:
    answer = identity.get("/authorize", query_string={**ASKED, "login_hint": person, **changes})
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def exchange(identity: FlaskClient, value: str, **changes: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": value,
        "client_id": "careloop",
        "redirect_uri": ASKED["redirect_uri"],
        "code_verifier": VERIFIER,
    }
    return identity.post("/token", data={**form, **changes})


def assertion(folder: Path, client: str = PARTNER, aud: str = f"{ISSUER}/token", **more: Any) -> dict[str, str]:
    key = RSAKey.import_key(json.loads((folder / f"{client}.jwk").read_text()))
    signed = private_key_jwt_sign(key, client, aud, alg="RS384", **{"expires_in": 240, **more})
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }


def test_discovery_says_what_is_offered_and_only_pkce_by_s256(identity: FlaskClient) -> None:
    said = identity.get("/.well-known/openid-configuration").get_json()

    assert said["issuer"] == ISSUER
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    assert (
        "private" not in json.dumps(identity.get("/jwks").get_json())
        and "d" not in (identity.get("/jwks").get_json()["keys"][0])
    )


def test_with_a_hint_the_person_is_signed_in_at_once_with_all_claims(identity: FlaskClient) -> None:
    answer = exchange(identity, code(identity)).get_json()
    key = RSAKey.import_key(identity.get("/jwks").get_json()["keys"][0])
    claims = jwt.decode(answer["id_token"], key).claims

    assert (claims["sub"], claims["name"]) == ("nadia.ferro-lund", "Nadia Ferro-Lund")
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, "careloop", "n")
    assert claims["email"] == "nadia.ferro-lund@larkmoor.example"
    assert claims["acr"] and claims["sid"] and abs(claims["auth_time"] - time.time()) < 5
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert identity.get("/userinfo", headers=bearer).get_json()["sub"] == "nadia.ferro-lund"
    assert identity.get("/userinfo").status_code == 401


def test_without_a_hint_everybody_is_listed_and_nobody_signed_in(identity: FlaskClient) -> None:
    for hint in ({}, {"login_hint": "nobody"}):
        answer = identity.get("/authorize", query_string={**ASKED, **hint})
        assert answer.status_code == 200
        assert answer.text.count("<li>") == 23 and "login_hint=lettie.marchbank" in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/login/callback"},
        {"redirect_uri": f"{PUBLIC}/elsewhere"},
        {"redirect_uri": "http://127.0.0.1.evil.example/login/callback"},
        {"redirect_uri": "http://u@127.0.0.1/login/callback"},
        {"client_id": "unknown"},
        {"client_id": PARTNER},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"nonce": ""},
    ],
    ids=str,
)
def test_a_request_that_is_not_as_it_must_be_gets_no_code(identity: FlaskClient, changes: dict[str, str]) -> None:
    answer = identity.get("/authorize", query_string={**ASKED, "login_hint": "nadia.ferro-lund", **changes})

    assert answer.status_code == 400


def test_a_loopback_address_may_have_any_port(identity: FlaskClient) -> None:
    assert code(identity, redirect_uri="http://127.0.0.1:60001/login/callback")


@pytest.mark.parametrize(
    "changes",
    [{"code_verifier": "w" * 64}, {"code_verifier": ""}, {"redirect_uri": "http://127.0.0.1:1/login/callback"}],
    ids=str,
)
def test_a_code_needs_the_verifier_and_the_address_it_was_given_for(
    identity: FlaskClient, changes: dict[str, str]
) -> None:
    assert exchange(identity, code(identity), **changes).status_code == 400


def test_a_code_is_good_once_and_only_for_its_client(identity: FlaskClient, tmp_path: Path) -> None:
    value = code(identity)
    assert exchange(identity, value).status_code == 200
    assert exchange(identity, value).get_json()["error"] == "invalid_grant"

    other = start(tmp_path, replace(web_client("other", PUBLIC)))
    assert exchange(other, code(other), client_id="other").status_code == 400


def test_a_confidential_web_client_needs_its_secret(tmp_path: Path) -> None:
    identity = start(tmp_path, web_client("closed", PUBLIC, "quiet"))
    value = code(identity, client_id="closed")

    assert exchange(identity, value, client_id="closed").status_code == 401


def test_a_program_gets_five_minutes_by_its_private_key(identity: FlaskClient, tmp_path: Path) -> None:
    answer = identity.post("/token", data={**assertion(tmp_path), "scope": "system/Task.crus"}).get_json()
    claims = jwt.decode(answer["access_token"], RSAKey.import_key(identity.get("/jwks").get_json()["keys"][0])).claims

    assert (claims["iss"], claims["aud"], claims["client_id"]) == (ISSUER, f"{PUBLIC}/fhir", PARTNER)
    assert claims["scope"] == answer["scope"] == "system/Task.crus"
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 300


def test_a_program_may_prove_itself_by_its_secret_instead(identity: FlaskClient, tmp_path: Path) -> None:
    secret = (tmp_path / f"{PARTNER}.secret").read_text()
    form = {"grant_type": "client_credentials"}

    assert identity.post("/token", data=form, auth=(PARTNER, secret)).status_code == 200
    assert identity.post("/token", data=form, auth=(PARTNER, "wrong")).status_code == 401
    assert identity.post("/token", data={**form, "client_id": PARTNER}).status_code == 401


def test_an_assertion_is_good_once(identity: FlaskClient, tmp_path: Path) -> None:
    form = assertion(tmp_path)

    assert identity.post("/token", data=form).status_code == 200
    assert identity.post("/token", data=form).get_json()["error"] == "invalid_client"


def test_an_assertion_for_another_server_or_too_long_or_expired_or_of_another_key_is_refused(
    identity: FlaskClient, tmp_path: Path
) -> None:
    stolen = assertion(tmp_path, "quillon-platform")
    key = RSAKey.import_key(json.loads((tmp_path / "quillon-platform.jwk").read_text()))
    stolen["client_assertion"] = private_key_jwt_sign(key, PARTNER, f"{ISSUER}/token", alg="RS384", expires_in=200)
    for form in (
        assertion(tmp_path, aud="https://elsewhere.example/token"),
        assertion(tmp_path, expires_in=3600),
        assertion(tmp_path, expires_in=-600),
        stolen,
    ):
        assert identity.post("/token", data=form).status_code in (400, 401)


def test_a_scope_the_program_may_not_have_is_refused_and_not_dropped(identity: FlaskClient, tmp_path: Path) -> None:
    form = {**assertion(tmp_path), "scope": "system/Task.crus system/Claim.rs"}

    assert identity.post("/token", data=form).get_json()["error"] == "invalid_scope"


def test_a_narrower_scope_than_the_program_has_is_given_as_asked(identity: FlaskClient, tmp_path: Path) -> None:
    form = {**assertion(tmp_path), "scope": "system/Task.rus"}

    assert identity.post("/token", data=form).get_json()["scope"] == "system/Task.rus"


def test_a_program_cannot_sign_a_person_in_nor_the_web_client_get_a_programs_token(identity: FlaskClient) -> None:
    answer = identity.post("/token", data={"grant_type": "client_credentials", "client_id": "careloop"})

    assert answer.status_code == 401


def test_a_restart_keeps_the_key_so_that_tokens_stay_good(identity: FlaskClient, tmp_path: Path) -> None:
    before = identity.get("/jwks").get_json()

    assert start(tmp_path).get("/jwks").get_json() == before
    assert (tmp_path / "identity.jwk").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / f"{PARTNER}.jwk").stat().st_mode & 0o777 == 0o600


def test_after_sign_out_the_browser_goes_back_to_a_registered_address_only(identity: FlaskClient) -> None:
    asked = {"client_id": "careloop", "post_logout_redirect_uri": f"{PUBLIC}/sign-in"}

    assert identity.get("/end-session", query_string=asked).headers["Location"] == f"{PUBLIC}/sign-in"
    elsewhere = {**asked, "post_logout_redirect_uri": "https://evil.example/"}
    assert identity.get("/end-session", query_string=elsewhere).status_code == 200
