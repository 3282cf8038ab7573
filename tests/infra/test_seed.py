"""The demo clinics, seeded into a real store through a real engine, on the day the cast is counted for."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text
from typer.testing import CliRunner

from activities.partners.base import Partner
from activities.records.absence import Absence
from activities.records.account import Account
from activities.records.appointment import Appointment
from activities.records.case_event import CaseEvent
from activities.records.decision import Decision, Outcome
from activities.records.interface import Interface
from activities.records.location import Location
from activities.records.message_log import MessageLog
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.patient_identifier import PatientIdentifier, with_ssn
from activities.records.practitioner import by_npi
from activities.records.practitioner_role import roles_of
from activities.records.process import Process
from activities.records.queries.summary import summary
from activities.records.service_request import ServiceRequest, next_number
from activities.records.sessions import Context
from activities.records.task import Task, TaskStatus
from infra.bootstrap import Parts, activities, build, connect_engine
from infra.cli.main import assemble
from infra.seed.cast import load
from infra.seed.seed import Report, only_demo, seed
from rules.referral.vocabulary import Stage, Step
from tests.engine import skipping, working
from tests.postgres import Cluster
from web.client import Engine
from workflows.contracts.calls import BULK

BOISE, PACIFIC = ZoneInfo("America/Boise"), ZoneInfo("America/Los_Angeles")
D0 = datetime(2026, 11, 23, 8, tzinfo=BOISE)
LARKMOOR, HERONFIELD = Context("larkmoor", "system"), Context("heronfield", "system")
ROWS = ("tenant", "account", "interface", "organization", "patient", "service_request", "fulfilment", "task")
TIME = ("location", "absence", "pool_member", "practitioner", "practitioner_role")
CHART = (
    "patient_identifier", "patient_name", "patient_telecom", "patient_address", "patient_contact", "coverage",
    "condition", "allergy_intolerance", "medication_statement", "appointment", "encounter",
)  # fmt: skip
TRAIL = ("process", "case_event", "decision", "message_log", "audit_event")
PATIENCE = 30.0

# Since when each referral of the cast stands in its stage, in the time of its site.
STANDS = {
    "R-20931": (Stage.TRIAGE, D0 - timedelta(minutes=20)),
    "R-20902": (Stage.DECLINED, datetime(2026, 11, 22, 15, 40, tzinfo=PACIFIC)),
    "R-20418": (Stage.SEEN, datetime(2026, 11, 4, 13, 34, tzinfo=BOISE)),
    "R-20894": (Stage.OUTREACH, datetime(2026, 11, 18, 10, 5, tzinfo=BOISE)),
    "R-20921": (Stage.ADVICE, datetime(2026, 11, 22, 16, 20, tzinfo=BOISE)),
    "R-20877": (Stage.AWAITING_INFO, datetime(2026, 11, 21, 11, 5, tzinfo=BOISE)),
    "R-20911": (Stage.TRIAGE, datetime(2026, 11, 22, 16, 5, tzinfo=BOISE)),
    "R-20862": (Stage.CANCEL_REQUESTED, datetime(2026, 11, 22, 11, 0, tzinfo=PACIFIC)),
    "R-20733": (Stage.NO_SHOW, datetime(2026, 11, 22, 11, 15, tzinfo=BOISE)),
    "R-20926": (Stage.DRAFT, datetime(2026, 11, 20, 16, 5, tzinfo=BOISE)),
    "R-20795": (Stage.DRAFT, datetime(2026, 11, 18, 15, 30, tzinfo=BOISE)),
    "R-20377": (Stage.CLOSED, datetime(2026, 11, 13, 11, 30, tzinfo=PACIFIC)),
}


@dataclass(frozen=True)
class Seeded:
    """A store after two seedings, what each reported, and every row between and after them."""

    parts: Parts
    first: Report
    second: Report
    between: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def seeded(cluster: Cluster) -> Iterator[Seeded]:
    settings = cluster.fresh().model_copy(update={"oidc_issuer": "http://127.0.0.1:2"})
    parts = build(settings, 12)
    try:
        yield asyncio.run(_seed_twice(parts))
    finally:
        parts.sessions.engine.dispose()
        cluster.drop(settings)


async def _seed_twice(parts: Parts) -> Seeded:
    async with skipping(parts.ring) as environment:
        where = {
            "temporal_address": environment.client.service_client.config.target_host,
            "temporal_namespace": environment.client.namespace,
        }
        settings = parts.settings.model_copy(update=where)
        client = await connect_engine(settings, parts.ring)
        async with working(client, activities(parts, _nobody), BULK):
            engine = Engine(lambda: connect_engine(settings, parts.ring))
            first = await asyncio.to_thread(seed, parts, engine, D0)
            await asyncio.to_thread(_await_overdue, parts)
            between = _rows(parts)
            second = await asyncio.to_thread(seed, parts, engine, D0 + timedelta(hours=3))
            return Seeded(parts, first, second, between, _rows(parts))


def _nobody(partner: Organization, kind: str) -> Partner:
    raise AssertionError(f"seeding asked for a connection to {partner.name}")


def _await_overdue(parts: Parts) -> None:
    """What is late on the real clock is noticed at once; until then the rows still move."""
    late = select(func.count()).where(Process.closed_at.is_(None), Process.next_due < func.clock_timestamp())
    deadline = time.monotonic() + PATIENCE
    for context in (LARKMOOR, HERONFIELD):
        while time.monotonic() < deadline:
            with parts.sessions.begin(context) as session:
                if not session.scalar(late):
                    break
            time.sleep(0.1)


def _rows(parts: Parts) -> dict[str, str]:
    """Every row of every table, as one digest each clinic and table."""
    found = {}
    for context in (LARKMOOR, HERONFIELD):
        with parts.sessions.begin(context) as session:
            for table in (*ROWS, *TIME, *CHART, *TRAIL):
                digest = text(
                    f"select count(*) || ':' || md5(string_agg(t::text, '|' order by t::text)) from {table} t"
                )
                found[f"{context.tenant} {table}"] = str(session.scalar(digest))
    return found


def _request(seeded: Seeded, number: str) -> ServiceRequest:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        return session.scalars(select(ServiceRequest).where(ServiceRequest.number == number)).one()


def _task(seeded: Seeded, number: str) -> Task:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        return session.scalars(select(Task).where(Task.number == number, Task.status == TaskStatus.OPEN)).one()


def test_both_clinics_have_all_their_patients_referrals_and_people(seeded: Seeded) -> None:
    counts = {}
    for context in (LARKMOOR, HERONFIELD):
        with seeded.parts.sessions.begin(context) as session:
            counts[context.tenant] = tuple(
                session.scalar(select(func.count()).select_from(kind))
                for kind in (Patient, ServiceRequest, Account, Interface)
            )
    assert counts == {"larkmoor": (200, 60, 17, 2), "heronfield": (80, 12, 6, 1)}
    assert seeded.first.referrals == 72
    assert not seeded.first.unsettled


@pytest.mark.parametrize("number", STANDS)
def test_a_referral_of_the_cast_stands_where_the_cast_says_since_its_true_date(seeded: Seeded, number: str) -> None:
    stage, since = STANDS[number]
    request = _request(seeded, number)
    assert request.stage == stage
    assert request.stage_since == since


def test_every_past_step_is_in_the_timeline_with_its_own_date(seeded: Seeded) -> None:
    demo = load(D0)
    for referral in demo.referrals:
        case = _request(seeded, referral.number).id
        with seeded.parts.sessions.begin(LARKMOOR) as session:
            told = session.execute(
                select(CaseEvent.step, CaseEvent.at, CaseEvent.actor)
                .where(CaseEvent.case_id == case, CaseEvent.step_key.like("past:%"))
                .order_by(CaseEvent.at)
            ).all()
        assert [tuple(row) for row in told] == [(one.step, one.at, one.actor) for one in referral.past]
    assert [one.step for one in demo.referrals[2].past].count(Step.CHASE) == 2


def test_a_case_is_opened_by_the_person_of_the_facts_on_its_true_day(seeded: Seeded) -> None:
    request = _request(seeded, "R-20418")
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        opening = session.scalars(
            select(CaseEvent).where(CaseEvent.case_id == request.id, CaseEvent.step == Step.OPENING)
        ).one()
        opener = session.scalars(select(Account).where(Account.subject == "ifeoma.oyelaran")).one()
    assert opening.actor == str(opener.id)
    assert opening.at == request.opened_at == datetime(2026, 10, 26, 9, 12, tzinfo=BOISE)


def test_the_late_report_is_a_call_that_was_due_seven_days_after_the_visit(seeded: Seeded) -> None:
    task = _task(seeded, "R-20418")
    assert task.due_at == datetime(2026, 11, 11, 13, 34, tzinfo=BOISE)
    assert task.action == "Call Dr. Bertrand Eskild, Orthopedics for the report"


def test_clocks_run_from_the_true_dates(seeded: Seeded) -> None:
    due = {number: _task(seeded, number).due_at for number in ("R-20902", "R-20877", "R-20894")}
    assert due == {
        "R-20902": datetime(2026, 11, 23, 17, 0, tzinfo=PACIFIC),
        "R-20877": datetime(2026, 11, 27, 17, 0, tzinfo=BOISE),
        "R-20894": datetime(2026, 11, 23, 10, 5, tzinfo=BOISE),
    }


def test_what_a_person_must_decide_is_asked_of_a_person(seeded: Seeded) -> None:
    assert _task(seeded, "R-20911").action == "Choose the specialist"
    assert _task(seeded, "R-20733").action == "Decide after repeated no-shows"


def test_the_charts_of_the_cast_are_in_the_record(seeded: Seeded) -> None:
    charts = {}
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        for row in session.scalars(select(Patient).where(Patient.mrn.like("LM-0001__"))):
            found = summary(session, row.id)
            assert found is not None
            charts[row.mrn] = found
    assert {one.code for one in charts["LM-000101"].problems} == {"N18.32", "I10"}
    assert charts["LM-000101"].coverage == "Medicare Part B, Coppergate supplement"
    assert charts["LM-000101"].none_known_on == (D0 - timedelta(days=21)).date()
    assert [(one.words, one.severity) for one in charts["LM-000108"].allergies] == [
        ("Penicillin: anaphylaxis", "severe")
    ]
    assert [one.words for one in charts["LM-000103"].names] == ["Wilhelm Straatmann Jr"]
    assert charts["LM-000111"].part_2
    assert charts["LM-000111"].patient.vip
    assert [(one.value, one.confidential) for one in charts["LM-000112"].telecoms] == [
        ("+12085550122", False),
        ("+12085550123", True),
    ]
    assert [one.role for one in charts["LM-000112"].contacts] == ["guardian"]
    assert not [one for one in charts.values() if not one.telecoms]


def test_the_two_of_one_name_are_told_apart_by_number_and_neither_number_is_plain(seeded: Seeded) -> None:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        found = with_ssn(session, seeded.parts.ring, "larkmoor", "900210103")
        names = [session.get_one(Patient, one).family for one in found]
        plain = session.scalars(select(PatientIdentifier.value).where(PatientIdentifier.system == "ssn"))
        assert (names, set(plain)) == (["Straatmann Jr"], {""})


def test_past_visits_are_in_the_record_of_appointments(seeded: Seeded) -> None:
    request = _request(seeded, "R-20418")
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        rows = session.scalars(select(Appointment).where(Appointment.service_request_id == request.id))
        visit = datetime(2026, 11, 4, 13, 30, tzinfo=BOISE)
        assert [(row.status, row.starts_at) for row in rows] == [("fulfilled", visit)]


def test_clinicians_are_practitioners_at_their_sites(seeded: Seeded) -> None:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        doctor = by_npi(session, "2000001034")
        assert doctor is not None
        assert doctor.family == "Oyelaran"
        sites = [session.get_one(Location, one.location_id).site for one in roles_of(session, doctor.id, D0.date())]
    assert sites


def test_sites_keep_their_own_hours_and_the_one_who_is_away_has_a_surrogate(seeded: Seeded) -> None:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        zones = {one.site: one.zone for one in session.scalars(select(Location))}
        away = session.scalars(select(Absence)).one()
        names = {one.id: one.name for one in session.scalars(select(Account))}
    assert zones == {"boise": "America/Boise", "coeur_dalene": "America/Los_Angeles"}
    assert names[away.account_id].startswith("Mateus Valbrenna")
    assert away.surrogate_id is not None
    assert names[away.surrogate_id].startswith("Ifeoma Oyelaran")
    assert away.starts_at == datetime(2026, 11, 21, tzinfo=PACIFIC)
    assert away.ends_at == datetime(2026, 11, 29, tzinfo=PACIFIC)


def test_nothing_is_sent_because_of_seeding(seeded: Seeded) -> None:
    for context in (LARKMOOR, HERONFIELD):
        with seeded.parts.sessions.begin(context) as session:
            assert session.scalar(select(func.count()).select_from(MessageLog)) == 0


def test_every_opening_is_settled_as_applied(seeded: Seeded) -> None:
    for context, count in ((LARKMOOR, 60), (HERONFIELD, 12)):
        with seeded.parts.sessions.begin(context) as session:
            outcomes = Counter(session.scalars(select(Decision.outcome)))
        assert outcomes == {Outcome.APPLIED: count}


def test_a_second_seeding_changes_nothing(seeded: Seeded) -> None:
    assert seeded.second == Report(0, 0)
    assert seeded.after == seeded.between


def test_numbers_given_by_hand_are_not_given_again(seeded: Seeded) -> None:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        known = set(session.scalars(select(ServiceRequest.number)))
        assert next_number(session) not in known
        assert int(next_number(session)[2:]) > max(int(one[2:]) for one in known)


def test_a_store_that_holds_only_the_demo_may_be_seeded_again(seeded: Seeded) -> None:
    assert only_demo(seeded.parts)


def test_partners_programs_reach_the_clinic_that_knows_them(seeded: Seeded) -> None:
    with seeded.parts.sessions.begin(LARKMOOR) as session:
        rows = session.execute(
            select(Interface.client_id, Organization.name).join(
                Organization, Organization.id == Interface.organization_id
            )
        )
        assert {tuple(row) for row in rows} == {
            ("heronfield-platform", "Heronfield Specialty Associates"),
            ("quillon-platform", "Quillon Digestive Health"),
        }


def test_production_is_never_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELOOP_ENV", "production")
    answer = CliRunner().invoke(assemble(), ["seed"])
    assert answer.exit_code == 1
    assert "production is never filled" in answer.output
