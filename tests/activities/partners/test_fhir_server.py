"""What a partner's FHIR server answers, in plain words and in the right class."""

import json
from collections.abc import Callable
from time import monotonic

import httpx
import pytest

from activities.formats.fhir.bundle import EntryAnswer, build_transaction_response
from activities.formats.fhir.referral_bundle import build_referral
from activities.formats.fhir.render import render
from activities.partners.base import PartnerError, Reached, Repeatable
from activities.partners.bearer_token import ClientCredentials
from activities.partners.fhir_server import FhirServer
from tests.formats.fhir.referrals import a_referral

Handler = Callable[[httpx.Request], httpx.Response]
BUNDLE = render(build_referral(a_referral()))
TAKEN = render(build_transaction_response([EntryAnswer("201 Created", "ServiceRequest/77/_history/1")]))
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "value", "diagnostics": "No such code", "expression": ["Patient.gender"]}],
}


class FakeTokens:
    """Hands out t0, t1 …: another after each `forget`."""

    def __init__(self) -> None:
        self.forgotten = 0

    def token(self) -> str:
        return f"t{self.forgotten}"

    def forget(self) -> None:
        self.forgotten += 1


def server(handler: Handler, tokens: FakeTokens | None = None) -> FhirServer:
    client = httpx.Client(transport=httpx.MockTransport(handler))
    base = "https://quillon.example/fhir"
    return FhirServer("Quillon", base, tokens or FakeTokens(), client, Repeatable.YES, monotonic)


def failed(handler: Handler) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        server(handler).send(BUNDLE)
    return caught.value


def test_the_stored_bytes_are_sent_as_they_are() -> None:
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=TAKEN)

    receipt = server(take).send(BUNDLE)
    assert (seen[0].content, receipt.external_id) == (BUNDLE, "ServiceRequest/77")
    assert seen[0].headers["Authorization"] == "Bearer t0"
    assert receipt.answer == TAKEN


@pytest.mark.parametrize(
    ("status", "permanent", "reached"),
    [
        (400, True, Reached.NO),
        (403, True, Reached.NO),
        (404, True, Reached.NO),
        (409, True, Reached.NO),
        (412, True, Reached.NO),
        (413, True, Reached.NO),
        (422, True, Reached.NO),
        (302, True, Reached.NO),
        (408, False, Reached.UNKNOWN),
        (429, False, Reached.NO),
        (500, False, Reached.UNKNOWN),
        (502, False, Reached.UNKNOWN),
        (503, False, Reached.NO),
        (504, False, Reached.UNKNOWN),
    ],
)
def test_a_refusal_is_permanent_or_passing(status: int, permanent: bool, reached: Reached) -> None:
    error = failed(lambda _: httpx.Response(status, json=OUTCOME))
    assert (error.permanent, error.reached, error.code) == (permanent, reached, f"http-{status}")
    assert "No such code (at Patient.gender)" in error.words


@pytest.mark.parametrize(
    ("fault", "reached"),
    [
        (httpx.ConnectError, Reached.NO),
        (httpx.ConnectTimeout, Reached.NO),
        (httpx.ReadTimeout, Reached.UNKNOWN),
        (httpx.WriteTimeout, Reached.UNKNOWN),
        (httpx.RemoteProtocolError, Reached.UNKNOWN),
    ],
)
def test_a_lost_line_is_passing_and_says_what_is_known(fault: type[httpx.TransportError], reached: Reached) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        raise fault("lost", request=request)

    error = failed(lose)
    assert (error.permanent, error.reached) == (False, reached)


def test_how_long_to_wait_is_read() -> None:
    assert failed(lambda _: httpx.Response(429, headers={"Retry-After": "7"})).retry_after == 7.0
    assert (
        failed(lambda _: httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})).retry_after == 0
    )
    assert failed(lambda _: httpx.Response(503, headers={"Retry-After": "soon"})).retry_after is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"entry":3}', b'{"entry":[3]}', b"[" * 100_000])
def test_an_answer_that_is_not_fhir_leaves_it_unknown(body: bytes) -> None:
    error = failed(lambda _: httpx.Response(200, content=body))
    assert (error.permanent, error.reached) == (False, Reached.UNKNOWN)


def test_a_token_that_has_run_out_is_fetched_again_once() -> None:
    tokens = FakeTokens()

    def take(request: httpx.Request) -> httpx.Response:
        good = request.headers["Authorization"] == "Bearer t1"
        return httpx.Response(200, content=TAKEN) if good else httpx.Response(401)

    server(take, tokens).send(BUNDLE)
    assert tokens.forgotten == 1
    assert failed(lambda _: httpx.Response(401)).permanent


def test_asking_finds_the_referral_by_its_number_and_says_nothing_in_the_address() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        resource = {"resourceType": "ServiceRequest", "id": "77"}
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": [{"resource": resource}]})

    found = server(answer).ask(BUNDLE)
    assert (found.present, found.external_id) == (True, "ServiceRequest/77")
    assert (asked[0].url.path, asked[0].url.query) == ("/fhir/ServiceRequest/_search", b"")
    assert "R-20418" in asked[0].content.decode()


def test_asking_in_vain_finds_nothing() -> None:
    assert not server(lambda _: httpx.Response(200, json={"resourceType": "Bundle"})).ask(BUNDLE).present


class Provider:
    """A token endpoint that counts; `status` and `life` may be set."""

    def __init__(self) -> None:
        self.calls, self.status, self.life = 0, 200, 300

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        assert b"client_credentials" in request.content
        body = {"access_token": f"t{self.calls}", "expires_in": self.life}
        return httpx.Response(self.status, content=json.dumps(body))


def credentials(provider: Provider, clock: Callable[[], float]) -> ClientCredentials:
    client = httpx.Client(transport=httpx.MockTransport(provider))
    url = "https://identity.example/token"
    return ClientCredentials("Quillon", url, "careloop", "s", "system/*.cruds", client, clock)


def test_a_token_is_kept_until_shortly_before_it_ends() -> None:
    now = [0.0]
    provider = Provider()
    tokens = credentials(provider, lambda: now[0])
    got = []
    for now[0] in (0.0, 269.0, 271.0):
        got.append(tokens.token())
    assert got == ["t1", "t1", "t2"]


def test_a_forgotten_token_is_fetched_again() -> None:
    tokens = credentials(Provider(), monotonic)
    tokens.token()
    tokens.forget()
    assert tokens.token() == "t2"


@pytest.mark.parametrize(("status", "permanent"), [(401, True), (400, True), (429, False), (500, False)])
def test_a_provider_that_does_not_sign_us_in_is_told(status: int, permanent: bool) -> None:
    provider = Provider()
    provider.status = status
    with pytest.raises(PartnerError) as refused:
        credentials(provider, monotonic).token()
    assert refused.value.permanent is permanent
