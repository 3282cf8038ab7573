"""The simulated specialist, on real sockets: what it counts, how it answers, what a restart keeps."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from activities.formats.fhir.datatypes import write_concept
from activities.formats.fhir.read import check_resource
from activities.formats.fhir.referral_bundle import build_referral, build_update
from activities.formats.fhir.render import render
from activities.formats.fhir.task import build_task, read_task
from activities.formats.fhir.task_step import Business, business_concept
from activities.partners.base import PartnerError, Reached, Repeatable
from activities.partners.fhir_server import FhirServer
from infra.simulators.specialist import SpecialistConfig, create_specialist
from infra.simulators.specialist_plan import drawn, parse_script
from rules.referral.vocabulary import Step
from tests.fhir_door import FakeDoor, Issuer, a_task, door_app, served
from tests.formats.fhir.referrals import TASK_ID, a_referral

NUMBER = "R-20418"


class Token:
    def token(self) -> str:
        return "t"

    def forget(self) -> None:
        raise AssertionError("the simulated server refused our token")


@dataclass
class World:
    """Our door and its issuer on real ports; specialists are opened as a test needs them."""

    door: FakeDoor
    base: str
    config: SpecialistConfig
    stack: ExitStack
    client: httpx.Client

    def specialist(self, **changes: Any) -> str:
        app = create_specialist(replace(self.config, **changes))
        self.stack.callback(app.extensions["specialist"].stop)
        return self.stack.enter_context(served(app))

    def send(self, address: str, raw: bytes | None = None, timeout: float = 5.0) -> None:
        body = raw or render(build_referral(a_referral(self.base)))
        self.partner(address, timeout).send(body)

    def tell(self, address: str, **elements: Any) -> None:
        """Word of the referral; `elements` of its Task as the referrer has them now."""
        whole = a_referral(self.base)
        self.partner(address).send(render(build_update(whole, {**build_task(whole.task), **elements})))

    def partner(self, address: str, timeout: float = 5.0) -> FhirServer:
        return FhirServer("Quillon", address, Token(), self.client, Repeatable.YES, monotonic, timeout)

    def script(self, address: str, *lines: Any) -> None:
        self.client.post(f"{address}/_simulator/script", json={NUMBER: lines}).raise_for_status()

    def counts(self, address: str) -> Any:
        return self.client.get(f"{address}/_simulator/counts").json()

    def answers(self, address: str, number: int) -> list[Any]:
        """The first `number` acts carried out, waited for."""

        def told() -> list[Any]:
            cases = self.client.get(f"{address}/_simulator/cases").json()
            return list(cases.get(NUMBER, {"answers": []})["answers"])

        until(lambda: len(told()) >= number)
        return told()

    def steps(self) -> list[Step | None]:
        """What our door was told, as steps of the referral."""
        bodies = [httpx.Response(200, content=one.raw).json() for one in self.door.arrivals]
        for body in bodies:
            check_resource(body, "Task")
        return [read_task(body).step for body in bodies]


def until(holds: Callable[[], bool], seconds: float = 8.0) -> None:
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it did not come to hold in time"
        sleep(0.02)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    door = FakeDoor()
    issuer = Issuer("")
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client())
        audience = "https://careloop.example/fhir"
        issuer.url = stack.enter_context(served(issuer.app_for(audience)))
        base = stack.enter_context(served(door_app(door, audience, issuer, client))) + "/fhir"
        door.put("quillon", a_task(base, TASK_ID))
        config = SpecialistConfig(
            name="Quillon Digestive Health",
            folder=tmp_path / "quillon",
            fhir_base=base,
            token_url=f"{issuer.url}/token",
            client_id="quillon",
            client_secret="secret",
            delay=0.0,
            late=0.3,
            slow=0.3,
            silence=1.0,
        )
        yield World(door, base, config, stack, client)


def test_a_referral_is_accepted_by_a_conditional_update_of_our_task(world: World) -> None:
    address = world.specialist()
    world.send(address)
    assert world.answers(address, 1)[0] == {"act": "accept", "status": 200, "said": ""}
    assert world.steps() == [Step.ACCEPTANCE]


def test_a_referral_sent_twice_is_one(world: World) -> None:
    address = world.specialist()
    world.send(address)
    world.send(address)
    assert world.counts(address) == {"accepted": {NUMBER: 1}, "deliveries": {NUMBER: 2}, "updates": {}}
    world.answers(address, 1)
    assert world.steps() == [Step.ACCEPTANCE]


def test_a_server_that_does_not_look_counts_it_twice(world: World) -> None:
    address = world.specialist(repeatable=False, plan=())
    world.send(address)
    world.send(address)
    assert world.counts(address)["accepted"] == {NUMBER: 2}


def test_a_whole_script_is_told_in_order(world: World) -> None:
    address = world.specialist()
    lines = ["receive", "ask", "accept", "schedule", "no-show", "schedule", "see", "preliminary", "report"]
    world.script(address, *lines)
    world.send(address)
    assert [one["status"] for one in world.answers(address, 9)] == [200] * 9
    assert world.steps() == [
        Step.RECEIPT,
        Step.INFORMATION_REQUEST,
        Step.ACCEPTANCE,
        Step.APPOINTMENT,
        Step.NO_SHOW,
        Step.APPOINTMENT,
        Step.VISIT,
        None,
        Step.REPORT,
    ]


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("decline", Step.DECLINE),
        ("redirect", Step.REDIRECTION),
        ("advise", Step.ADVICE),
        ("cancel", Step.CANCELLATION_CONFIRMED),
        ("keep", Step.CANCELLATION_REFUSED),
        ("unknown-status", None),
    ],
)
def test_every_other_answer_is_understood(world: World, line: str, step: Step | None) -> None:
    address = world.specialist()
    world.script(address, line)
    world.send(address)
    assert world.answers(address, 1)[0]["status"] == 200
    assert world.steps() == [step]


def test_a_duplicate_delivery_is_the_same_to_the_letter(world: World) -> None:
    address = world.specialist()
    world.script(address, "accept", "duplicate")
    world.send(address)
    assert [one["status"] for one in world.answers(address, 2)] == [200, 200]
    assert len(world.door.arrivals) == 1


def asked(code: Business) -> Any:
    return write_concept(business_concept(code))


@pytest.mark.parametrize(
    ("lines", "step"),
    [
        (["receive"], Step.CANCELLATION_CONFIRMED),
        (["receive", "never", "keep"], Step.CANCELLATION_REFUSED),
        (["receive", {"act": "cancel", "after": 600}], Step.CANCELLATION_CONFIRMED),
    ],
)
def test_a_cancellation_is_confirmed_or_refused_by_the_script(world: World, lines: list[Any], step: Step) -> None:
    address = world.specialist()
    world.script(address, *lines)
    world.send(address)
    world.answers(address, 1)
    world.tell(address, status="received", businessStatus=asked(Business.CANCELLATION_REQUESTED))
    world.answers(address, 2)
    assert world.steps() == [Step.RECEIPT, step]


def test_information_lets_the_script_go_on(world: World) -> None:
    address = world.specialist()
    world.script(address, "ask", "never", "accept", "schedule")
    world.send(address)
    world.answers(address, 1)
    note = [{"time": "2026-03-02T17:00:00Z", "text": "Enclosed."}]
    for _ in range(2):
        world.tell(address, status="received", note=note, businessStatus=asked(Business.INFORMATION_SUPPLIED))
    world.answers(address, 3)
    assert world.steps() == [Step.INFORMATION_REQUEST, Step.ACCEPTANCE, Step.APPOINTMENT]
    counts = world.counts(address)
    assert (counts["accepted"], counts["deliveries"], counts["updates"]) == ({NUMBER: 1}, {NUMBER: 3}, {NUMBER: 1})


def test_who_was_not_selected_says_nothing_more(world: World) -> None:
    address = world.specialist()
    world.script(address, "accept", {"act": "schedule", "after": 0.4})
    world.send(address)
    world.answers(address, 1)
    world.tell(address, status="cancelled", businessStatus=asked(Business.NOT_SELECTED))
    sleep(0.6)
    assert world.steps() == [Step.ACCEPTANCE]


def test_a_changed_priority_changes_nothing_else(world: World) -> None:
    address = world.specialist()
    world.script(address, "accept", {"act": "schedule", "after": 0.2})
    world.send(address)
    world.tell(address, priority="stat")
    world.answers(address, 2)
    assert world.counts(address)["updates"] == {NUMBER: 1}


def test_a_report_twice_is_two_updates(world: World) -> None:
    address = world.specialist()
    world.script(address, "report", {"act": "report", "text": "Amended: second reading."})
    world.send(address)
    world.answers(address, 2)
    assert world.steps() == [Step.REPORT, Step.REPORT]


def test_an_answer_about_another_patient_is_refused_by_us(world: World) -> None:
    address = world.specialist()
    world.script(address, "wrong-patient")
    world.send(address)
    assert world.answers(address, 1)[0] == {"act": "wrong-patient", "status": 422, "said": "Task.for"}
    assert world.door.arrivals == []


def test_one_that_never_answers_does_not(world: World) -> None:
    address = world.specialist()
    world.script(address, "never")
    world.send(address)
    sleep(0.3)
    assert world.door.arrivals == []


def test_a_late_answer_comes_after_its_pause(world: World) -> None:
    address = world.specialist()
    world.script(address, "late", "accept")
    begun = monotonic()
    world.send(address)
    world.answers(address, 2)
    assert monotonic() - begun >= 0.3


def test_a_server_that_is_away_takes_it_the_third_time(world: World) -> None:
    address = world.specialist()
    world.script(address, {"act": "unavailable", "times": 2}, "accept")
    for _ in range(2):
        with pytest.raises(PartnerError) as away:
            world.send(address)
        assert (away.value.permanent, away.value.retry_after) == (False, 1.0)
    world.send(address)
    assert world.counts(address)["accepted"] == {NUMBER: 1}


def test_silence_after_taking_it_leaves_it_unknown_and_asking_tells(world: World) -> None:
    address = world.specialist()
    world.script(address, "silent", "never")
    raw = render(build_referral(a_referral(world.base)))
    assert not world.partner(address).ask(raw).present
    with pytest.raises(PartnerError) as silent:
        world.send(address, raw, timeout=0.3)
    assert silent.value.reached is Reached.UNKNOWN
    found = world.partner(address).ask(raw)
    assert (found.present, found.external_id.startswith("ServiceRequest/")) == (True, True)


def test_a_restart_keeps_the_counts_and_goes_on_with_the_script(world: World) -> None:
    first = create_specialist(replace(world.config, delay=60.0))
    with served(first) as address:
        world.send(address)
        assert world.counts(address)["accepted"] == {NUMBER: 1}
    first.extensions["specialist"].stop()
    again = world.specialist()
    assert world.counts(again)["accepted"] == {NUMBER: 1}
    world.answers(again, 1)
    world.send(again)
    assert world.counts(again) == {"accepted": {NUMBER: 1}, "deliveries": {NUMBER: 2}, "updates": {}}
    assert world.steps() == [Step.ACCEPTANCE]


def test_a_journal_cut_short_by_a_kill_is_read_up_to_there(world: World) -> None:
    first = create_specialist(replace(world.config, plan=()))
    with served(first) as address:
        world.send(address)
    first.extensions["specialist"].stop()
    with (world.config.folder / "journal.jsonl").open("a") as journal:
        journal.write('{"what": "delivery", "num')
    again = create_specialist(replace(world.config, plan=()))
    with served(again) as address:
        world.send(address, render(build_referral(a_referral(world.base, "R-20419"))))
    again.extensions["specialist"].stop()
    assert world.counts(world.specialist(plan=()))["accepted"] == {NUMBER: 1, "R-20419": 1}


def test_a_task_that_is_not_ours_is_not_answered(world: World) -> None:
    address = world.specialist()
    with pytest.raises(PartnerError) as refused:
        world.send(address, render(build_referral(a_referral("https://elsewhere.example/fhir"))))
    assert (refused.value.permanent, refused.value.code) == (True, "http-422")


def test_a_call_without_token_is_refused(world: World) -> None:
    assert world.client.get(f"{world.specialist()}/Task/1").status_code == 401


def test_a_task_that_moves_on_meanwhile_is_read_again(world: World) -> None:
    address = world.specialist(delay=0.0)
    stale = iter([True, True, False])
    take = world.door.receive

    def moved(interface: Any, arrival: Any) -> Any:
        if next(stale, False):
            return replace(take(interface, replace(arrival, version="0")), version="9")
        return take(interface, arrival)

    world.door.receive = moved  # type: ignore[method-assign]
    world.send(address)
    assert world.answers(address, 1)[0]["status"] == 200


def test_a_plan_by_lot_is_the_same_each_time() -> None:
    plans = [drawn(7, f"R-{number}") for number in range(200)]
    assert plans == [drawn(7, f"R-{number}") for number in range(200)]
    assert len({tuple(one.act for one in plan) for plan in plans}) > 4


@pytest.mark.parametrize("lines", ["accept", ["dance"], [{"act": "accept", "when": 1}], ["accept", "slow"], [3]])
def test_a_script_that_cannot_be_followed_is_refused(world: World, lines: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_script(lines)
    address = world.specialist()
    assert world.client.post(f"{address}/_simulator/script", json={NUMBER: lines}).status_code == 400
