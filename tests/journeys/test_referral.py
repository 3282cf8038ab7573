"""A referral from its draft to its end on a whole clinic, whoever dies on the way."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from activities.records.base import new_id
from activities.records.decision import Outcome
from activities.records.organization import Organization
from rules.referral.vocabulary import Stage, Step
from tests import make
from tests.journeys.acting import CLOSED, SENT, Office, careloop, office
from tests.journeys.browser import browser, sign_in
from tests.journeys.clinic import Clinic, Known, furnish, running

pytestmark = pytest.mark.xdist_group("journey-referral")
CLEAN: tuple[int, object] = (0, [])


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running(tmp_path_factory.mktemp("journey") / "home", CARELOOP_SEND_SETTLING="3") as clinic:
        yield clinic


@pytest.fixture(scope="module")
def known(clinic: Clinic) -> Known:
    return furnish(clinic.parts)


@pytest.fixture(scope="module")
def desk(clinic: Clinic) -> Iterator[Office]:
    with office(clinic) as desk:
        yield desk


def broken(clinic: Clinic) -> tuple[int, object]:
    code, said = careloop(clinic, "verify")
    return code, said["violations"]


@pytest.mark.browser
def test_nadia_sends_a_referral_sees_the_answer_and_closes_it_with_a_reason(clinic: Clinic, known: Known) -> None:
    with browser() as opened:
        page = opened.new_page()
        sign_in(page, clinic.address, "Nadia Ferro-Lund")
        write_referral(page, clinic)
        page.get_by_role("link", name="Send").first.click()
        page.get_by_label("Coverage is fine").check()
        page.locator("#step form .btn-primary").click()
        await_words(page, "Get the appointment booked with Quillon Digestive Health")
        page.goto(f"{page.url.partition('?')[0]}/{Step.CLOSURE}")
        page.locator("#step [name=reason]").select_option("Treated elsewhere")
        page.locator("#step form .btn-primary").click()
        expect(page.get_by_text("Nothing left to do")).to_be_visible()
        expect(page.get_by_text("treated elsewhere").first).to_be_visible()
    assert broken(clinic) == CLEAN


def write_referral(page: Page, clinic: Clinic) -> None:
    page.goto(f"{clinic.address}/referrals/new")
    page.locator("#patient-q").fill("Vailgood")
    page.get_by_role("link", name="Vailgood").click()
    page.get_by_label("Quillon Digestive Health").check()
    page.get_by_label("Service", exact=True).fill("Endoscopy")
    page.get_by_label("Question for the specialist").fill("Please see for reflux.")
    page.get_by_label("Diagnoses").fill("K21.9")
    page.get_by_role("button", name="Start the referral").click()
    expect(page.get_by_role("heading", name="Endoscopy referral")).to_be_visible()


def await_words(page: Page, words: str, seconds: float = 60.0) -> None:
    """Looks at the page again until it says so."""
    until = time.monotonic() + seconds
    while page.get_by_text(words).count() == 0:
        assert time.monotonic() < until, page.inner_text("body")
        page.wait_for_timeout(300)
        page.goto(page.url.partition("?")[0])


def test_a_decision_posted_while_the_worker_is_dead_is_applied_once_within_five_seconds_of_its_return(
    clinic: Clinic, known: Known, desk: Office
) -> None:
    case, token = desk.open(known.terrence, known.quillon), new_id()
    clinic.kill("worker")
    first = desk.decide(case, Step.SENDING, SENT, token)
    assert first.outcome in (None, Outcome.APPLIED)
    desk.until(lambda: clinic.alive("worker"))
    assert desk.until(lambda: desk.again(token).outcome is Outcome.APPLIED, 15) < 5
    desk.until(lambda: desk.case(case).stage == Stage.SCHEDULING)
    assert desk.steps(case).count(Step.SENDING) == 1
    assert desk.counts("accepted")[desk.case(case).number] == 1


def test_a_partner_that_must_be_asked_gets_a_referral_once_although_the_sender_is_killed_meanwhile(
    clinic: Clinic, known: Known, desk: Office
) -> None:
    declare(clinic, known.quillon, repeatable=False)
    case = desk.open(known.terrence, known.quillon)
    number = desk.case(case).number
    desk.script(number, "silent", "accept")
    desk.decide(case, Step.SENDING, SENT)
    desk.until(lambda: desk.counts("deliveries").get(number) == 1)
    clinic.kill("worker")
    desk.until(lambda: desk.sent(case) and desk.case(case).stage == Stage.SCHEDULING, 90)
    declare(clinic, known.quillon, repeatable=True)
    assert (desk.counts("accepted")[number], desk.counts("deliveries")[number]) == (1, 1)
    assert desk.steps(case).count(Step.DELIVERY) <= 1


def test_whatever_is_killed_in_turn_every_referral_arrives_once_and_every_answer_counts_once(
    clinic: Clinic, known: Known, desk: Office
) -> None:
    def refer(_: int) -> UUID:
        case, token = desk.open(known.terrence, known.quillon), new_id()
        settled = desk.decide(case, Step.SENDING, SENT, token)
        while settled.outcome is None:
            settled = desk.again(token)
        assert settled.outcome is Outcome.APPLIED
        return case

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(refer, number) for number in range(8)]
        for service in ("worker", "temporal", "web"):
            time.sleep(1.0)
            clinic.kill(service)
        cases = [one.result(120) for one in waiting]
    desk.until(lambda: all(desk.case(one).stage == Stage.SCHEDULING for one in cases), 120)
    assert {desk.counts("accepted")[desk.case(one).number] for one in cases} == {1}
    for case in cases:
        assert (desk.steps(case).count(Step.SENDING), desk.steps(case).count(Step.ACCEPTANCE)) == (1, 1)


def test_killed_postgresql_comes_back_and_a_decision_is_taken_again(clinic: Clinic, known: Known, desk: Office) -> None:
    case = desk.open(known.terrence, known.quillon)
    clinic.kill("postgres")
    desk.until(lambda: taken(desk, case))
    desk.until(lambda: desk.case(case).stage == Stage.CLOSED)
    assert desk.steps(case).count(Step.CLOSURE) == 1


def test_without_the_engines_file_every_open_case_goes_on(clinic: Clinic, known: Known, desk: Office) -> None:
    cases = [desk.open(known.terrence, known.eskild) for _ in range(3)]
    for part in (clinic.home / "temporal").glob("engine.db*"):
        part.unlink()
    clinic.kill("temporal")
    desk.until(lambda: clinic.alive("temporal") and clinic.alive("worker"))
    code, counts = careloop(clinic, "reconcile")
    assert (code, counts["failed"]) == (0, 0)
    for case in cases:
        token = new_id()
        settled = desk.decide(case, Step.SENDING, SENT, token)
        desk.until(lambda token=token: desk.again(token).outcome is Outcome.APPLIED)  # type: ignore[misc]
        assert settled.outcome in (None, Outcome.APPLIED)
        assert desk.case(case).stage == Stage.SENT


def test_after_all_of_it_every_promise_holds(clinic: Clinic, known: Known, desk: Office) -> None:
    desk.until(lambda: broken(clinic) == CLEAN, 120)


def taken(desk: Office, case: UUID) -> bool:
    """Whether the store takes a decision again."""
    try:
        return desk.decide(case, Step.CLOSURE, CLOSED, case_token(case)).outcome is Outcome.APPLIED
    except Exception:  # noqa: BLE001 whatever the driver says of a server that is away
        return False


def case_token(case: UUID) -> UUID:
    """The one form that is sent again and again."""
    return UUID(int=case.int ^ 1)


def declare(clinic: Clinic, organization: UUID, *, repeatable: bool) -> None:
    with clinic.parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(update(Organization).where(Organization.id == organization).values(repeatable=repeatable))
