"""A session that ran out, in a real browser: nothing typed is lost, under the strict policy and the real provider."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint, render_template_string
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from rules.access import Permission
from tests.postgres import free_port
from tests.web.clinic import Clock, WebClinic, probe
from web.access import requires

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><head><title>Two forms</title>
<meta name="htmx-config" content='{"includeIndicatorCSS": false}'>
<script src="{{ url_for('static', filename='vendor/htmx.min.js') }}" defer></script>
<script src="{{ url_for('static', filename='app/session.js') }}" type="module"></script>
</head><body class="cl-frame" hx-headers:inherited='{"X-CSRFToken": "{{ csrf_token() }}"}'>
<form method="post" action="/notes"><input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
<label>Plain <textarea name="note"></textarea></label><button>Send</button></form>
<form hx-post="/notes" hx-target="#out"><label>Live <input name="note"></label><button>Save</button></form>
<p id="out"></p></body></html>"""


def pages() -> Blueprint:
    views = Blueprint("pages", __name__)

    @views.get("/two-forms")
    @requires(Permission.SESSION)
    def two_forms() -> str:
        return render_template_string(PAGE)

    return views


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail("no browser to look with: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def address(clinic: WebClinic) -> Iterator[str]:
    port = free_port()
    at = f"http://127.0.0.1:{port}"
    server = make_server("127.0.0.1", port, clinic.build([probe(), pages()], public_url=at, development=True), True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield at
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}/sign-in?next=/two-forms")
    page.get_by_role("link", name="Nadia Ferro-Lund").click()
    page.wait_for_url(f"{address}/two-forms")
    return page


def sign_in_over(context: BrowserContext, page: Page) -> None:
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")


def test_a_plain_form_waits_for_sign_in_and_is_then_sent_as_it_was(
    context: BrowserContext, page: Page, clock: Clock
) -> None:
    page.get_by_label("Plain").fill("a long\nstory")
    clock.pass_by(minutes=16)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_contain_text("What you typed is still here")
    assert page.get_by_label("Plain").input_value() == "a long\nstory"

    sign_in_over(context, page)

    expect(page.locator("body")).to_have_text("Nadia Ferro-Lund wrote a long story")


def test_an_htmx_form_waits_for_sign_in_and_the_same_request_goes_again(
    context: BrowserContext, page: Page, clock: Clock
) -> None:
    page.get_by_label("Live").fill("called twice")
    clock.pass_by(minutes=16)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("#out")).to_be_empty()

    sign_in_over(context, page)

    expect(page.locator("#out")).to_have_text("Nadia Ferro-Lund wrote called twice")
    assert page.get_by_label("Live").input_value() == "called twice"
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_form_of_a_live_session_is_sent_without_a_question(page: Page) -> None:
    page.get_by_label("Plain").fill("quick")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("body")).to_have_text("Nadia Ferro-Lund wrote quick")


def test_without_scripts_the_form_comes_back_and_is_sent_after_signing_in(
    browser: Browser, address: str, clock: Clock
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/sign-in?next=/two-forms")
    page.get_by_role("link", name="Nadia Ferro-Lund").click()
    page.get_by_label("Plain").fill("no scripts here")
    clock.pass_by(minutes=16)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to send this")

    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in, in a new window").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("You are signed in")
    page.get_by_role("button", name="Send it now").click()

    expect(page.locator("body")).to_have_text("Nadia Ferro-Lund wrote no scripts here")
    context.close()


def test_a_page_left_alone_covers_itself_and_keeps_nothing_in_the_browser(page: Page, clock: Clock) -> None:
    clock.pass_by(minutes=16)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_signing_out_ends_at_the_sign_in_page_by_way_of_the_provider(page: Page, address: str) -> None:
    token = page.locator("input[name=csrf_token]").get_attribute("value")
    page.evaluate(
        """token => {
          const form = Object.assign(document.createElement("form"), { method: "post", action: "/logout" });
          form.append(Object.assign(document.createElement("input"), { name: "csrf_token", value: token }));
          document.body.append(form);
          form.requestSubmit();
        }""",
        token,
    )
    page.wait_for_url(f"{address}/sign-in")
    page.goto(f"{address}/two-forms")

    assert page.url == f"{address}/sign-in?next=/two-forms"
