"""Each page of the gallery is free of accessibility findings and of anything the security policy refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, sync_playwright

from tests.pages.gallery import PAGES, served

CHROMIUM = Path("/usr/bin/chromium")
SHAPES = {"desktop": (1440, 900), "phone": (390, 844)}
CHECKED = sorted(set(PAGES) - {"queue", "queue-plain"})  # axe needs long for many rows; queue-short has the same parts
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as at:
        yield at


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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CHECKED)
def test_a_page_has_no_accessibility_finding(address: str, browser: Browser, name: str, shape: str, theme: str) -> None:
    width, height = SHAPES[shape]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = context.new_page()
    page.goto(f"{address}/{name}")
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    said = found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert found.violations_count == 0, said
    assert wide <= width, f"{wide} px wide on a screen of {width}"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_obeys_the_security_policy(address: str, browser: Browser, name: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/{name}")
    page.wait_for_load_state("load")
    context.close()
    assert complaints == []


def test_rows_are_moved_and_selected_by_keys(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/queue-plain")
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    chosen = page.locator("[data-selected]").inner_text()
    name = page.locator("[data-current]").get_attribute("data-name")
    page.keyboard.press("Escape")
    left = page.locator("[data-select]:checked").count()
    context.close()
    assert (chosen, name, left) == ("1 selected", "Trevann, Phuong-Linh", 0)


def test_keys_stay_quiet_in_a_field_and_when_switched_off(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/queue-plain")
    page.keyboard.press("/")
    page.keyboard.type("jx?")
    typed = page.locator("input[name=q]").input_value()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    moved = page.locator("[data-current]").count()
    context.close()
    assert (typed, moved) == ("jx?", 0)


def test_the_list_of_keys_has_no_accessibility_finding(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}/queue-short")
    page.keyboard.press("?")
    focused = page.evaluate("document.activeElement.ariaLabel")
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    said = found.generate_report()
    context.close()
    assert (focused, found.violations_count) == ("Close", 0), said


def test_a_refused_form_puts_the_focus_on_the_first_wrong_field(address: str, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/case-form")
    page.wait_for_function("document.activeElement.name === 'caller'")
    context.close()
