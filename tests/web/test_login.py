from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, text

from activities.records.audit_event import AuditEvent
from activities.records.sessions import Context
from activities.records.web_session import WebSession, digest
from tests.web.clinic import Clock, WebClinic
from web.login import safe_path


def test_a_person_of_the_cast_signs_in_with_one_click_and_no_password(clinic: WebClinic) -> None:
    browser = clinic.browser()

    answer = browser.sign_in("nadia.ferro-lund")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert browser.get("/").text == "home of Nadia Ferro-Lund at larkmoor"


def test_after_sign_in_the_page_that_was_asked_for_opens(clinic: WebClinic) -> None:
    browser = clinic.browser()
    refused = browser.get("/decisions?view=mine")

    assert refused.status_code == 303
    asked = parse_qs(urlsplit(refused.headers["Location"]).query)["next"][0]
    assert browser.sign_in("ifeoma.oyelaran", next=asked).headers["Location"] == "/decisions?view=mine"


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb", ""])
def test_sign_in_never_sends_anybody_elsewhere(path: str) -> None:
    assert safe_path(path) == "/"


def test_the_request_to_the_provider_carries_pkce_nonce_and_state_and_the_cookie_keeps_them(clinic: WebClinic) -> None:
    browser = clinic.browser()
    begun = browser.get("/login?hint=nadia.ferro-lund")
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge", "redirect_uri"} <= asked.keys()
    assert asked["redirect_uri"] == ["http://127.0.0.1:1/login/callback"]
    kept = begun.headers["Set-Cookie"]
    assert "HttpOnly" in kept and "SameSite=Lax" in kept and "Max-Age=600" in kept and "Path=/login" in kept


def test_an_answer_with_a_forged_state_is_refused(clinic: WebClinic) -> None:
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")
    state = parse_qs(urlsplit(callback).query)["state"][0]

    assert browser.get(callback.replace(state, "x" * len(state))).status_code == 400
    assert browser.get("/").status_code == 303


def test_an_answer_brought_to_another_browser_is_refused(clinic: WebClinic) -> None:
    callback = clinic.browser().to_callback("nadia.ferro-lund")

    assert clinic.browser().get(callback).status_code == 400


def test_an_answer_cannot_be_used_twice(clinic: WebClinic) -> None:
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")

    assert browser.get(callback).status_code == 303
    assert browser.get(callback).status_code == 400


def test_a_code_cannot_be_used_twice_even_with_the_cookie_kept(clinic: WebClinic) -> None:
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")
    kept = browser.cookies()
    browser.get(callback)
    for name, value in kept.items():
        browser.client.set_cookie(name, value, path="/login")

    assert browser.get(callback).status_code == 403


def test_a_forged_code_is_refused(clinic: WebClinic) -> None:
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")
    code = parse_qs(urlsplit(callback).query)["code"][0]

    assert browser.get(callback.replace(code, "forged")).status_code == 403


def test_a_code_given_for_another_attempt_is_refused(clinic: WebClinic) -> None:
    """PKCE: the code of one browser's attempt is worthless with another attempt's verifier."""
    stolen = parse_qs(urlsplit(clinic.browser().to_callback("ifeoma.oyelaran")).query)["code"][0]
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")
    code = parse_qs(urlsplit(callback).query)["code"][0]

    assert browser.get(callback.replace(code, stolen)).status_code == 403


def test_a_sign_in_that_took_too_long_is_refused(clinic: WebClinic) -> None:
    slow = clinic.browser(clinic.build([], sign_in_within=timedelta(seconds=-1)))
    begun = slow.get("/login?hint=nadia.ferro-lund")

    assert slow.get(clinic.provider.answer(begun.headers["Location"])).status_code == 400


def test_a_cookie_of_a_sign_in_is_worthless_when_altered(clinic: WebClinic) -> None:
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")
    ((name, value),) = browser.cookies().items()
    browser.client.set_cookie(name, value[:-2] + "xx", path="/login")

    assert browser.get(callback).status_code == 400


def test_stopping_at_the_provider_signs_nobody_in(clinic: WebClinic) -> None:
    browser = clinic.browser()
    callback = browser.to_callback("nadia.ferro-lund")
    state = parse_qs(urlsplit(callback).query)["state"][0]

    answer = browser.get(f"/login/callback?error=access_denied&state={state}")

    assert answer.status_code == 403
    assert "did not sign you in" in answer.text


def test_somebody_without_an_account_is_told_whom_to_ask(clinic: WebClinic) -> None:
    with clinic.parts.sessions.platform() as session:
        session.execute(text("update account set subject = 'moved' where subject = 'nadia.ferro-lund'"))

    answer = clinic.browser().sign_in("nadia.ferro-lund")

    assert answer.status_code == 403
    assert "nadia.ferro-lund@larkmoor.example is not known" in answer.text
    assert "Ask whoever looks after accounts" in answer.text
    assert "careloop_t3st=" not in str(answer.headers)


def test_an_account_that_is_switched_off_is_out_at_once_and_stays_out(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    with clinic.parts.sessions.platform() as session:
        session.execute(text("update account set active = false where subject = 'nadia.ferro-lund'"))

    assert browser.get("/").status_code == 303
    assert "switched off" in browser.sign_in("nadia.ferro-lund").text


def test_the_store_holds_no_token_that_signs_anybody_in(clinic: WebClinic) -> None:
    token = clinic.signed_in("nadia.ferro-lund").cookie()

    with clinic.parts.sessions.platform() as session:
        (row,) = session.scalars(select(WebSession)).all()

    assert row.id == digest(token) and len(row.id) == 32
    assert len(token) >= 43
    assert row.acr == "urn:careloop:acr:development" and row.sid and row.auth_time


def test_a_token_planted_before_sign_in_is_worthless_after_it(clinic: WebClinic) -> None:
    browser = clinic.browser()
    browser.client.set_cookie("careloop_t3st", "planted")
    browser.sign_in("nadia.ferro-lund")

    assert browser.cookie() != "planted"
    other = clinic.browser()
    other.client.set_cookie("careloop_t3st", "planted")
    assert other.get("/").status_code == 303


def test_signing_in_again_gives_a_new_token_and_ends_the_old_one(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    old = browser.cookie()
    browser.sign_in("nadia.ferro-lund")
    other = clinic.browser()
    other.client.set_cookie("careloop_t3st", old)

    assert browser.cookie() != old
    assert other.get("/").status_code == 303


def test_a_session_ends_after_fifteen_idle_minutes(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    clock.pass_by(minutes=14)
    assert browser.get("/").status_code == 200
    clock.pass_by(minutes=14)
    assert browser.get("/").status_code == 200
    clock.pass_by(minutes=15)
    assert browser.get("/").status_code == 303


def test_a_session_ends_after_ten_hours_however_busy(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    for _ in range(59):
        clock.pass_by(minutes=10)
        assert browser.get("/").status_code == 200
    clock.pass_by(minutes=10)
    assert browser.get("/").status_code == 303


def test_requests_a_page_makes_by_itself_are_no_activity(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    for _ in range(3):
        clock.pass_by(minutes=4)
        assert browser.get("/", X_Careloop_Background="1").status_code == 200
        assert browser.get("/stream").status_code == 200
        assert browser.get("/session").status_code == 204
    clock.pass_by(minutes=3)
    assert browser.get("/session", X_Careloop_Background="1").status_code == 401


def test_activity_is_written_at_most_once_a_minute(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    began = clock.now
    clock.pass_by(seconds=59)
    browser.get("/")
    assert _seen_at(clinic) == began
    clock.pass_by(seconds=1)
    browser.get("/")
    assert _seen_at(clinic) == clock.now


def test_signing_out_ends_the_session_here_and_goes_on_to_the_provider(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    token = browser.cookie()

    answer = browser.post("/logout", {"csrf_token": browser.token()})

    assert answer.headers["Location"].startswith(f"{clinic.provider.issuer}/end-session?")
    back = httpx.get(answer.headers["Location"])
    assert back.headers["Location"] == "http://127.0.0.1:1/sign-in"
    other = clinic.browser()
    other.client.set_cookie("careloop_t3st", token)
    assert other.get("/").status_code == 303


def test_signing_out_from_another_site_is_refused(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")

    assert browser.post("/logout", {}).status_code == 400
    assert browser.get("/").status_code == 200


def test_signing_in_and_out_are_on_the_audit_of_the_clinic(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    browser.get("/looked")
    browser.post("/logout", {"csrf_token": browser.token()})
    account = str(clinic.people["nadia.ferro-lund"].account_id)

    with clinic.parts.sessions.begin(Context("larkmoor", "system")) as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.recorded_at)).all()

    assert [(one.actor, one.action, one.detail.get("step")) for one in events] == [
        (account, "E", "sign-in"),
        (account, "R", None),
        (account, "E", "sign-out"),
    ]


def test_the_cookie_is_http_only_lax_and_on_https_secure_and_host_bound(clinic: WebClinic) -> None:
    header = clinic.browser().sign_in("nadia.ferro-lund").headers.getlist("Set-Cookie")[-1]
    secure = replace(clinic.settings, public_url="https://careloop.example")

    assert "HttpOnly" in header and "SameSite=Lax" in header and "Path=/" in header and "Secure" not in header
    assert secure.secure and secure.session_cookie == "__Host-careloop_t3st"


def test_the_sign_in_page_lists_people_by_clinic_in_development_only(clinic: WebClinic) -> None:
    development = clinic.browser(clinic.build([], development=True)).get("/sign-in").text
    production = clinic.browser().get("/sign-in").text

    assert development.index("Larkmoor Family Medicine</h3>") < development.index("Nadia Ferro-Lund")
    assert development.index("Heronfield Specialty Associates</h3>") < development.index("Lettie Marchbank")
    assert "/login?hint=lettie.marchbank" in development and "Never enter real data" in development
    assert "Ferro-Lund" not in production and "Never enter real data" not in production


def test_too_many_sign_ins_from_one_address_must_wait(clinic: WebClinic) -> None:
    browser = clinic.browser()
    answers = [browser.get("/login/callback?state=x").status_code for _ in range(61)]

    assert set(answers[:60]) == {400} and answers[60] == 429
    other_process = clinic.browser(clinic.build([]))
    assert other_process.get("/login/callback?state=x").status_code == 429


def _seen_at(clinic: WebClinic) -> object:
    with clinic.parts.sessions.platform() as session:
        return session.scalars(select(WebSession.seen_at)).one()
