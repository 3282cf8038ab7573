import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.web.clinic import PUBLIC, Provider, WebClinic
from web.fhir.bearer import BearerRefused, BearerVerifier, IssuerAway

AUDIENCE = f"{PUBLIC}/fhir"


def issue(provider: Provider, client: str = "quillon-platform", scope: str = "system/Task.crus") -> str:
    """A token as a partner's program gets it: by its secret."""
    secret = (provider.folder / f"{client}.secret").read_text()
    answer = httpx.post(
        f"{provider.issuer}/token", data={"grant_type": "client_credentials", "scope": scope}, auth=(client, secret)
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def forge(provider: Provider, key: RSAKey | OctKey | None = None, alg: str = "RS256", **changes: Any) -> str:
    """A token with the issuer's own key, and something wrong."""
    own = RSAKey.import_key(json.loads((provider.folder / "identity.jwk").read_text()))
    now = int(time.time())
    claims = {
        "iss": provider.issuer,
        "aud": AUDIENCE,
        "sub": "quillon-platform",
        "client_id": "quillon-platform",
        "scope": "system/Task.crus",
        "iat": now,
        "exp": now + 300,
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "typ": "at+jwt", "kid": own.kid}, kept, key or own, algorithms=[alg])


@pytest.fixture
def verifier(provider: Provider) -> BearerVerifier:
    return BearerVerifier(provider.issuer, AUDIENCE)


def test_a_partners_token_names_its_client_and_scopes(verifier: BearerVerifier, provider: Provider) -> None:
    bearer = verifier.verify_bearer(issue(provider))

    assert bearer.client_id == "quillon-platform"
    assert bearer.scopes == {"system/Task.crus"}


def test_the_forge_makes_good_tokens_when_nothing_is_wrong(verifier: BearerVerifier, provider: Provider) -> None:
    assert verifier.verify_bearer(forge(provider)).client_id == "quillon-platform"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/fhir"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"client_id": None},
        {"client_id": 7},
    ],
    ids=["aud", "no-aud", "iss", "no-iss", "exp", "no-exp", "nbf", "no-client", "client-number"],
)
def test_a_token_that_is_not_for_us_now_is_refused(
    verifier: BearerVerifier, provider: Provider, changes: dict[str, Any]
) -> None:
    with pytest.raises(BearerRefused):
        verifier.verify_bearer(forge(provider, **changes))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "é" * 10, "." * 200])
def test_bytes_that_are_no_token_are_refused(verifier: BearerVerifier, token: str) -> None:
    with pytest.raises(BearerRefused):
        verifier.verify_bearer(token)


def test_a_token_signed_with_another_key_is_refused(verifier: BearerVerifier, provider: Provider) -> None:
    with pytest.raises(BearerRefused):
        verifier.verify_bearer(forge(provider, RSAKey.generate_key(2048)))


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    verifier: BearerVerifier, provider: Provider
) -> None:
    published = json.dumps(httpx.get(f"{provider.issuer}/jwks").json()["keys"][0])
    with pytest.raises(BearerRefused):
        verifier.verify_bearer(forge(provider, OctKey.import_key(published), "HS256"))


def test_an_id_token_does_not_open_the_door_for_programs(clinic: WebClinic) -> None:
    with pytest.raises(BearerRefused):
        BearerVerifier(clinic.provider.issuer, AUDIENCE).verify_bearer(forge(clinic.provider, aud="careloop"))


def test_an_issuer_that_is_away_is_told_from_a_bad_token(provider: Provider) -> None:
    with pytest.raises(IssuerAway):
        BearerVerifier("http://127.0.0.1:9", AUDIENCE).verify_bearer(forge(provider))


def test_the_keys_are_fetched_once_and_a_made_up_key_id_does_not_fetch_them_each_time(provider: Provider) -> None:
    asked: list[str] = []
    http = httpx.Client(event_hooks={"request": [lambda request: asked.append(request.url.path)]})
    verifier = BearerVerifier(provider.issuer, AUDIENCE, http)
    for _ in range(3):
        verifier.verify_bearer(forge(provider))
    other = RSAKey.generate_key(2048, {"kid": "made-up"})
    for _ in range(3):
        token = jwt.encode({"alg": "RS256", "kid": "made-up"}, {"iss": provider.issuer}, other)
        with pytest.raises(BearerRefused):
            verifier.verify_bearer(token)

    assert asked == ["/.well-known/openid-configuration", "/jwks"]


def test_the_door_lets_a_program_do_what_its_scopes_cover_and_no_more(clinic: WebClinic) -> None:
    browser = clinic.browser()
    token = {"Authorization": f"Bearer {issue(clinic.provider)}"}

    assert browser.get("/fhir/Task", **token).text == "quillon-platform"
    assert browser.get("/fhir/Claim", **token).status_code == 403
    assert browser.get("/fhir/Task").status_code == 401
    assert browser.get("/fhir/Task", Authorization="Bearer x").status_code == 401
    assert browser.get("/fhir/Task", Authorization="Basic eDp5").status_code == 401


def test_a_person_signed_in_is_no_program(clinic: WebClinic) -> None:
    assert clinic.signed_in("nadia.ferro-lund").get("/fhir/Task").status_code == 401


def test_a_programs_token_does_not_open_a_page_for_people(clinic: WebClinic) -> None:
    answer = clinic.browser().get("/", Authorization=f"Bearer {issue(clinic.provider)}")

    assert answer.status_code == 303
