"""A list of open referrals taken over at go-live: each row is a case with its true past, or a line of the report."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.decision import Decision, Outcome
from activities.records.service_request import ReferralContent, ServiceRequest, reserve_numbers
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from infra.bootstrap import Parts, case_review
from infra.importer.past import opened_at, past_of
from infra.importer.people import Directory, Partner, known_patient, make_patient, read_directory, requester_npi
from infra.importer.problem import NotUnderstood, Problem
from infra.importer.row import Row, read_row
from infra.importer.table import Table
from infra.refusal import Refused
from infra.seed.ids import identity
from rules.referral.history import Impossible, progress_after
from rules.referral.vocabulary import By
from web.client import Engine
from web.decisions import Desk
from workflows.contracts.calls import BULK
from workflows.contracts.people import SYSTEM

TOGETHER, TRIES = 4, 8
LATER = "import the list again when the worker runs: what is there already is left as it is"


@dataclass(frozen=True)
class Report:
    """Every row is in one of the four: opened now, there since an earlier import, blank, or in `problems`."""

    opened: tuple[str, ...]
    known: tuple[str, ...]
    blank: int
    patients: int
    problems: tuple[Problem, ...]
    unknown_columns: tuple[str, ...]


@dataclass(frozen=True)
class Ready:
    """A row that can be opened; `site` is a key or empty."""

    row: Row
    partner: Partner
    site: str
    npi: str
    content: ReferralContent


class Importer:
    """Importing the same list twice changes nothing. Without an engine it only looks."""

    def __init__(self, parts: Parts, tenant: str, now: datetime, aliases: Mapping[str, str] | None = None) -> None:
        self._parts, self._now = parts, now
        self._context = Context(tenant, SYSTEM)
        with parts.sessions.begin(self._context) as session:
            clinic = session.get(Tenant, tenant)
            if clinic is None:
                raise Refused(f"There is no clinic {tenant}. `careloop tenant add` makes one.")
            self._zone = ZoneInfo(clinic.zone)
            self._directory: Directory = read_directory(session, tenant, aliases or {})

    def run(self, table: Table, engine: Engine | None) -> Report:
        """Opens what can be opened; with None says what would be."""
        ready, problems = self._read(table)
        known = self._known()
        fresh = [one for one in ready if one.row.number not in known]
        patients = len({one.row.mrn for one in fresh if not one.content.patient_id})
        opened = [one.row.number for one in fresh]
        if engine is not None and fresh:
            lost = self._open(engine, fresh)
            problems += lost
            opened = [one.row.number for one in fresh if one.row.line not in {wrong.row for wrong in lost}]
        return Report(
            opened=tuple(opened),
            known=tuple(one.row.number for one in ready if one.row.number in known),
            blank=table.blank,
            patients=patients,
            problems=tuple(sorted((*table.problems, *problems), key=lambda one: one.row)),
            unknown_columns=table.unknown,
        )

    def _read(self, table: Table) -> tuple[list[Ready], list[Problem]]:
        ready: list[Ready] = []
        problems: list[Problem] = []
        lines: dict[str, int] = {}
        with self._parts.sessions.begin(self._context) as session:
            for line, cells in table.rows:
                row = read_row(line, cells, self._zone, self._now)
                if isinstance(row, list):
                    problems += row
                    continue
                try:
                    ready.append(self._checked(session, row, lines))
                except NotUnderstood as why:
                    problems.append(why.at(line))
        return ready, problems

    def _checked(self, session: Session, row: Row, lines: dict[str, int]) -> Ready:
        first = lines.setdefault(row.number, row.line)
        if first != row.line:
            raise NotUnderstood("number", row.number, f"row {first} has this number too", "give each referral its own")
        case = self._case(row.number)
        other = session.scalar(select(ServiceRequest.id).where(ServiceRequest.number == row.number))
        if other not in (None, case):
            raise NotUnderstood(
                "number", row.number, "another referral here has this number", "give it a number of its own"
            )
        partner, site = self._directory.partner(row), self._directory.site(row)
        patient = known_patient(session, row)
        npi = requester_npi(self._directory, row)
        content = self._content(row, partner, site or (patient.site if patient else ""), npi)
        return Ready(row, partner, site, npi, replace(content, patient_id=str(patient.id) if patient else ""))

    def _content(self, row: Row, partner: Partner, site: str, npi: str) -> ReferralContent:
        began, past = opened_at(row), past_of(row, partner.name)
        tenant = self._context.tenant
        try:
            progress = progress_after(
                past,
                row.priority,
                began,
                str(partner.id),
                lambda asked: str(identity(tenant, "imported-task", f"{row.number}/{asked}")),
            )
        except Impossible as why:
            raise NotUnderstood(
                "stage", row.stage, f"its dates do not fit: {why}", "compare them with the chart"
            ) from None
        return ReferralContent(
            patient_id="",
            performer_id=str(partner.id),
            service=row.service,
            priority=row.priority,
            question=row.question,
            requester=row.requester,
            requester_npi=npi,
            diagnoses=row.diagnoses,
            site=site,
            opened_at=began,
            number=row.number,
            progress=replace(progress, by_hand=partner.by_hand),
            past=past,
        )

    def _case(self, number: str) -> UUID:
        """The case's id and that of the decision that opens it: the same at every import."""
        return identity(self._context.tenant, "imported-referral", number)

    def _known(self) -> set[str]:
        """The numbers of an earlier import whose opening is applied."""
        with self._parts.sessions.begin(self._context) as session:
            applied = select(Decision.case_id).where(Decision.outcome == Outcome.APPLIED)
            rows = session.execute(
                select(ServiceRequest.id, ServiceRequest.number).where(ServiceRequest.id.in_(applied))
            )
            return {number for case, number in rows if case == self._case(number)}

    def _open(self, engine: Engine, ready: list[Ready]) -> list[Problem]:
        """Those the engine has not taken; they are kept and handed over again by the sweeper."""
        with self._parts.sessions.begin(self._context) as session:
            reserve_numbers(session, max((_ours(one.row.number) for one in ready), default=0))
            whole = [self._with_patient(session, one) for one in ready]
        desk = Desk(self._parts.sessions, self._parts.ring, engine, case_review(self._parts))
        with ThreadPoolExecutor(TOGETHER) as pool:
            return [wrong for wrong in pool.map(lambda one: self._hand_over(desk, one), whole) if wrong]

    def _with_patient(self, session: Session, one: Ready) -> Ready:
        if one.content.patient_id:
            return one
        patient = known_patient(session, one.row) or make_patient(
            session, self._parts.auditor, self._context, one.row, one.site
        )
        return replace(one, content=replace(one.content, patient_id=str(patient.id)))

    def _hand_over(self, desk: Desk, one: Ready) -> Problem | None:
        token = self._case(one.row.number)
        settled = desk.open(self._context, token, one.content, By.STAFF, BULK)
        for _ in range(TRIES):
            if settled.outcome is not None:
                break
            settled = desk.hand_over(self._context, token, BULK)
        if settled.outcome is Outcome.APPLIED:
            return None
        words = settled.words or "the engine has not taken it yet"
        return Problem(one.row.line, "", "", words, LATER)


def _ours(number: str) -> int:
    """The number where it looks like those the store gives itself, else 0."""
    digits = number.removeprefix("R-")
    return int(digits) if digits != number and digits.isdigit() and len(digits) < 10 else 0


def lines_of(report: Report) -> Iterator[str]:
    """The report for the one who imported, without anything that a row says."""
    yield f"{len(report.opened)} referrals opened, {len(report.known)} were here, {report.patients} patients are new."
    if report.blank:
        yield f"{report.blank} rows are blank."
    for name in report.unknown_columns:
        yield f"Column “{name}” is not known and was not read."
    for one in report.problems:
        place = f"row {one.row}" + (f", {one.column}" if one.column else "")
        found = f" ({one.shape})" if one.shape else ""
        yield f"{place}{found}: {one.words}; {one.remedy}."
