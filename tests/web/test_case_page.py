"""The case page on the real application: past moments, sources of its timeline, neighbours, duplicates."""

import re
from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import pytest

from infra.bootstrap import build
from tests.postgres import Cluster
from tests.web.reader import Reader, Shown

BEFORE = "2020-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def shown(cluster: Cluster) -> Iterator[Shown]:
    settings = cluster.fresh()
    parts = build(settings, 8)
    yield Shown(parts)
    parts.sessions.engine.dispose()
    cluster.drop(settings)


@pytest.fixture
def nadia(shown: Shown) -> Reader:
    return shown.as_()


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_next_action_stands_with_owner_deadline_and_the_acts_that_are_legal(nadia: Reader) -> None:
    page = text(nadia.get("/referrals/{report}").text)
    assert "Call Dr Bertrand Eskild for the report" in page
    assert "Report late" in page
    assert "Report received…" in page
    assert "Hand over" in page


def test_a_past_moment_shows_what_was_known_and_offers_no_act(nadia: Reader) -> None:
    page = nadia.get("/referrals/{report}?as_of={moment}").text
    assert "As it was on" in page
    assert "Finish" not in text(page).split("What happened")[0]
    assert 'action="/tasks/' not in page
    assert "/chase" not in page


def test_before_a_case_was_known_there_is_nothing_to_see(nadia: Reader) -> None:
    answer = nadia.get(f"/referrals/{{report}}?as_of={quote(BEFORE)}")
    assert answer.status_code == 404
    assert "did not know this case yet" in answer.text


def test_who_looked_is_told_and_the_filter_shows_nothing_else(shown: Shown) -> None:
    shown.as_("Tobias Wrenfield").get("/referrals/{closed}")
    page = text(shown.as_().get("/referrals/{closed}?show=looks").text)
    assert "Tobias Wrenfield opened this case" in page
    assert "settled the follow-ups" not in page


def test_handing_a_task_over_is_a_change_with_its_author(shown: Shown, nadia: Reader) -> None:
    page = nadia.get("/referrals/{draft}").text
    task = re.search(r'name="task" value="([^"]*)"', page)
    assert task is not None
    tobias = shown.clinic.account("Tobias Wrenfield")
    nadia.post("/tasks/assignment", task=task[1], owner=str(tobias.id), token=str(uuid4()), back="/referrals/{draft}")
    told = text(nadia.get("/referrals/{draft}?show=records").text)
    assert "Nadia Ferro-Lund handed the task to Tobias Wrenfield" in told


def test_the_timeline_answers_only_when_something_happened(nadia: Reader) -> None:
    found = re.search(r'hx-get="(/referrals/[^"]*/timeline[^"]*)"', nadia.get("/referrals/{report}").text)
    assert found is not None
    assert nadia.get(found[1]).status_code == 204
    changed = nadia.get("/referrals/{report}/timeline?seen=0.0")
    assert 'id="timeline"' in changed.text
    assert 'id="case-changes" hx-swap-oob="true"' in changed.text


def test_raw_messages_are_offered_to_those_who_may_read_them(shown: Shown, nadia: Reader) -> None:
    assert "/raw" in nadia.get("/referrals/{information}").text
    assert "/raw" not in shown.as_("Marisol Teague, RN").get("/referrals/{information}").text


def test_a_case_opened_from_a_view_knows_its_neighbours_there(nadia: Reader) -> None:
    page = nadia.get("/referrals/{report}?view=all").text
    assert "of 4 in All open" in page
    assert re.search(r'href="/referrals/[^"]*\?view=all" data-key="k"', page)


def test_a_new_referral_shows_what_is_still_open_for_the_patient(nadia: Reader) -> None:
    page = text(nadia.get("/referrals/new/{vailgood}").text)
    assert "Still open for this patient" in page
    assert "Gastroenterology referral" in page


def test_a_second_referral_for_the_same_service_needs_a_second_word(nadia: Reader) -> None:
    form = {
        "token": str(uuid4()),
        "performer_id": str(nadia.clinic.partners["quillon"]),
        "service": "gastroenterology",
        "question": "Again?",
    }
    refused = nadia.post("/referrals/new/{vailgood}", **form)
    assert refused.status_code == 409
    assert "still open" in refused.text
    assert 'name="second" value="yes"' in refused.text


def test_the_list_of_referrals_is_narrowed_by_the_address_and_never_by_a_name(nadia: Reader) -> None:
    page = nadia.get("/referrals?stage=seen&partner={eskild}").text
    assert "Straatmann, Wilhelm" in page
    assert "Vailgood" not in page
    assert nadia.get("/referrals?view=closed").text.count("<tr ") == 1


def test_referrals_are_counted_by_specialist_with_missing_reports(nadia: Reader) -> None:
    page = text(nadia.get("/referrals/partners").text)
    assert "1 referral with Dr Bertrand Eskild" in page
    assert "1 report missing" in page
