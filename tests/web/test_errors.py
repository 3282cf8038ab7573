import json
import logging
import re

import pytest
from flask import Blueprint, Response, request
from werkzeug.exceptions import Conflict, HTTPException, abort

from tests.web.clinic import WebClinic
from web.access import public
from web.errors import PAGES, speak


@pytest.mark.parametrize("code", sorted(PAGES))
def test_every_refusal_says_what_happened_what_is_safe_and_an_id(clinic: WebClinic, code: int) -> None:
    views = Blueprint("refusing", __name__)

    @views.get("/refuse")
    @public
    def refuse() -> str:
        abort(code)

    answer = clinic.browser(clinic.build([views])).get("/refuse")

    assert answer.status_code == code
    assert "<h1>" in answer.text and "What is safe" in answer.text
    assert re.search(r"E-[2-9A-Z]{8}", answer.text)


@pytest.mark.parametrize("code", sorted(PAGES))
def test_no_page_uses_a_word_that_is_never_shown(code: int) -> None:
    page = PAGES[code]
    words = " ".join((page.title, page.happened, *(part for row in page.rows for part in row))).lower()

    assert not re.search(r"\binvalid\b|error occurred|\bn/a\b|csrf|http", words)


def test_a_mistake_of_ours_shows_and_logs_no_patient(clinic: WebClinic, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = clinic.browser().get("/crash")

    assert answer.status_code == 500
    assert "Achterbeek" not in answer.text and "Achterbeek" not in caplog.text
    (record,) = [one for one in caplog.records if one.name == "careloop.web"]
    said = json.dumps(record.__dict__, default=str)
    assert "Achterbeek" not in said and "RuntimeError" in said
    assert str(record.__dict__["error_id"]) in answer.text


def test_a_views_own_words_take_the_place_of_the_general_ones(clinic: WebClinic) -> None:
    views = Blueprint("racing", __name__)

    @views.get("/race")
    @public
    def race() -> str:
        raise Conflict("Lettie Marchbank accepted this referral at 10:41 AM.")

    answer = clinic.browser(clinic.build([views])).get("/race")

    assert answer.status_code == 409
    assert "Lettie Marchbank accepted this referral at 10:41 AM." in answer.text


def test_htmx_gets_a_card_and_not_a_whole_page(clinic: WebClinic) -> None:
    answer = clinic.browser().get("/nowhere", HX_Request="true")

    assert answer.status_code == 404
    assert "<html" not in answer.text and 'role="alert"' in answer.text


def test_a_door_answers_refusals_in_its_own_language_also_for_unknown_addresses(clinic: WebClinic) -> None:
    app = clinic.build([])

    def outcome(refusal: HTTPException) -> Response:
        return Response(f'{{"resourceType":"OperationOutcome","code":{refusal.code}}}', refusal.code)

    speak(app, "/fhir", outcome)
    browser = clinic.browser(app)

    assert browser.get("/fhir/Nothing").get_json(force=True) == {"resourceType": "OperationOutcome", "code": 404}
    assert "OperationOutcome" not in browser.get("/fhirs").text


def test_the_provider_being_away_is_said_and_is_no_mistake_of_ours(clinic: WebClinic) -> None:
    app = clinic.build([], issuer="http://127.0.0.1:9")

    answer = clinic.browser(app).get("/login")

    assert answer.status_code == 503
    assert "Your identity provider does not answer" in answer.text


def test_another_issuers_discovery_is_not_believed(clinic: WebClinic) -> None:
    """Mix-up: metadata must speak for the issuer it was asked for."""
    alias = clinic.provider.issuer.replace("127.0.0.1", "localhost")

    assert clinic.browser(clinic.build([], issuer=alias)).get("/login").status_code == 503


def test_forwarded_addresses_are_believed_only_when_a_proxy_is_set(clinic: WebClinic) -> None:
    views = Blueprint("asking", __name__)

    @views.get("/from")
    @public
    def origin() -> str:
        return str(request.remote_addr)

    plain = clinic.browser(clinic.build([views]))
    behind = clinic.browser(clinic.build([views], proxies=1))

    assert plain.get("/from", X_Forwarded_For="203.0.113.9").text == "127.0.0.1"
    assert behind.get("/from", X_Forwarded_For="203.0.113.9").text == "203.0.113.9"
