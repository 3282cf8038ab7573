"""Every page of the real application, over a real store, in both sizes: no accessibility finding, nothing too wide."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from infra.bootstrap import build
from tests.journeys.browser import browser as opened
from tests.pages.real_clinic import RealClinic, served
from tests.postgres import Cluster

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHAPES = {"desktop": (1440, 900, "light"), "phone": (390, 844, "dark")}
COORDINATOR, IT = "Nadia Ferro-Lund", "Rune Castellane"
PAGES = {
    "queue": (COORDINATOR, "/queue?view=all"),
    "empty queue": (COORDINATOR, "/queue?view=no-shows"),
    "case": (COORDINATOR, "/referrals/{report}?view=all"),
    "case with a form": (COORDINATOR, "/referrals/{report}/chase?view=all"),
    "case as of a moment": (COORDINATOR, "/referrals/{draft}?as_of={moment}"),
    "closed case": (COORDINATOR, "/referrals/{closed}"),
    "new referral": (COORDINATOR, "/referrals/new/{vailgood}"),
    "referrals": (COORDINATOR, "/referrals"),
    "referrals by specialist": (COORDINATOR, "/referrals/partners"),
    "patients": (COORDINATOR, "/patients"),
    "patient": (COORDINATOR, "/patients/{straatmann}"),
    "partners": (COORDINATOR, "/partners"),
    "partner": (COORDINATOR, "/partners/{quillon}"),
    "partner's entry": (COORDINATOR, "/partners/{quillon}/entry"),
    "call sheet": (COORDINATOR, "/partners/{eskild}/calls"),
    "operations": (IT, "/operations?period=30"),
    "messages": (IT, "/operations/messages"),
    "message": (IT, "/messages/{message}"),
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def clinic(cluster: Cluster) -> Iterator[RealClinic]:
    settings = cluster.fresh()
    parts = build(settings, 12)
    with served(parts) as clinic:
        yield clinic
    parts.sessions.engine.dispose()
    cluster.drop(settings)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as browser:
        yield browser


@pytest.fixture
def page(clinic: RealClinic, browser: Browser) -> Iterator[Page]:
    """The coordinator's page at a desk."""
    with_page = open_page(clinic, browser, COORDINATOR, "desktop")
    yield with_page
    with_page.context.close()


def open_page(clinic: RealClinic, browser: Browser, who: str, shape: str) -> Page:
    width, height, theme = SHAPES[shape]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    clinic.sign_in(context, who)
    page = context.new_page()
    page.set_default_timeout(8000)
    return page


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_accessibility_finding_and_obeys_the_security_policy(
    clinic: RealClinic, browser: Browser, name: str, shape: str
) -> None:
    who, address = PAGES[name]
    page = open_page(clinic, browser, who, shape)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = page.goto(clinic.address + clinic.told(address))
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    said, wide = found.generate_report(), page.evaluate("document.documentElement.scrollWidth")
    page.context.close()
    assert answer is not None and answer.status == 200, address
    assert found.violations_count == 0, said
    assert wide <= SHAPES[shape][0], f"{wide} px wide"
    assert complaints == [], "the security policy refuses something"


def test_a_search_finds_a_patient_with_her_open_case_and_leaves_the_address_alone(
    clinic: RealClinic, page: Page
) -> None:
    page.goto(f"{clinic.address}/queue")
    page.keyboard.press("/")
    page.keyboard.type("straatm")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Straatmann, Wilhelm").wait_for()
    assert page.url == f"{clinic.address}/patients/search"
    assert page.get_by_text("Call Dr Bertrand Eskild for the report").is_visible()
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


def test_keys_claim_a_row_and_undo_gives_it_back(clinic: RealClinic, page: Page) -> None:
    page.goto(f"{clinic.address}/queue?view=all")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.get_by_text("claimed").wait_for()
    assert page.locator("tbody tr").first.get_by_text("Nadia F.").is_visible()
    page.keyboard.press("z")
    page.get_by_text("claimed").wait_for(state="detached")
    assert page.locator("tbody tr").first.get_by_text("Unassigned").is_visible()


def test_a_message_is_read_as_it_came_when_somebody_opens_it(clinic: RealClinic, page: Page) -> None:
    page.goto(f"{clinic.address}/referrals/{clinic.cases['information']}")
    page.locator("details.cl-raw summary").first.click()
    page.get_by_text('{"resourceType": "Task"}').wait_for()


def test_complete_opens_the_form_that_asks(clinic: RealClinic, page: Page) -> None:
    page.goto(f"{clinic.address}/queue?view=reports")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.locator("#step form").wait_for()
    assert "/chase" in page.url or "/report" in page.url


def test_a_row_that_a_colleague_takes_is_marked_where_it_stands(
    clinic: RealClinic, browser: Browser, page: Page
) -> None:
    page.goto(f"{clinic.address}/queue?view=all")
    page.locator('#live[data-state="live"]').wait_for()
    order = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    other = open_page(clinic, browser, "Tobias Wrenfield", "desktop")
    other.goto(f"{clinic.address}/queue?view=all")
    other.keyboard.press("j")
    other.keyboard.press("c")
    other.get_by_text("claimed").wait_for()
    page.get_by_text("taken by Tobias W.").wait_for()
    assert page.get_by_role("link", name="1 changed: show").is_visible()
    assert page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.id)") == order
    other.keyboard.press("z")
    other.get_by_text("claimed").wait_for(state="detached")
    other.context.close()


def test_a_page_without_a_place_for_its_stream_asks_by_itself(clinic: RealClinic, page: Page) -> None:
    page.route("**/live", lambda route: route.fulfill(status=503, body=""))
    page.goto(f"{clinic.address}/queue?view=all")
    with page.expect_response("**/queue/changes*"):
        page.locator('#live[data-state="live"]').wait_for()


def test_a_case_says_that_it_changed_while_it_was_open(clinic: RealClinic, browser: Browser, page: Page) -> None:
    page.goto(f"{clinic.address}/referrals/{clinic.cases['declined']}")
    page.locator('#live[data-state="live"]').wait_for()
    other = open_page(clinic, browser, "Tobias Wrenfield", "desktop")
    other.goto(f"{clinic.address}/referrals/{clinic.cases['declined']}")
    other.keyboard.press("c")
    other.get_by_role("button", name="Release").wait_for()
    page.get_by_role("link", name="Changed: show").wait_for()
    assert page.locator("#timeline").get_by_text("Tobias Wrenfield claimed the task").first.is_visible()
    other.context.close()
