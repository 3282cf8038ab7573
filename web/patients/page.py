"""A patient's page and the search results in words, filled from the store."""

from collections.abc import Iterable
from datetime import datetime

from activities.records.appointment import Appointment
from activities.records.as_paper import phone_words
from activities.records.document_reference import DocumentReference
from activities.records.patient import Patient
from activities.records.queries.case_lines import CaseLine
from activities.records.queries.case_trail import Look
from activities.records.queries.chart import Chart
from activities.records.queries.search import Found
from activities.records.queries.summary import Summary
from rules.access import Permission
from rules.referral.vocabulary import Reason, Stage
from web.access import Person
from web.patients.chart_rows import allergy_rows, coverage_rows, medication_rows, problem_rows, reach
from web.patients.present import CaseRow, FoundRow, LookRow, PatientPage, PatientsPage
from web.present import Act, EmptyState, Owner, Tag, Tone, age_and_sex, due_words, family_first, moment_words, us_date
from web.referrals.forms import REASON_WORDS
from web.referrals.next_action import pool_words
from web.referrals.page import banner
from web.referrals.present import DocumentLine, Fact
from web.referrals.words import STAGE_WORDS, stage_tag
from web.signed_in import Clinic, owner

SEX = {"female": "Female", "male": "Male", "other": "Other", "unknown": "Not recorded"}
SHOWN_CASES = 3


def patient_page(
    chart: Chart, documents: list[DocumentReference], looks: list[Look] | None, names: dict[str, str],
    person: Person, now: datetime, of: Clinic,
) -> PatientPage:  # fmt: skip
    """The whole page."""
    patient = chart.patient
    return PatientPage(
        patient=banner(chart.summary, now.astimezone(of.zone).date()),
        primary=Act("New referral", f"/referrals/new/{patient.id}", "plus", key="N", filled=True)
        if person.may(Permission.REFERRAL_CREATE)
        else None,
        cases=tuple(case_row(one, person, now, of) for one in chart.open),
        past=tuple(_past_row(one, now, of) for one in chart.past),
        allergies=allergy_rows(chart.summary),
        none_known=us_date(chart.summary.none_known_on) if chart.summary.none_known_on else "",
        problems=problem_rows(chart.summary),
        medications=medication_rows(chart.summary),
        visits=tuple(_visit(one, now, of) for one in chart.visits),
        reach=reach(chart.summary),
        coverage=coverage_rows(chart.summary),
        documents=tuple(_document(one, now, of) for one in documents),
        identity=_identity(chart.summary, of),
        looks=None if looks is None else tuple(_look(one, names, now, of) for one in looks),
    )


def case_row(line: CaseLine, person: Person, now: datetime, of: Clinic, asked_for: bool = False) -> CaseRow:
    """An open case with its next action."""
    return CaseRow(
        title=f"{line.request.service} referral",
        url=f"/referrals/{line.request.id}",
        number=f"{line.request.number} · {line.partner}",
        action=line.process.next_action,
        status=stage_tag(line.request.stage, late=is_late(line, now)),
        owner=holder(line, person),
        due=due_words(line.due, now, of.zone) if line.due else None,
        asked_for=asked_for,
    )


def is_late(line: CaseLine, now: datetime) -> bool:
    """Whether its deadline has passed."""
    return line.due is not None and line.due < now


def holder(line: CaseLine, person: Person) -> Owner:
    """Who holds the next action: somebody, or a pool."""
    if line.owner:
        return owner(line.owner, mine=bool(line.task and line.task.owner == person.account))
    return Owner(pool_words(line.process.next_owner), "")


def _past_row(line: CaseLine, now: datetime, of: Clinic) -> CaseRow:
    request = line.request
    ended = moment_words(request.closed_at, now, of.zone) if request.closed_at else ""
    reason = f": {REASON_WORDS[Reason(request.close_reason)].lower()}" if request.close_reason else ""
    return CaseRow(
        f"{request.service} referral",
        f"/referrals/{request.id}",
        f"{request.number} · {line.partner}",
        f"{STAGE_WORDS[Stage(request.stage)]} {ended}{reason}",
        stage_tag(request.stage),
    )


def _visit(row: Appointment, now: datetime, of: Clinic) -> Fact:
    return Fact(moment_words(row.starts_at, now, of.zone), ("Booked",))


def _identity(chart: Summary, of: Clinic) -> tuple[Fact, ...]:
    patient = chart.patient
    called = tuple(one.words for one in chart.names)
    return (
        Fact("Name", (family_first(patient.family, patient.given),)),
        *((Fact("Also", called),) if called else ()),
        Fact("Born", (us_date(patient.birth_date),)),
        Fact("Sex", (SEX[patient.sex],)),
        Fact("MRN", (patient.mrn,)),
        Fact("Site", (of.site(patient.site) if patient.site else "Not recorded",)),
    )


def _document(row: DocumentReference, now: datetime, of: Clinic) -> DocumentLine:
    pages = f"{row.pages} {'page' if row.pages == 1 else 'pages'}"
    return DocumentLine(
        row.title, f"{moment_words(row.received_at, now, of.zone)} · {pages}", f"/documents/{row.id}", "file-text"
    )


def _look(look: Look, names: dict[str, str], now: datetime, of: Clinic) -> LookRow:
    times = f", {look.times} times" if look.times > 1 else ""
    return LookRow(f"{names.get(look.actor, 'Careloop')}{times}", moment_words(look.at, now, of.zone))


def patients_page(
    asked_for: str, found: Iterable[Found] | None, recent: Iterable[Patient], person: Person, now: datetime, of: Clinic
) -> PatientsPage:
    """The search before and after."""
    rows = None if found is None else tuple(_found(one, person, now, of) for one in found)
    empty = None
    if rows == ():
        empty = EmptyState(
            "No patient or case matches",
            "Check the spelling, or search by birth date (MM/DD/YYYY), phone, MRN or referral number.",
            icon="search",
            good=False,
        )
    return PatientsPage(asked_for, rows, tuple(_recent(one, now, of) for one in recent), empty)


def _found(found: Found, person: Person, now: datetime, of: Clinic) -> FoundRow:
    cases = tuple(case_row(one, person, now, of, one.request.id == found.case) for one in found.cases)
    row = _recent(found.patient, now, of)
    return FoundRow(row.name, row.second, row.url, cases, row.tags)


def _recent(patient: Patient, now: datetime, of: Clinic) -> FoundRow:
    age = age_and_sex(patient.birth_date, patient.sex, now.astimezone(of.zone).date())
    facts = [us_date(patient.birth_date), age, patient.mrn, phone_words(patient.phone)]
    facts += [of.site(patient.site)] if patient.site else []
    second = " · ".join(one for one in facts if one)
    tags = tuple(Tag(words, Tone.OUTLINE, "info-circle") for words in patient.alerts if "same name" in words)
    return FoundRow(family_first(patient.family, patient.given), second, f"/patients/{patient.id}", (), tags)
