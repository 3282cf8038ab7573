"""A real browser for journeys and pages: Debian's Chromium, told to keep to this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Headless Chromium; a machine without it is an error with the line that installs it."""
    path = shutil.which("chromium")
    if path is None:
        raise AssertionError("The browser tests need Chromium. On Debian: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield opened
        opened.close()


def sign_in(page: Page, address: str, name: str) -> None:
    """Signs in as one of the seeded people, from the development sign-in page."""
    page.goto(f"{address}/sign-in")
    page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first.click()
    page.wait_for_url(f"{address}/queue**")
