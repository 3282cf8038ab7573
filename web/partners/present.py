"""The partner directory, one partner, and the call sheet: what partners/*.html render."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from activities.records.as_paper import phone_words
from activities.records.organization import Organization, Transport
from activities.records.queries.case_lines import CaseLine
from activities.records.queries.partners import Call, Entry, Measures
from rules.access import Permission
from web.access import Person
from web.patients.page import case_row
from web.patients.present import CaseRow
from web.present import Act, PatientLine, Tag, Tone, age_and_sex, family_first, moment_words, short_date, us_date
from web.referrals.present import Fact
from web.signed_in import Clinic

TRANSPORTS = {Transport.FHIR: Tag("Connected", Tone.OK, "plug-connected"), Transport.PAPER: Tag("Fax and phone")}
ASK = {
    "sent": "Has it arrived?",
    "triage": "Do they take it?",
    "scheduling": "When is the visit?",
    "outreach": "Have they reached the patient?",
    "scheduled": "Did the patient come?",
    "no_show": "When is the new visit?",
    "seen": "When does the report come?",
    "cancel_requested": "Is it cancelled?",
}


@dataclass(frozen=True)
class PartnerRow:
    """A partner in the directory; `answer` and `report` are median days in words."""

    url: str
    name: str
    services: str
    transport: Tag
    phone: str
    open: int
    late: int
    reports: int
    answer: str
    report: str
    next_open: str


@dataclass(frozen=True)
class PacketList:
    """What the specialist wants to be sent for a service."""

    service: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class PartnerPage:
    """One partner. `cases` is None for people who may not read referrals."""

    name: str
    transport: Tag
    reach: tuple[Fact, ...]
    takes: tuple[Fact, ...]
    packets: tuple[PacketList, ...]
    measured: tuple[Fact, ...]
    cases: tuple[CaseRow, ...] | None
    counted: str
    edit_url: str = ""
    calls_url: str = ""
    done: str = ""


@dataclass(frozen=True)
class CallRow:
    """One referral on the call sheet: who it is about, what to ask, and when somebody last called."""

    case: CaseRow
    patient: PatientLine
    ask: str
    called: str
    log: Act | None


@dataclass(frozen=True)
class CallSheet:
    """What one call can settle; `title` counts it."""

    name: str
    title: str
    missing: str
    phone: str
    phone_url: str
    hours: str
    fax: str
    rows: tuple[CallRow, ...]
    back_url: str


def partner_row(entry: Entry, today: date) -> PartnerRow:
    """A line of the directory."""
    partner = entry.partner
    return PartnerRow(
        url=f"/partners/{partner.id}",
        name=partner.name,
        services=", ".join(partner.services),
        transport=TRANSPORTS[Transport(partner.transport)],
        phone=phone_words(partner.phone),
        open=entry.open,
        late=entry.late,
        reports=entry.reports,
        answer=days_words(entry.measures.answer),
        report=days_words(entry.measures.report),
        next_open=short_date(partner.next_open_on, today) if partner.next_open_on else "",
    )


def days_words(days: float | None) -> str:
    """`3.5 d`, `4 h` under a day, or empty without a case to measure."""
    if days is None:
        return ""
    if days < 1:
        return f"{max(1, round(days * 24))} h"
    return f"{days:.1f}".removesuffix(".0") + " d"


def partner_page(entry: Entry, cases: tuple[CaseRow, ...] | None, person: Person, today: date) -> PartnerPage:
    """One partner in words."""
    partner = entry.partner
    url = f"/partners/{partner.id}"
    late = f" · {entry.late} overdue" if entry.late else ""
    return PartnerPage(
        name=partner.name,
        transport=TRANSPORTS[Transport(partner.transport)],
        reach=_reach(partner),
        takes=_takes(partner, today),
        packets=tuple(PacketList(one, packet_items(partner, one)) for one in partner.services),
        measured=_measured(entry.measures),
        cases=cases,
        counted=f"{entry.open} open{late}",
        edit_url=f"{url}/entry" if person.may(Permission.PARTNER_WRITE) else "",
        calls_url=f"{url}/calls" if cases else "",
    )


def packet_items(partner: Organization, service: str) -> tuple[str, ...]:
    """The checklist of a service."""
    kept = partner.packet.get(service, [])
    return tuple(str(one) for one in kept) if isinstance(kept, list) else ()


def _reach(partner: Organization) -> tuple[Fact, ...]:
    told = (
        ("Phone", phone_words(partner.phone)),
        ("Hours", partner.hours),
        ("Fax", phone_words(partner.fax)),
        ("FHIR address", partner.fhir_address),
        ("NPI", partner.npi),
    )
    return tuple(Fact(label, (words,)) for label, words in told if words)


def _takes(partner: Organization, today: date) -> tuple[Fact, ...]:
    opening = short_date(partner.next_open_on, today) if partner.next_open_on else "Not asked yet"
    return (
        Fact("Services", tuple(partner.services) or ("None listed",)),
        Fact("Plans taken", tuple(partner.plans) or ("Not asked yet",)),
        Fact("Next open date", (opening,)),
    )


def _measured(measures: Measures) -> tuple[Fact, ...]:
    spans = (("To answer", measures.answer, measures.answered), ("To report", measures.report, measures.reported))
    return tuple(
        Fact(label, (f"{days_words(days)}, median of {_counted(count, 'case')}" if count else "No case in a year",))
        for label, days, count in spans
    )


def call_sheet(entry: Entry, calls: list[Call], person: Person, now: datetime, of: Clinic) -> CallSheet:
    """The sheet in words."""
    partner, count = entry.partner, len(calls)
    url = f"/partners/{partner.id}"
    return CallSheet(
        name=partner.name,
        title=f"{_counted(count, 'referral')} with {partner.name}",
        missing=f"{_counted(entry.reports, 'report')} missing" if entry.reports else "",
        phone=phone_words(partner.phone),
        phone_url="tel:" + "".join(one for one in partner.phone if one.isdigit() or one == "+"),
        hours=partner.hours,
        fax=phone_words(partner.fax),
        rows=tuple(_call_row(one, person, now, of) for one in calls),
        back_url=url,
    )


def _call_row(call: Call, person: Person, now: datetime, of: Clinic) -> CallRow:
    patient, request = call.line.patient, call.line.request
    age = age_and_sex(patient.birth_date, patient.sex, now.astimezone(of.zone).date())
    step = call.line.task.outcomes[0] if call.line.task and call.line.task.outcomes else ""
    logs = "chase" if request.stage == "seen" else step
    called = moment_words(call.called, now, of.zone) if call.called else ""
    return CallRow(
        case=replace(case_row(call.line, person, now, of), number=request.number),
        patient=PatientLine(family_first(patient.family, patient.given), us_date(patient.birth_date), age, patient.mrn),
        ask=ASK.get(request.stage, call.line.process.next_action),
        called=f"Called {_times(call.calls)}, last {called}" if called else "Not called yet",
        log=Act("Log the answer", f"/referrals/{request.id}/{logs}", "phone-call")
        if logs and person.may(Permission.REFERRAL_ACT)
        else Act("Open", f"/referrals/{request.id}"),
    )


def partner_case(line: CaseLine, person: Person, now: datetime, of: Clinic) -> CaseRow:
    """An open referral on its partner's page, where the patient says more than the partner."""
    name = family_first(line.patient.family, line.patient.given)
    return replace(case_row(line, person, now, of), number=f"{line.request.number} · {name}")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
