"""What a referral takes from the chart and leaves in it, against a real PostgreSQL."""

import json
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from activities.formats.fhir.read import read_resource
from activities.formats.fhir.referral_bundle import read_referral
from activities.records.appointment import Appointment
from activities.records.document_reference import of_case, open_document
from activities.records.message_log import MessageLog
from activities.records.organization import Organization, Transport
from activities.records.patient_link import link
from activities.records.service_request import ServiceRequest
from infra.bootstrap import Parts
from rules.consent import Sensitivity
from rules.referral.steps import follow
from rules.referral.vocabulary import Consent, Facts, Priority, Reason, Step
from tests import make
from tests.activities.test_referral import Store

DAY = timedelta(days=1)


class Referred(Store):
    """A patient with a chart, and a referral of hers that is ready to be sent."""

    def __init__(self, parts: Parts, transport: Transport) -> None:
        super().__init__(parts)
        self.opened = self.open()
        with parts.sessions.begin(make.LARKMOOR) as session:
            session.execute(update(Organization).where(Organization.partner).values(transport=transport))
            session.execute(update(ServiceRequest).values(diagnoses=["I10"]))
        self.opened = replace(self.opened, version=self.request().version)
        self.patient = self.request().patient_id
        make.condition(parts, self.patient)
        make.condition(parts, self.patient, code="M81.8", text="Osteoporosis")
        make.condition(parts, self.patient, code="F10.21", text="Alcohol use", sensitivity=[Sensitivity.PART_2])
        make.medication(parts, self.patient)
        make.medication(parts, self.patient, medication="naltrexone", sensitivity=[Sensitivity.PART_2])
        make.allergy(parts, self.patient, substance="Penicillin", reaction="anaphylaxis", severity="severe")
        make.coverage(parts, self.patient, member="SYN01-000105")
        make.coverage(parts, self.patient, payer="Second payer", rank=2)

    def bundle(self) -> dict[str, Any]:
        """What is sent to the partner."""
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            row = session.scalars(select(MessageLog).order_by(MessageLog.seq.desc()).limit(1)).one()
            said: dict[str, Any] = json.loads(self.parts.ring.open(row.raw, f"message:{row.id}"))
        return said

    def visits(self) -> list[tuple[str, object]]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            rows = session.scalars(select(Appointment).order_by(Appointment.starts_at))
            return [(row.status, row.starts_at) for row in rows]


@pytest.fixture
def referred(parts: Parts) -> Referred:
    return Referred(parts, Transport.FHIR)


def test_a_referral_carries_the_part_of_the_chart_that_the_specialist_needs(referred: Referred) -> None:
    referred.step(referred.opened, "k1", Step.SENDING)
    raw = json.dumps(referred.bundle())
    told = read_referral(read_resource(raw.encode(), "Bundle", 1_000_000))
    assert [one.code.words for one in told.conditions] == ["Essential hypertension"]
    assert [one.code.words for one in told.problems] == ["Osteoporosis"]
    assert [(one.medication.words, one.dosage) for one in told.medications] == [("lisinopril 20 mg", "once a day")]
    assert [(one.substance.words, one.severity) for one in told.allergies] == [("Penicillin", "severe")]
    assert [(one.payor.display, one.subscriber_id) for one in told.coverages] == [("Coppergate PPO", "SYN01-000105")]
    assert "naltrexone" not in raw and "F10.21" not in raw


def test_consent_said_while_sending_lets_part_2_items_go_along(referred: Referred) -> None:
    referred.step(referred.opened, "k1", Step.SENDING, Facts(consent=Consent.ON_FILE))
    raw = json.dumps(referred.bundle())
    assert "naltrexone" in raw and "F10.21" in raw


@pytest.mark.parametrize(("consent", "goes"), [(Consent.ON_FILE, True), (Consent.WITHHELD, False)])
def test_what_was_said_of_consent_holds_for_what_is_sent_later(
    referred: Referred, consent: Consent, goes: bool
) -> None:
    state = take(referred, referred.opened, Step.SENDING, Facts(consent=consent))
    facts = Facts(priority=Priority.URGENT)
    key = make.decision(referred.parts, referred.case, Step.PRIORITY_CHANGE, facts)
    referred.step(state, key, Step.PRIORITY_CHANGE, facts)
    raw = json.dumps(referred.bundle())
    assert '"urgent"' in raw
    assert ("naltrexone" in raw) == goes


def test_no_known_allergies_is_said_and_not_left_out(parts: Parts) -> None:
    referred = Referred(parts, Transport.FHIR)
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.connection().exec_driver_sql(
            "update allergy_intolerance set none_known = true, substance = '', reaction = '', severity = ''"
        )
    referred.step(referred.opened, "k1", Step.SENDING)
    told = read_referral(read_resource(json.dumps(referred.bundle()).encode(), "Bundle", 1_000_000))
    assert [one.substance.words for one in told.allergies] == ["No known allergy"]


def test_a_faxed_packet_carries_the_same(parts: Parts) -> None:
    referred = Referred(parts, Transport.PAPER)
    referred.step(referred.opened, "k1", Step.SENDING)
    with parts.sessions.begin(make.LARKMOOR) as session:
        (row,) = of_case(session, referred.case)
        opened = open_document(session, parts.ring, make.LARKMOOR, row.id)
    assert opened is not None
    said = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(opened.data)).pages).split())
    for words in ("Penicillin: anaphylaxis", "Osteoporosis (M81.8)", "lisinopril 20 mg, once a day", "Coppergate PPO"):
        assert words in said
    assert not [words for words in ("naltrexone", "F10.21", "Second payer") if words in said]


def test_a_case_of_a_merged_record_goes_out_under_the_one_she_is_known_by(referred: Referred) -> None:
    survivor = make.patient(referred.parts, mrn="LM-777777")
    with referred.parts.sessions.begin(make.LARKMOOR) as session:
        link(session, referred.parts.ring, make.LARKMOOR, referred.patient, survivor, "Same person")
    referred.step(referred.opened, "k1", Step.SENDING)
    told = read_referral(read_resource(json.dumps(referred.bundle()).encode(), "Bundle", 1_000_000))
    assert told.patient.identifiers[0].value == "LM-777777"
    assert [one.substance.words for one in told.allergies] == ["Penicillin"]
    assert referred.request().patient_id == referred.patient


def test_booking_moving_and_missing_a_visit_is_in_the_record_of_appointments(referred: Referred) -> None:
    state = walked(referred, Step.SENDING, Step.DELIVERY, Step.ACCEPTANCE)
    first, second = make.NOW + 7 * DAY, make.NOW + 9 * DAY
    state = take(referred, state, Step.APPOINTMENT, Facts(at=first))
    assert referred.visits() == [("booked", first)]
    state = take(referred, state, Step.APPOINTMENT, Facts(at=second))
    assert referred.visits() == [("cancelled", first), ("booked", second)]
    state = take(referred, state, Step.NO_SHOW, Facts(at=second))
    assert referred.visits() == [("cancelled", first), ("noshow", second)]


def test_a_visit_fulfils_its_appointment(referred: Referred) -> None:
    state = walked(referred, Step.SENDING, Step.DELIVERY, Step.ACCEPTANCE)
    at = make.NOW + DAY
    state = take(referred, state, Step.APPOINTMENT, Facts(at=at))
    take(referred, state, Step.VISIT, Facts(at=at))
    assert referred.visits() == [("fulfilled", at)]


def test_a_referral_that_ends_leaves_no_appointment_booked(referred: Referred) -> None:
    state = walked(referred, Step.SENDING, Step.DELIVERY, Step.ACCEPTANCE)
    state = take(referred, state, Step.APPOINTMENT, Facts(at=make.NOW + DAY))
    take(referred, state, Step.CLOSURE, Facts(reason=Reason.PATIENT_DECLINED, note="Moved away"))
    assert [status for status, _ in referred.visits()] == ["cancelled"]


def walked(referred: Referred, *steps: Step) -> Any:
    state = referred.opened
    for step in steps:
        state = take(referred, state, step, Facts())
    return state


def take(referred: Referred, state: Any, step: Step, facts: Facts) -> Any:
    """The state after a step, as the workflow would hold it."""
    recorded = referred.step(state, f"{step}:{state.version}", step, facts)
    progress = recorded.onto(follow(state.progress, step, facts, make.NOW))
    return replace(state, progress=progress, version=recorded.version, due_at=recorded.due_at)
