"""Letters of a referral: which there are, what each asks, and its content for the typesetter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from activities.formats.pdf.content import (
    Language,
    Paper,
    PartnerLetter,
    PartnerLetterKind,
    Party,
    PatientLetter,
    PatientLetterKind,
)
from activities.records.as_paper import addressee, party, subject
from activities.records.queries.case import Case
from rules.referral.vocabulary import Step
from web.access import Person
from web.documents.present import LetterChoice
from web.fields import Choice, FieldGroup, FieldKind, FieldView, FormView

Kind = PatientLetterKind | PartnerLetterKind
LANGUAGES = (Choice(Language.ENGLISH, "English"), Choice(Language.SPANISH, "Spanish"))
LONGEST = 4000
TITLES: dict[Kind, tuple[str, str]] = {
    PatientLetterKind.APPOINTMENT: ("Your appointment", "When and where the visit is, what to bring"),
    PatientLetterKind.NOT_REACHED: ("We could not reach you", "Asks the patient to call within seven days"),
    PatientLetterKind.PLAN: ("What happens after your visit", "The clinician's plan after the report"),
    PatientLetterKind.CANCELLED: ("Your referral is cancelled", "Nothing to do, and whom to call"),
    PartnerLetterKind.REPORT_MISSING: ("We have not received your report", "Asks for the consult note"),
    PartnerLetterKind.RECORDS_REQUEST: ("Request for records", "Names the records we need"),
    PartnerLetterKind.CANCELLATION: ("This referral is cancelled", "Asks to confirm the cancellation"),
    PartnerLetterKind.NOT_SELECTED: ("This referral goes to another office", "Thanks, and asks to close it"),
}
SLUGS: dict[str, Kind] = {
    **{f"patient-{kind}": kind for kind in PatientLetterKind},
    **{f"partner-{kind}": kind for kind in PartnerLetterKind},
}


@dataclass(frozen=True)
class Written:
    """A letter as answered, and per field what is missing."""

    paper: Paper
    title: str
    errors: Mapping[str, str]


def choices(case: Case, url: str) -> tuple[tuple[str, tuple[LetterChoice, ...]], ...]:
    """The letters to the patient and those to the partner."""
    groups = (("To the patient", PatientLetterKind), (f"To {case.partner.name}", PartnerLetterKind))
    return tuple(
        (title, tuple(_choice(case, url, slug, kind) for slug, kind in SLUGS.items() if isinstance(kind, kinds)))
        for title, kinds in groups
    )


def form_view(
    case: Case, slug: str, url: str, given: Mapping[str, str], errors: Mapping[str, str] | None = None
) -> FormView:
    """The questions of one letter, with what was typed kept."""
    kind = SLUGS[slug]
    wrong = errors or {}
    kept = tuple(
        FieldView(
            **(
                vars(one)
                | {"error": wrong.get(one.name, ""), "values": (given[one.name],) if one.name in given else one.values}
            )
        )
        for one in _fields(case, kind)
    )
    return FormView(
        title=TITLES[kind][0],
        url=f"{url}/{slug}",
        submit="Make the letter",
        groups=(FieldGroup(kept),),
        sends=(("token", given.get("token") or str(uuid4())),),
        icon="file-text",
        told="Nothing is sent. The letter is kept with the case; print it, or fax it yourself.",
        cancel_url=url,
        cancel="Choose another letter",
    )


def write(
    case: Case, slug: str, given: Mapping[str, str], ours: Party, person: Person, now: datetime, zone: ZoneInfo
) -> Written:
    """The letter's content; dates are the clinic's."""
    kind = SLUGS[slug]
    if isinstance(kind, PatientLetterKind):
        return _to_patient(case, kind, given, ours, person, now.astimezone(zone))
    return _to_partner(case, kind, given, ours, person, now.astimezone(zone))


def lacks(case: Case, kind: Kind) -> str:
    """What must be known before a letter can be written."""
    if kind is PatientLetterKind.APPOINTMENT and case.request.visit_at is None:
        return "Record the appointment first."
    return ""


def _choice(case: Case, url: str, slug: str, kind: Kind) -> LetterChoice:
    title, words = TITLES[kind]
    return LetterChoice(f"{url}/{slug}", title, words, lacks(case, kind))


def _fields(case: Case, kind: Kind) -> tuple[FieldView, ...]:
    fields = []
    if isinstance(kind, PatientLetterKind):
        spoken = Language.SPANISH if case.patient.language == "es" else Language.ENGLISH
        fields.append(FieldView("language", "Language", FieldKind.CHOICE, (spoken,), LANGUAGES))
    if kind is PatientLetterKind.PLAN:
        hint = "In the patient's language. Taken from the review; say it so that the patient understands it."
        fields.append(_long("plan", "The plan", hint, _plan(case)))
    if kind is PartnerLetterKind.RECORDS_REQUEST:
        fields.append(_long("records", "Which records", "One on each line"))
    if kind in (PartnerLetterKind.CANCELLATION, PartnerLetterKind.NOT_SELECTED):
        fields.append(FieldView("reason", "Reason", required=False, hint="As a part of a sentence", longest=200))
    fields.append(_long("remark", "Anything else", "A paragraph of your own", required=False))
    return tuple(fields)


def _long(name: str, label: str, hint: str, value: str = "", *, required: bool = True) -> FieldView:
    values = (value,) if value else ()
    return FieldView(name, label, FieldKind.LONG_TEXT, values, hint=hint, required=required, rows=4, longest=LONGEST)


def _plan(case: Case) -> str:
    """What the clinician wrote when reviewing the report."""
    reviews = (event for event in case.events if event.step == Step.REVIEW)
    return next((str(event.facts.get("note", "")) for event in reviews), "")


def _to_patient(
    case: Case, kind: PatientLetterKind, given: Mapping[str, str], ours: Party, person: Person, now: datetime
) -> Written:
    plan = given.get("plan", "").strip()[:LONGEST]
    spoken = given.get("language", "")
    language = Language(spoken) if spoken in set(Language) else Language.ENGLISH
    visit = case.request.visit_at
    letter = PatientLetter(
        kind=kind,
        language=language,
        sender=ours,
        recipient=addressee(case.chart),
        number=case.request.number,
        written_on=now.date(),
        signed_by=person.name,
        signed_title=person.title,
        service=case.request.service,
        specialist=party(case.partner),
        visit_at=visit.astimezone(now.tzinfo) if visit else None,
        plan=plan,
        remark=given.get("remark", "").strip()[:LONGEST],
        interpreter=case.patient.interpreter,
    )
    wrong = {"plan": "Write the plan."} if kind is PatientLetterKind.PLAN and not plan else {}
    words = "Spanish" if language is Language.SPANISH else "English"
    return Written(letter, f"Letter to the patient: {TITLES[kind][0].lower()} ({words})", wrong)


def _to_partner(
    case: Case, kind: PartnerLetterKind, given: Mapping[str, str], ours: Party, person: Person, now: datetime
) -> Written:
    records = tuple(line.strip() for line in given.get("records", "")[:LONGEST].splitlines() if line.strip())
    visit = case.request.visit_at
    sent = next((event.at for event in reversed(case.events) if event.step == Step.SENDING), None)
    letter = PartnerLetter(
        kind=kind,
        sender=ours,
        recipient=party(case.partner),
        number=case.request.number,
        service=case.request.service,
        written_on=now.date(),
        signed_by=person.name,
        signed_title=person.title,
        patient=subject(case.patient),
        sent_on=sent.astimezone(now.tzinfo).date() if sent else None,
        seen_on=visit.astimezone(now.tzinfo).date() if visit else None,
        records=records,
        reason=given.get("reason", "").strip().rstrip(".")[:200],
        remark=given.get("remark", "").strip()[:LONGEST],
    )
    needs = kind is PartnerLetterKind.RECORDS_REQUEST and not records
    wrong = {"records": "Name the records, one on each line."} if needs else {}
    return Written(letter, f"Letter to {case.partner.name}: {TITLES[kind][0].lower()}", wrong)
