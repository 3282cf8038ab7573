"""Larkmoor refers to Heronfield on one platform, each through its own doors: the loop closes, or both cancel."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from activities.records.document_reference import DocumentReference, of_case
from activities.records.message_log import MessageLog, MessageState
from activities.records.process import Process
from activities.records.service_request import ServiceRequest
from activities.records.sessions import Context
from activities.records.values import load
from infra.scenario.staff import Refused, Staff
from rules.referral.vocabulary import Coverage, Progress, Reason, Step
from tests import make
from tests.journeys.clinic import Clinic, furnish, running
from workflows.contracts import referral

CASE = re.compile(r"/referrals/([0-9a-f-]{36})")
REPORT = "Echocardiogram: normal. Plan: back to you, repeat the blood pressure in two weeks."
SECONDS = 20.0


class Both(NamedTuple):
    """The running clinic, and whom one meets at either desk."""

    clinic: Clinic
    nadia: Staff
    doctor: Staff
    lettie: Staff
    specialist: Staff


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with running(tmp_path_factory.mktemp("clinics") / "home") as clinic:
        furnish(clinic.parts)
        address = clinic.address
        with (
            Staff(address, "nadia.ferro-lund") as nadia,
            Staff(address, "ifeoma.oyelaran") as doctor,
            Staff(address, "lettie.marchbank") as lettie,
            Staff(address, "aurelio.stenmark") as specialist,
        ):
            yield Both(clinic, nadia, doctor, lettie, specialist)


def refer(both: Both, family: str) -> tuple[str, str]:
    """A referral sent by Nadia for a new patient of hers: its address at either clinic."""
    ours = draft(both, family, "Heronfield", "Cardiology")
    before = cases(both.clinic, make.HERONFIELD)
    both.nadia.fill_in(f"{ours}/{Step.SENDING}", outcome=Coverage.CLEAR)
    both.lettie.wait_for("/queue", lambda _: bool(cases(both.clinic, make.HERONFIELD) - before), SECONDS)
    (arrived,) = cases(both.clinic, make.HERONFIELD) - before
    return ours, f"/referrals/{arrived}"


def draft(both: Both, family: str, specialist: str, service: str) -> str:
    """A referral that Nadia has not sent yet."""
    make.patient(both.clinic.parts, family=family, phone="+12085550155")
    found = both.nadia.fill_in("/referrals/new", q=family)
    patient = re.search(r'href="(/referrals/new/[0-9a-f-]{36})"', found.text)
    assert patient is not None
    asked = {"performer_id": specialist, "service": service, "question": "Please see.", "diagnoses": "R07.9"}
    return both.nadia.fill_in(patient[1], **asked).url.path


def cases(clinic: Clinic, context: Context) -> set[UUID]:
    with clinic.parts.sessions.begin(context) as session:
        return set(session.scalars(select(ServiceRequest.id)))


def in_queue(who: Staff, case: str) -> bool:
    return any(link.startswith(case) for link in who.read("/queue", view="all").links)


def documents(clinic: Clinic, case: str) -> list[DocumentReference]:
    """What Larkmoor has on file for a referral of its own."""
    with clinic.parts.sessions.begin(make.LARKMOOR) as session:
        return of_case(session, UUID(case.rpartition("/")[2]))


def take(who: Staff, case: str, step: Step, **answers: str) -> None:
    """Waits until the page offers the step, then takes it."""
    who.wait_for(case, lambda page: page.offers(f"{case}/{step}"), SECONDS)
    who.fill_in(f"{case}/{step}", **answers)


def progress(clinic: Clinic, context: Context, case: str) -> Progress:
    workflow_id = referral.workflow_id(context.tenant, case.rpartition("/")[2])
    with clinic.parts.sessions.begin(context) as session:
        sealed = session.get_one(Process, workflow_id).state
    return load(referral.State, clinic.parts.ring.open(sealed, f"process:{workflow_id}")).progress


def test_a_referral_between_two_clinics_closes_its_loop(both: Both) -> None:
    clinic, nadia, doctor, lettie, specialist = both
    ours, theirs = refer(both, "Achterholt")
    assert in_queue(lettie, theirs)
    assert "Larkmoor Family Medicine" in lettie.read(theirs).words

    take(lettie, theirs, Step.INFORMATION_REQUEST, note="Please send the last ECG.")
    take(nadia, ours, Step.INFORMATION, note="ECG of May: normal.")
    lettie.wait_for(theirs, lambda page: "ECG of May" in page.words, SECONDS)
    take(lettie, theirs, Step.ACCEPTANCE)
    take(lettie, theirs, Step.APPOINTMENT, at="2026-12-01T10:20")
    nadia.wait_for(ours, lambda page: "Scheduled" in page.words, SECONDS)
    take(lettie, theirs, Step.NO_SHOW)
    take(lettie, theirs, Step.APPOINTMENT, at="2026-12-08T10:20")
    take(lettie, theirs, Step.VISIT, at="2026-12-08T10:20")
    take(specialist, theirs, Step.REPORT, note=REPORT)

    take(doctor, ours, Step.REVIEW, note="Continue; blood pressure in two weeks.")
    take(nadia, ours, Step.PATIENT_NOTICE)
    take(nadia, ours, Step.FOLLOW_UP)
    nadia.wait_for(ours, lambda page: not page.offers(f"{ours}/{Step.CLOSURE}"), SECONDS)

    closed = progress(clinic, make.LARKMOOR, ours)
    assert closed.evidence.complete
    assert (closed.open, closed.rebookings, closed.asks) == (False, 1, 1)
    assert not progress(clinic, make.HERONFIELD, theirs).open
    (report,) = documents(clinic, ours)
    assert (report.title, report.type, report.pages) == ("Consultation report", "consult-note", 1)


def test_each_side_sees_its_own_record_and_nothing_of_the_others(both: Both) -> None:
    ours, theirs = refer(both, "Brindlemoor")
    for who, case in ((both.nadia, theirs), (both.lettie, ours)):
        with pytest.raises(Refused, match="404"):
            who.read(case)
    assert in_queue(both.lettie, theirs)
    assert not in_queue(both.nadia, theirs)
    assert not in_queue(both.lettie, ours)


def test_a_cancellation_takes_both(both: Both) -> None:
    ours, theirs = refer(both, "Cawthorne")
    take(both.nadia, ours, Step.CANCELLATION, reason=Reason.NO_LONGER_NEEDED, note="Treated by us.")
    take(both.lettie, theirs, Step.CANCELLATION_REFUSED, note="The visit is tomorrow; shall we keep it?")
    both.nadia.wait_for(ours, lambda page: "shall we keep it" in page.words, SECONDS)
    take(both.nadia, ours, Step.CANCELLATION, reason=Reason.NO_LONGER_NEEDED)
    take(both.lettie, theirs, Step.CANCELLATION_CONFIRMED)
    both.nadia.wait_for(ours, lambda page: not page.offers(f"{ours}/{Step.CLOSURE}"), SECONDS)
    for context, case in ((make.LARKMOOR, ours), (make.HERONFIELD, theirs)):
        assert progress(both.clinic, context, case).stage == "cancelled"


def test_a_connected_specialist_hears_of_a_cancellation_too(both: Both) -> None:
    ours = draft(both, "Dunsterville", "Quillon", "Gastroenterology")
    with both.clinic.parts.sessions.begin(make.LARKMOOR) as session:
        number = session.get_one(ServiceRequest, UUID(ours.rpartition("/")[2])).number
    simulator = f"http://127.0.0.1:{both.clinic.parts.settings.simulator_specialist_port}/_simulator"
    lines = ["receive", {"act": "keep", "after": 600, "text": "He sits in the chair."}]
    httpx.post(f"{simulator}/script", json={number: lines}, trust_env=False).raise_for_status()
    both.nadia.fill_in(f"{ours}/{Step.SENDING}", outcome=Coverage.CLEAR)
    take(both.nadia, ours, Step.CANCELLATION, reason=Reason.DUPLICATE)
    both.nadia.wait_for(ours, lambda page: "He sits in the chair" in page.words, SECONDS)
    counts = httpx.get(f"{simulator}/counts", trust_env=False).json()
    assert (counts["accepted"][number], counts["updates"][number]) == (1, 1)


def test_every_message_between_the_two_arrived(both: Both) -> None:
    """Runs last: what the other tests sent is settled at both ends."""
    for context in (make.LARKMOOR, make.HERONFIELD):
        with both.clinic.parts.sessions.begin(context) as session:
            rows = list(session.scalars(select(MessageLog)))
        assert rows
        assert {row.state for row in rows} <= {MessageState.SENT, MessageState.FILED}
        assert all(row.settled_at for row in rows)
