"""Open referrals taken over from a list: where they stand, since their true dates, once, and none is lost silently."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from activities.partners.base import Partner
from activities.records.case_event import CaseEvent
from activities.records.message_log import MessageLog
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.process import Process
from activities.records.service_request import ServiceRequest, next_number
from activities.records.task import Task, TaskStatus
from infra.bootstrap import Parts, activities, connect_engine
from infra.importer.referrals import Importer, Report, lines_of
from infra.importer.table import read
from rules.referral.vocabulary import Priority, Stage
from tests import make
from tests.engine import skipping, working
from tests.own_home import own_home
from tests.postgres import Cluster
from web.client import Engine
from workflows.contracts.calls import BULK

BOISE = ZoneInfo("America/Boise")
NOW = datetime.now(UTC).replace(microsecond=0)
HEADER = (
    "Number;MRN;Family;Given;Birth_date;Sex;Phone;Specialist;Service;Priority;Stage;Opened;Sent;Accepted;Appointment;"
    "Visit;Report;Reviewed;Report_due;Last_attempt;Since;Question;Diagnoses;Requester;Fax back"
)


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).astimezone(BOISE).strftime("%m/%d/%Y %H:%M")


def line(number: str, stage: str, **cells: str) -> str:
    given = {"Number": number, "MRN": f"M-{number}", "Family": "Ashgrove", "Given": "Núria", "Birth_date": "09/30/1964"}
    given |= {"Specialist": "Quillon Digestive Health", "Service": "Gastroenterology", "Stage": stage, "Sent": ago(9)}
    given |= {name if name.isupper() else name.capitalize(): value for name, value in cells.items()}
    return ";".join(given.get(name, "") for name in HEADER.split(";"))


OPEN = {
    "I-01": line("I-01", "draft", sent="", opened=ago(3)),
    "I-02": line("I-02", "coverage", since=ago(2)),
    "I-03": line("I-03", "sent", priority="urgent"),
    "I-04": line("I-04", "triage", since=ago(8)),
    "I-05": line("I-05", "awaiting_info", since=ago(2)),
    "I-06": line("I-06", "scheduling", accepted=ago(4)),
    "I-07": line("I-07", "outreach", accepted=ago(6), last_attempt=ago(1)),
    "I-08": line("I-08", "scheduled", accepted=ago(6), appointment=ago(-5)),
    "I-09": line("I-09", "no_show", accepted=ago(6), appointment=ago(1)),
    "I-10": line("I-10", "seen", accepted=ago(7), visit=ago(3), report_due=ago(-4)),
    "I-11": line("I-11", "report_received", visit=ago(5), report=ago(2)),
    "I-12": line("I-12", "reviewed", visit=ago(5), report=ago(3), reviewed=ago(1)),
    "I-13": line("I-13", "patient_told", visit=ago(5), report=ago(4), reviewed=ago(3), since=ago(1)),
    "I-14": line("I-14", "advice", since=ago(1)),
    "I-15": line("I-15", "declined", since=ago(1)),
    "I-16": line("I-16", "redirected", since=ago(1)),
    "I-17": line("I-17", "cancel_requested", since=ago(1)),
    "R-29990": line("R-29990", "With specialist", MRN="LM-1", family="VAILGOOD", specialist="quillon gi"),
}
WRONG = [
    line("W-01", "closed"),
    line("W-02", "sent", specialist="Nobody Knows"),
    line("W-03", "seen"),
    line("W-04", "sent", sent="sometime"),
    line("W-05", "sent", MRN="LM-1"),
    line("I-04", "sent"),
    line("W-07", "triage", sent=ago(-3)),
    line("W-08", "scheduling", accepted=ago(20)),
]


@dataclass(frozen=True)
class Imported:
    parts: Parts
    dry: Report
    first: Report
    second: Report
    between: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def imported(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    with own_home(cluster, Path(tmp_path_factory.mktemp("import"))) as parts:
        make.clinics(parts)
        make.organization(parts, transport=Transport.FHIR, fhir_address="http://127.0.0.1:9")
        make.patient(parts, mrn="LM-1")
        yield asyncio.run(_import_twice(parts))


async def _import_twice(parts: Parts) -> Imported:
    table = read("\n".join((HEADER, *OPEN.values(), *WRONG)).encode("cp1252"))
    importer = Importer(parts, "larkmoor", NOW, {"Quillon GI": "Quillon Digestive Health"})
    async with skipping(parts.ring) as environment:
        where = {
            "temporal_address": environment.client.service_client.config.target_host,
            "temporal_namespace": environment.client.namespace,
        }
        settings = parts.settings.model_copy(update=where)
        client = await connect_engine(settings, parts.ring)
        async with working(client, activities(parts, _nobody), BULK):
            engine = Engine(lambda: connect_engine(settings, parts.ring))
            dry = await asyncio.to_thread(importer.run, table, None)
            with parts.sessions.begin(make.LARKMOOR) as session:
                assert session.scalar(select(func.count()).select_from(ServiceRequest)) == 0
                assert session.scalar(select(func.count()).select_from(Patient)) == 1
            first = await asyncio.to_thread(importer.run, table, engine)
            await asyncio.to_thread(_await_overdue, parts)
            between = _rows(parts)
            second = await asyncio.to_thread(importer.run, table, engine)
            after = _rows(parts)
            await asyncio.to_thread(engine.close)
            return Imported(parts, dry, first, second, between, after)


def _nobody(partner: Organization, kind: str) -> Partner:
    raise AssertionError(f"{kind} was sent to {partner.name}")


def _await_overdue(parts: Parts) -> None:
    """What is late already is noticed at once; until then the rows still move."""
    late = select(func.count()).where(Process.closed_at.is_(None), Process.next_due < func.clock_timestamp())
    for _ in range(200):
        with parts.sessions.begin(make.LARKMOOR) as session:
            if not session.scalar(late):
                return
            session.execute(text("select pg_sleep(0.1)"))
    raise AssertionError("some are still late")


def _rows(parts: Parts) -> dict[str, str]:
    tables = ("patient", "service_request", "fulfilment", "task", "process", "case_event", "decision", "audit_event")
    with parts.sessions.begin(make.LARKMOOR) as session:
        return {
            table: str(
                session.scalar(
                    text(f"select count(*) || md5(string_agg(t::text, '|' order by t::text)) from {table} t")
                )
            )
            for table in tables
        }


def _request(imported: Imported, number: str) -> ServiceRequest:
    with imported.parts.sessions.begin(make.LARKMOOR) as session:
        return session.scalars(select(ServiceRequest).where(ServiceRequest.number == number)).one()


def test_every_row_is_opened_or_named(imported: Imported) -> None:
    report = imported.first
    assert set(report.opened) == set(OPEN)
    assert [one.row for one in report.problems] == list(range(len(OPEN) + 2, len(OPEN) + len(WRONG) + 2))
    assert report.unknown_columns == ("Fax back",)
    assert report.patients == len(OPEN) - 1


def test_each_stands_where_the_list_says_since_its_true_date(imported: Imported) -> None:
    stages = {number: _request(imported, number).stage for number in OPEN}
    assert stages == dict(zip(OPEN, [*_stages(), Stage.TRIAGE], strict=True))
    since = {"I-06": 4, "I-07": 1, "I-10": 3, "I-11": 2, "I-13": 1, "I-15": 1, "I-04": 8}
    for number, days in since.items():
        assert _request(imported, number).stage_since == (NOW - timedelta(days=days)).replace(second=0), number
    assert _request(imported, "I-08").visit_at == (NOW + timedelta(days=5)).replace(second=0)
    assert _request(imported, "I-03").priority == Priority.URGENT


def _stages() -> list[Stage]:
    return [stage for stage in Stage if stage not in (Stage.CLOSED, Stage.CANCELLED, Stage.EXPIRED)]


def test_clocks_run_from_the_true_dates(imported: Imported) -> None:
    visit = (NOW - timedelta(days=3)).replace(second=0)
    with imported.parts.sessions.begin(make.LARKMOOR) as session:
        due = session.scalars(select(Process.next_due).where(Process.case_id == _request(imported, "I-10").id)).one()
        assert due is not None
        # A routine report is due seven days after the visit; on a closed day, when the site opens next.
        assert visit + timedelta(days=7) <= due <= visit + timedelta(days=11)
        called = session.scalars(select(Task).where(Task.number == "I-07", Task.status == TaskStatus.OPEN)).one()
    assert called.action == "Call the patient to book"


def test_the_timeline_tells_the_past_with_its_own_dates_and_nothing_is_sent(imported: Imported) -> None:
    case = _request(imported, "I-13").id
    with imported.parts.sessions.begin(make.LARKMOOR) as session:
        told = session.scalars(
            select(CaseEvent.step)
            .where(CaseEvent.case_id == case, CaseEvent.step_key.like("past:%"))
            .order_by(CaseEvent.at)
        ).all()
        assert session.scalar(select(func.count()).select_from(MessageLog)) == 0
    assert told[0] == "sending"
    assert told[-3:] == ["report", "review", "patient-notice"]


def test_importing_twice_changes_nothing(imported: Imported) -> None:
    assert imported.second.opened == ()
    assert set(imported.second.known) == set(OPEN)
    assert imported.second.problems == imported.first.problems
    assert imported.after == imported.between


def test_a_dry_run_says_what_would_happen(imported: Imported) -> None:
    assert imported.dry == imported.first


def test_a_patient_is_found_by_her_record_number_and_never_by_that_alone(imported: Imported) -> None:
    with imported.parts.sessions.begin(make.LARKMOOR) as session:
        known = session.scalars(select(Patient).where(Patient.mrn == "LM-1")).one()
        assert session.scalar(select(func.count()).select_from(Patient)) == len(OPEN)
    assert _request(imported, "R-29990").patient_id == known.id
    assert known.family == "Vailgood"


def test_what_was_not_understood_is_told_by_row_column_and_shape_with_what_to_do(imported: Imported) -> None:
    told = list(lines_of(imported.first))
    first = len(OPEN) + 2
    assert told[0] == "18 referrals opened, 0 were here, 17 patients are new."
    assert told[1] == "Column “Fax back” is not known and was not read."
    expected = [
        f"row {first}, stage (aaaaaa): the referral has ended",
        f"row {first + 1}, specialist (Aaaaaa Aaaaa): no partner is called this",
        f"row {first + 2}, visit: a referral that is “seen” needs this date",
        f"row {first + 3}, sent (aaaaaaaa): no date is read from this",
        f"row {first + 4}, family (Aaaaaaaa): the patient of this record number has another",
        f"row {first + 5}, number (A-99): row 5 has this number too",
        f"row {first + 6}, sent (99/99/9999 99:99): this date lies ahead",
        f"row {first + 7}, stage (aaaaaaaaaa): its dates do not fit",
    ]
    assert [line[: len(start)] for line, start in zip(told[2:], expected, strict=True)] == expected
    assert "Ashgrove" not in "".join(told)


def test_numbers_that_came_with_the_list_are_not_given_again(imported: Imported) -> None:
    with imported.parts.sessions.begin(make.LARKMOOR) as session:
        assert int(next_number(session)[2:]) > 29990
