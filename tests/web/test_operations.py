"""Operations on the real application: ledgers that balance, what stopped, raw bytes on the audit, and going on."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from activities.records.decision import Decision, Outcome
from activities.records.message_log import MessageLog, MessageState
from infra.bootstrap import build
from tests import make
from tests.postgres import Cluster
from tests.web.reader import Reader, Shown
from tests.web.test_case_page import text


@pytest.fixture
def shown(cluster: Cluster) -> Iterator[Shown]:
    settings = cluster.fresh()
    parts = build(settings, 8)
    yield Shown(parts)
    parts.sessions.engine.dispose()
    cluster.drop(settings)


@pytest.fixture
def rune(shown: Shown) -> Reader:
    return shown.as_("Rune Castellane")


def message(shown: Shown) -> MessageLog:
    with shown.parts.sessions.begin(make.LARKMOOR) as session:
        return session.get_one(MessageLog, shown.clinic.message)


def park(shown: Shown) -> UUID:
    """A decision that could not be applied."""
    identity = UUID(make.opening(shown.parts, make.content(*_ids(shown))))
    with shown.parts.sessions.begin(make.LARKMOOR) as session:
        row = session.get_one(Decision, identity)
        row.outcome, row.answer = Outcome.PARKED, "The process could not apply it."
    return identity


def _ids(shown: Shown) -> tuple[UUID, UUID]:
    return shown.clinic.patients["vailgood"], shown.clinic.partners["quillon"]


def test_a_ledger_balances_and_each_number_leads_to_its_list(rune: Reader) -> None:
    page = rune.get("/operations?period=30").text
    assert "The ledger balances" in page
    assert "Needs a person" in page
    assert "state=waiting" in page
    listed = text(rune.get("/operations/messages?partner={quillon}&way=in&state=waiting").text)
    assert "Answer to a referral" in listed
    assert "1 message" in listed


def test_what_stopped_is_shown_with_its_cause_and_a_way_on(shown: Shown, rune: Reader) -> None:
    park(shown)
    page = text(rune.get("/operations").text)
    assert "The Task has no status." in page
    assert "The process could not apply it." in page
    assert page.count("Retry") >= 2


def test_where_cases_wait_is_told_in_numbers(rune: Reader) -> None:
    page = text(rune.get("/operations").text)
    assert "Report due" in page
    assert "1 · 19.0 / 19.0" in page
    assert "open cases without a next action, owner and deadline" in page


def test_raw_bytes_are_for_those_who_may_read_them_and_each_reading_is_audited(shown: Shown, rune: Reader) -> None:
    answer = rune.get("/messages/{message}/raw")
    assert answer.text == '{"resourceType": "Task"}'
    assert answer.mimetype == "text/plain"
    read = [one for one in shown.audited("MessageLog") if one.detail.get("raw")]
    assert [one.entity_id for one in read] == [str(shown.clinic.message)]
    assert shown.as_("Marisol Teague, RN").get("/messages/{message}/raw").status_code == 403


def test_a_waiting_message_takes_its_place_in_line_again(shown: Shown, rune: Reader) -> None:
    assert rune.post("/messages/{message}/replay").headers["Location"] == "/operations?done=filed"
    assert message(shown).state == MessageState.RECEIVED
    assert rune.post("/messages/{message}/replay").headers["Location"] == "/operations?done=filed"


def test_a_message_is_rejected_with_a_reason_only(shown: Shown, rune: Reader) -> None:
    assert rune.post("/messages/{message}/rejection", reason=" ").status_code == 422
    rune.post("/messages/{message}/rejection", reason="Sent to the wrong clinic")
    row = message(shown)
    assert (row.state, row.detail) == (MessageState.REJECTED, "Sent to the wrong clinic")
    assert rune.post("/messages/{message}/replay").headers["Location"] == "/operations?done=gone"


def test_a_parked_decision_is_handed_over_again_under_its_own_id(shown: Shown, rune: Reader) -> None:
    parked = park(shown)
    answer = rune.post(f"/operations/decisions/{parked}/replay")
    assert answer.headers["Location"] == "/operations?done=pending"
    assert "the engine has not answered yet" in rune.get("/operations?done=pending").text
    with shown.parts.sessions.begin(make.LARKMOOR) as session:
        assert session.get_one(Decision, parked).outcome is None


def test_the_engine_that_does_not_answer_is_said_so(rune: Reader) -> None:
    assert "Does not answer" in rune.get("/operations").text


def test_who_may_only_read_gets_no_way_to_act(shown: Shown) -> None:
    director = shown.as_("Prisca Lindqvar, MD")
    assert "Retry" not in director.get("/operations").text
    assert director.post("/messages/{message}/replay").status_code == 403
