"""Our answer at the referrer's Task: read, added to, put back under its ETag."""

import json
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import httpx
import pytest

from activities.formats.fhir.datatypes import Reference
from activities.formats.fhir.render import render
from activities.formats.fhir.task import build_task
from activities.formats.fhir.task_answer import Saying, build_answer
from activities.formats.fhir.task_step import TaskStatus
from activities.partners.base import PartnerError
from activities.partners.fhir_task import FhirTask
from tests.activities.partners.test_fhir_server import FakeTokens
from tests.formats.fhir.referrals import AT, TASK_ID, a_task

BASE = "https://careloop.example/fhir"
PATH = f"/fhir/Task/{TASK_ID}"


def task() -> dict[str, Any]:
    return build_task(
        replace(
            a_task(BASE),
            focus=Reference("ServiceRequest/1"),
            patient=Reference("Patient/1"),
            requester=Reference("Organization/1"),
            owner=Reference("Organization/2"),
            id=TASK_ID,
            version="1",
        )
    )


def answer(note: str = "Gladly.", address: str = "") -> bytes:
    named = {**task(), "identifier": [{"system": "urn:ietf:rfc:3986", "value": address}]} if address else task()
    return render(build_answer(named, Saying("1-a", AT, "Heronfield", TaskStatus.ACCEPTED, note=note)))


@dataclass
class Referrer:
    """A FHIR server with one Task; `stale` puts come too late, `status` is what every put is answered with."""

    held: dict[str, Any] = field(default_factory=task)
    version: int = 1
    stale: int = 0
    status: int = 200
    puts: list[httpx.Request] = field(default_factory=list)
    tag: bool = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            held = {**self.held, "meta": {"versionId": str(self.version)}}
            return httpx.Response(200, json=held, headers={"ETag": f'W/"{self.version}"'} if self.tag else {})
        self.puts.append(request)
        if self.stale:
            self.stale, self.version = self.stale - 1, self.version + 1
            return httpx.Response(412)
        if self.status == 200:
            self.held, self.version = json.loads(request.content), self.version + 1
        return httpx.Response(self.status, json=self.held)


def partner(referrer: Referrer) -> FhirTask:
    client = httpx.Client(transport=httpx.MockTransport(referrer))
    return FhirTask("Larkmoor", BASE, FakeTokens(), client, monotonic)


def test_the_answer_is_added_to_the_task_as_it_stands_there() -> None:
    referrer = Referrer()
    receipt = partner(referrer).send(answer())
    assert receipt.external_id == a_task(BASE).address
    assert (referrer.held["status"], referrer.held["note"][0]["text"]) == ("accepted", "Gladly.")
    assert (referrer.puts[0].headers["If-Match"], referrer.puts[0].url.path) == ('W/"1"', PATH)


def test_an_answer_that_is_there_already_is_not_given_again() -> None:
    referrer = Referrer()
    for _ in range(2):
        partner(referrer).send(answer())
    assert (len(referrer.puts), len(referrer.held["note"])) == (1, 1)
    assert partner(referrer).ask(answer()).present


def test_an_answer_that_is_not_there_is_not_found() -> None:
    assert not partner(Referrer()).ask(answer()).present


def test_a_task_that_moves_on_meanwhile_is_read_again() -> None:
    referrer = Referrer(stale=2)
    partner(referrer).send(answer())
    assert [one.headers["If-Match"] for one in referrer.puts] == ['W/"1"', 'W/"2"', 'W/"3"']


def test_a_task_that_never_rests_is_tried_again_later() -> None:
    with pytest.raises(PartnerError) as busy:
        partner(Referrer(stale=99)).send(answer())
    assert (busy.value.permanent, busy.value.retry_after) == (False, 1.0)


def test_a_server_without_etags_is_held_to_the_version_it_names() -> None:
    referrer = Referrer(tag=False)
    partner(referrer).send(answer())
    assert referrer.puts[0].headers["If-Match"] == 'W/"1"'


@pytest.mark.parametrize(("status", "permanent"), [(409, True), (422, True), (403, True), (503, False), (500, False)])
def test_a_refusal_is_permanent_or_passing(status: int, permanent: bool) -> None:
    with pytest.raises(PartnerError) as refused:
        partner(Referrer(status=status)).send(answer())
    assert refused.value.permanent is permanent
    assert "did not take our answer" in refused.value.words


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/fhir/Task/1", f"{BASE}/Patient/1", f"{BASE}/Task/1/_history/2", f"{BASE}/Task/"],
)
def test_a_task_elsewhere_is_neither_read_nor_shown_our_token(address: str) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing may be sent there")

    lost = FhirTask("Larkmoor", BASE, FakeTokens(), httpx.Client(transport=httpx.MockTransport(never)), monotonic)
    with pytest.raises(PartnerError) as refused:
        lost.send(answer(address=address))
    assert (refused.value.permanent, refused.value.code) == (True, "address")


def test_what_is_no_task_leaves_it_unknown() -> None:
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"resourceType": "Patient"}))
    )
    with pytest.raises(PartnerError) as unreadable:
        FhirTask("Larkmoor", BASE, FakeTokens(), client, monotonic).send(answer())
    assert not unreadable.value.permanent
