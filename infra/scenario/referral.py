"""A referral from its draft to its closed loop: Nadia, Dr Oyelaran and a simulated specialist, each at her own door."""

import re

import httpx

from infra.scenario.page import Page
from infra.scenario.staff import Refused, Staff
from infra.scenario.told import Told
from infra.settings import Settings
from rules.referral.vocabulary import Coverage, Step

COORDINATOR, CLINICIAN = "nadia.ferro-lund", "ifeoma.oyelaran"
PATIENT, SPECIALIST, SERVICE = "Vailgood", "Quillon", "Gastroenterology"
NUMBER = re.compile(r"\bR-\d+\b")
ANSWERS = tuple({"act": act, "after": 0.2} for act in ("accept", "schedule", "see", "report"))
SECONDS = 60.0


def drive(settings: Settings) -> Told:
    """One whole case; what stops it is told, not raised."""
    told = Told()
    try:
        with Staff(settings.public_url, COORDINATOR) as nadia, Staff(settings.public_url, CLINICIAN) as doctor:
            _drive(settings, nadia, doctor, told)
    except (Refused, LookupError, httpx.HTTPError) as stopped:
        told.problem = f"{type(stopped).__name__}: {stopped}"
    return told


def _drive(settings: Settings, nadia: Staff, doctor: Staff, told: Told) -> None:
    case = _open(nadia)
    told.case = _number(nadia.read(case))
    told.step(Step.OPENING)
    _script(settings, told.case)
    nadia.fill_in(f"{case}/{Step.SENDING}", outcome=Coverage.CLEAR)
    told.step(Step.SENDING)
    doctor.wait_for(case, lambda page: page.offers(f"{case}/{Step.REVIEW}"), SECONDS)
    told.step(Step.REPORT)
    for who, step in ((doctor, Step.REVIEW), (nadia, Step.PATIENT_NOTICE), (nadia, Step.FOLLOW_UP)):
        who.wait_for(case, lambda page, step=step: page.offers(f"{case}/{step}"), SECONDS)  # type: ignore[misc]
        who.fill_in(f"{case}/{step}")
        told.step(step)
    nadia.wait_for(case, lambda page: not page.offers(f"{case}/{Step.CLOSURE}"), SECONDS)
    told.closed = True


def _open(nadia: Staff) -> str:
    """The address of a new referral to the simulated specialist."""
    found = nadia.fill_in("/referrals/new", q=PATIENT)
    patient = re.search(r'href="(/referrals/new/[0-9a-f-]{36})"', found.text)
    if patient is None:
        raise Refused(f"no patient {PATIENT} is found")
    # On purpose: another scenario's referral for the same service may be under way.
    opened = nadia.fill_in(
        patient[1],
        performer_id=SPECIALIST,
        service=SERVICE,
        question="Please see for reflux.",
        diagnoses="K21.9",
        second="yes",
    )
    return opened.url.path


def _script(settings: Settings, number: str) -> None:
    """The specialist accepts, books, sees the patient and reports, each a moment after the other."""
    address = f"http://127.0.0.1:{settings.simulator_specialist_port}/_simulator/script"
    httpx.post(address, json={number: ANSWERS}, timeout=10, trust_env=False).raise_for_status()


def _number(page: Page) -> str:
    found = NUMBER.search(page.words)
    if found is None:
        raise Refused("the case page shows no number")
    return found[0]
