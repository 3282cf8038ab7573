"""A referral to an office that has only a fax: its packet lies ready, and its report comes back as a fax."""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from activities.records.organization import Transport
from infra.fax_folder import drop_folder
from tests import make
from tests.journeys.browser import browser, sign_in
from tests.journeys.clinic import Clinic, furnish, running
from tests.scans import fax

pytestmark = pytest.mark.browser
PATIENCE = 20.0


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running(tmp_path_factory.mktemp("paper") / "home") as started:
        yield started


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def patient(clinic: Clinic) -> UUID:
    """Terrence; an eye clinic with a fax stands in the directory."""
    known = furnish(clinic.parts)
    make.organization(
        clinic.parts, name="Quarrylight Eye Clinic", transport=Transport.PAPER, fax="(208) 555-0170", services=["Eyes"]
    )
    return known.terrence


def test_a_fax_only_office_gets_a_packet_and_its_faxed_note_is_the_report(
    clinic: Clinic, window: Browser, patient: UUID
) -> None:
    page = window.new_page()
    sign_in(page, clinic.address, "Nadia Ferro-Lund")
    case = refer(page, clinic, patient)
    page.goto(f"{case}/sending")
    page.get_by_role("radio", name="Coverage is fine").check()
    page.locator("#step").get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("link", name="Referral packet for Quarrylight Eye Clinic")).to_be_visible()
    take(page, case, "receipt", "It arrived")
    take(page, case, "acceptance", "Accepted")
    page.goto(f"{case}/visit")
    page.get_by_label("When was the visit?").fill("2026-11-20T10:00")
    page.get_by_role("button", name="Patient was seen").click()

    drop(clinic, "20261123_12085550170.tif")
    open_the_fax(page, clinic)
    page.get_by_label("What is it?").select_option("consult-note")
    page.get_by_role("radio", name="Vailgood, Terrence").check()
    page.get_by_role("button", name="File these pages").click()
    expect(page.locator(".cl-notice")).to_contain_text("The report is recorded")

    page.goto(case)
    expect(page.locator("h1 ~ .cl-tag", has_text="Review report")).to_be_visible()
    page.get_by_role("link", name="Consult note").click()
    expect(page.get_by_role("img", name="Page 2 of 2")).to_be_visible()
    page.close()


def refer(page: Page, clinic: Clinic, patient: UUID) -> str:
    """A referral to the eye clinic; its address."""
    page.goto(f"{clinic.address}/referrals/new/{patient}")
    page.get_by_role("radio", name="Quarrylight Eye Clinic").check()
    page.get_by_label("Service").fill("Eyes")
    page.get_by_label("Question").fill("Retinopathy?")
    page.get_by_label("Diagnoses").fill("E11.9")
    page.get_by_role("button", name="Start the referral").click()
    page.wait_for_url(f"{clinic.address}/referrals/*-*")
    return page.url


def take(page: Page, case: str, step: str, button: str) -> None:
    """One step by its form, as it is filled in beforehand."""
    page.goto(f"{case}/{step}")
    page.locator("#step").get_by_role("button", name=button, exact=True).click()
    page.wait_for_url(case)


def drop(clinic: Clinic, name: str) -> None:
    """As a fax server does: written under another name, then renamed."""
    folder: Path = drop_folder(clinic.parts.settings, "larkmoor")
    (folder / f".{name}").write_bytes(fax(2))
    (folder / f".{name}").rename(folder / name)


def open_the_fax(page: Page, clinic: Clinic) -> None:
    """Looks at the inbox until the sweeper has brought the fax."""
    until = time.monotonic() + PATIENCE
    link = page.get_by_role("link", name="Quarrylight Eye Clinic")
    while time.monotonic() < until:
        page.goto(f"{clinic.address}/documents")
        if link.count():
            link.click()
            return
        time.sleep(0.5)
    raise AssertionError("the fax did not reach the inbox")
