import pytest
from flask import Blueprint

from tests.web.clinic import Clock, WebClinic
from web.access import UnguardedView

HTMX = {"HX_Request": "true"}


def test_a_view_that_names_no_permission_keeps_the_application_from_starting(clinic: WebClinic) -> None:
    views = Blueprint("open", __name__)
    views.add_url_rule("/open", "door", lambda: "anybody")

    with pytest.raises(UnguardedView, match=r"open\.door"):
        clinic.build([views])


def test_a_short_signing_key_keeps_the_application_from_starting(clinic: WebClinic) -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        clinic.build([], secret_key=b"short")


def test_nobody_is_let_in_without_signing_in(clinic: WebClinic) -> None:
    browser = clinic.browser()

    assert browser.get("/").headers["Location"] == "/sign-in?next=/"
    assert browser.post("/notes", {"note": "x"}).status_code == 401
    assert browser.get("/", **HTMX).status_code == 401


def test_a_role_without_the_permission_is_told_which_role_has_it(clinic: WebClinic) -> None:
    answer = clinic.signed_in("nadia.ferro-lund").get("/decisions")

    assert answer.status_code == 403
    assert "clinician, medical director" in answer.text


def test_the_role_with_the_permission_is_let_in(clinic: WebClinic) -> None:
    assert clinic.signed_in("ifeoma.oyelaran").get("/decisions").text == "decisions"


def test_each_person_speaks_for_her_own_clinic_only(clinic: WebClinic) -> None:
    assert clinic.signed_in("lettie.marchbank").get("/").text == "home of Lettie Marchbank at heronfield"


def test_a_form_with_its_token_is_taken_and_one_without_is_refused(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")

    assert browser.post("/notes", {"note": "called", "csrf_token": browser.token()}).status_code == 200
    assert browser.post("/notes", {"note": "called"}).status_code == 400
    assert browser.post("/notes", {"note": "called", "csrf_token": "forged"}).status_code == 400
    assert browser.post("/notes", {"note": "called"}, X_CSRFToken=browser.token()).status_code == 200


def test_a_form_token_of_somebody_else_is_refused(clinic: WebClinic) -> None:
    stolen = clinic.signed_in("tobias.wrenfield").token()
    answer = clinic.signed_in("nadia.ferro-lund").post("/notes", {"note": "x", "csrf_token": stolen})

    assert answer.status_code == 400
    assert "opened by somebody else" in answer.text


def test_a_form_sent_by_another_site_is_refused_even_with_a_good_token(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    form = {"note": "x", "csrf_token": browser.token()}

    assert browser.post("/notes", form, Sec_Fetch_Site="cross-site").status_code == 403
    assert browser.post("/notes", form, Sec_Fetch_Site="same-site").status_code == 403
    assert browser.post("/notes", form, Sec_Fetch_Site="same-origin").status_code == 200


def test_htmx_is_told_to_leave_the_form_alone_when_the_session_ran_out(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    token = browser.token()
    clock.pass_by(minutes=16)

    answer = browser.post("/notes", {"note": "long text", "csrf_token": token}, **HTMX)

    assert answer.status_code == 401 and answer.text == ""
    assert answer.headers["HX-Reswap"] == "none"
    assert answer.headers["X-Careloop-Sign-In"] == "/login/again"


def test_the_same_form_is_taken_after_signing_in_again(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    form = {"note": "long text", "csrf_token": browser.token()}
    clock.pass_by(minutes=16)
    assert browser.post("/notes", form, **HTMX).status_code == 401

    done = browser.get(browser.to_callback("", "/login/again"))

    assert done.status_code == 200 and "data-signed-in" in done.text
    assert browser.post("/notes", form, **HTMX).text == "Nadia Ferro-Lund wrote long text"


def test_a_plain_form_comes_back_whole_in_the_page_that_asks_to_sign_in(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    clock.pass_by(minutes=16)

    answer = browser.post("/notes?step=2", {"note": 'she said "ow" <now>', "more": ["a", "b"]})

    assert answer.status_code == 401
    assert 'action="/notes?step=2"' in answer.text
    assert 'name="note" value="she said &#34;ow&#34; &lt;now&gt;"' in answer.text
    assert 'value="a"' in answer.text and 'value="b"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_that_came_back_never_carries_a_new_form_token(clinic: WebClinic) -> None:
    """Otherwise another site could post a form of its own making and have it sent with one click."""
    answer = clinic.browser().post("/notes", {"note": "planted"})

    assert answer.status_code == 401
    assert "csrf_token" not in answer.text


def test_a_form_too_large_to_carry_says_so(clinic: WebClinic) -> None:
    answer = clinic.browser().post("/notes", {"note": "x" * 300_000})

    assert answer.status_code == 401
    assert "too large to carry along" in answer.text and "x" * 1000 not in answer.text


def test_only_the_person_whose_page_waits_may_sign_in_over_it(clinic: WebClinic, clock: Clock) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    clock.pass_by(minutes=16)
    begun = browser.get("/login/again").headers["Location"]

    answer = browser.get(clinic.provider.answer(begun.replace("nadia.ferro-lund", "tobias.wrenfield")))

    assert answer.status_code == 409
    assert "belongs to somebody else" in answer.text
    assert browser.get("/").status_code == 303


def test_what_a_page_shows_is_recorded_with_who_looked(clinic: WebClinic) -> None:
    assert clinic.signed_in("nadia.ferro-lund").get("/looked").text == "looked"


def test_every_answer_carries_the_strict_headers(clinic: WebClinic) -> None:
    browser = clinic.signed_in("nadia.ferro-lund")
    for address in ("/", "/sign-in", "/nowhere", "/healthz", "/crash"):
        headers = browser.get(address).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in headers


def test_static_files_have_an_address_by_content_and_are_kept_for_ever(clinic: WebClinic) -> None:
    browser = clinic.browser()
    with clinic.app.test_request_context():
        address = clinic.app.url_for("static", filename="app/session.js")
    answer = browser.get(address)

    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert browser.get(address.replace("session.js", "no.js")).status_code == 404
    assert browser.get("/static/app/session.js").status_code == 404


def test_files_beside_the_static_folder_are_out_of_reach(clinic: WebClinic) -> None:
    with clinic.app.test_request_context():
        address = clinic.app.url_for("static", filename="app")
    for path in (f"{address}/../../app.py", f"{address}/..%2f..%2fapp.py", f"{address}//etc/passwd"):
        assert "create_app" not in clinic.browser().get(path).text
