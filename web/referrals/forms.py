"""The form of each step: which questions it asks, and what was answered as facts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from activities.records.base import new_id
from activities.records.organization import Organization
from rules.referral.steps import MISSING
from rules.referral.table import STEPS
from rules.referral.vocabulary import Consent, Coverage, Direction, Facts, Need, Priority, Reached, Reason, Step
from web.fields import Choice, FieldGroup, FieldKind, FieldView, FormView
from web.referrals.sides import label

CHANNELS = (
    Choice("phone", "Phone"),
    Choice("in-person", "In person"),
    Choice("letter", "Letter"),
    Choice("text", "Text"),
    Choice("fax", "Fax"),
)
OUTCOMES = {
    Step.SENDING: (
        Choice(Coverage.CLEAR, "Coverage is fine", "send now"),
        Choice(Coverage.CHECK, "Check coverage first", "network, referral number or authorization"),
    ),
    Step.CALL: (
        Choice("announced", "They know it is urgent"),
        Choice("voicemail", "Voicemail left"),
        Choice("no-answer", "Nobody reached"),
    ),
    Step.ATTEMPT: (
        Choice(Reached.REACHED, "Reached"),
        Choice(Reached.VOICEMAIL, "Voicemail left"),
        Choice(Reached.NO_ANSWER, "No answer"),
        Choice(Reached.WRONG_NUMBER, "Wrong number"),
        Choice(Reached.REFUSED, "Does not want it"),
    ),
    Step.CHASE: (
        Choice("promised", "They promise a date"),
        Choice("no-answer", "Nobody reached"),
        Choice("sent-again", "They say it was sent"),
    ),
    Step.FOLLOW_UP: (
        Choice("ordered", "Follow-ups are ordered"),
        Choice("declined", "Follow-ups were declined"),
        Choice("none", "None were recommended"),
    ),
}
REASONS = {
    Step.DECLINE: (
        *(Reason.NO_CAPACITY, Reason.OUT_OF_SCOPE, Reason.WRONG_SPECIALTY, Reason.NETWORK),
        *(Reason.MISSING_INFORMATION, Reason.GEOGRAPHY, Reason.PROVIDER_UNAVAILABLE, Reason.PATIENT_DECLINED),
        *(Reason.DUPLICATE, Reason.OTHER),
    ),
    Step.CANCELLATION: (
        *(Reason.NO_LONGER_NEEDED, Reason.PATIENT_DECLINED, Reason.DUPLICATE, Reason.TREATED_ELSEWHERE, Reason.OTHER),
    ),
    Step.NEW_RECIPIENT: (Reason.PATIENT_CHOICE, Reason.SECOND_OPINION, Reason.NO_CAPACITY, Reason.OTHER),
    Step.EXPIRY: (Reason.UNABLE_TO_CONTACT, Reason.NO_LONGER_NEEDED, Reason.TREATED_ELSEWHERE, Reason.OTHER),
    Step.CLOSURE: (
        *(Reason.TREATED_ELSEWHERE, Reason.PATIENT_DECLINED, Reason.UNABLE_TO_CONTACT, Reason.NO_LONGER_NEEDED),
        *(Reason.NONE_WILL_COME, Reason.DUPLICATE, Reason.OTHER),
    ),
}
REASON_WORDS = {
    Reason.OUT_OF_SCOPE: "Outside what they do",
    Reason.NO_CAPACITY: "No capacity",
    Reason.NETWORK: "Network or insurance",
    Reason.MISSING_INFORMATION: "Information missing",
    Reason.WRONG_SPECIALTY: "Wrong specialty",
    Reason.PATIENT_DECLINED: "Patient declined",
    Reason.DUPLICATE: "Duplicate",
    Reason.GEOGRAPHY: "Too far away",
    Reason.PROVIDER_UNAVAILABLE: "Provider not available",
    Reason.UNABLE_TO_CONTACT: "Patient not reached",
    Reason.NO_LONGER_NEEDED: "No longer needed",
    Reason.TREATED_ELSEWHERE: "Treated elsewhere",
    Reason.NONE_WILL_COME: "No report will come",
    Reason.PATIENT_CHOICE: "The patient's own choice",
    Reason.SECOND_OPINION: "Second opinion",
    Reason.OTHER: "Another reason (say which)",
}
CONSENTS = (
    Choice(Consent.ON_FILE, "Written consent is on file"),
    Choice(Consent.WITHHELD, "Send without the labelled parts"),
)
DIAGNOSIS = re.compile(r"^[A-TV-Z][0-9][0-9AB](\.[0-9A-Z]{1,4})?$")
E = TypeVar("E", bound=StrEnum)
NOTE_LABELS = {
    Step.REVIEW: "Your plan",
    Step.INFORMATION_REQUEST: "What they ask for",
    Step.INFORMATION: "What was sent",
    Step.ADVICE: "Their advice",
    Step.REDIRECTION: "Where they say to send it",
    Step.NO_REPORT: "Why none will come",
}
INCOMING_NOTES = {
    Step.INFORMATION_REQUEST: "What you need",
    Step.ADVICE: "Your advice",
    Step.REDIRECTION: "Where it should go",
    Step.REPORT: "The report",
    Step.CANCELLATION_REFUSED: "Why it cannot be cancelled",
}
WITH_DOCUMENT = (Step.REPORT, Step.INFORMATION, Step.LATE_NOTE)
NO_REPORT = "Write the report, or choose the document that holds it."
AT_LABELS = {Step.APPOINTMENT: "When is the visit?", Step.VISIT: "When was the visit?"}
LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Asked:
    """The circumstances of a form: the clinic's zone, the partners one may choose, what is known of the case.

    `candidates` are (Task id, name) of who may be chosen, `documents` (id, title) of what may go along; `part_2` asks
    for consent; `covered` suggests that the plan is taken.
    """

    zone: ZoneInfo
    partners: tuple[Organization, ...] = ()
    candidates: tuple[tuple[str, str], ...] = ()
    diagnoses: tuple[str, ...] = ()
    question: str = ""
    part_2: bool = False
    covered: bool = True
    direction: Direction = Direction.OUT
    documents: tuple[tuple[str, str], ...] = ()

    def needs(self, step: Step) -> tuple[Need, ...]:
        """What the step's form asks for in these circumstances."""
        needs = STEPS[step].needs
        if step is Step.SENDING:
            needs = (*needs, Need.OUTCOME, *((Need.CONSENT,) if self.part_2 else ()))
        if step is Step.AMENDMENT:
            needs = (*needs, Need.DIAGNOSES)
        return needs


@dataclass(frozen=True)
class Answered:
    """The facts, and per field what is wrong with its answer."""

    facts: Facts
    errors: Mapping[str, str]


def read(step: Step, form: Mapping[str, str], asked: Asked) -> Answered:
    """The answers of a posted form; what is missing is said in the words of the rules."""
    facts = Facts(
        reason=_known(Reason, form.get("reason")),
        note=form.get("note", "").strip()[:LONGEST_NOTE],
        at=_instant(form.get("at", ""), asked.zone),
        recipient=_one_of(form.get("recipient"), [str(one.id) for one in asked.partners]),
        candidate=_one_of(form.get("candidate"), [task for task, _ in asked.candidates]),
        channel=_one_of(form.get("channel"), [one.value for one in CHANNELS]),
        outcome=_one_of(form.get("outcome"), [one.value for one in OUTCOMES.get(step, ())]),
        priority=_known(Priority, form.get("priority")),
        question=form.get("question", "").strip()[:LONGEST_NOTE],
        diagnoses=codes(form.get("diagnoses", "")),
        consent=_known(Consent, form.get("consent")),
        document=_one_of(form.get("document"), [one for one, _ in asked.documents]),
    )
    return Answered(facts, _wrong(step, facts, asked))


def _wrong(step: Step, facts: Facts, asked: Asked) -> dict[str, str]:
    errors = {need.value: MISSING[need] for need in asked.needs(step) if not getattr(facts, need.value)}
    if facts.reason is Reason.OTHER and not facts.note:
        errors["note"] = "Say which reason it is."
    if unlike := [code for code in facts.diagnoses if not DIAGNOSIS.match(code)]:
        errors["diagnoses"] = f"{unlike[0]} does not look like an ICD-10-CM code such as M25.561."
    if step is Step.REPORT and asked.direction is Direction.IN and not (facts.note or facts.document):
        errors["note"] = NO_REPORT
    if step is Step.SENDING and not asked.diagnoses:
        errors["outcome"] = MISSING[Need.DIAGNOSES]
    return errors


def codes(words: str) -> tuple[str, ...]:
    """Diagnosis codes as typed: separated by commas or spaces, in any case."""
    return tuple(code.upper() for code in re.split(r"[,;\s]+", words) if code)


def _known(kind: type[E], word: str | None) -> E | None:
    return kind(word) if word and word in set(kind) else None


def _one_of(word: str | None, known: list[str]) -> str:
    return word if word and word in known else ""


def step_form(
    step: Step,
    url: str,
    cancel_url: str,
    asked: Asked,
    form: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    told: str = "",
) -> FormView:
    """The form of a step, with what was typed kept and each error beside its field."""
    given, wrong, rule, named = form or {}, errors or {}, STEPS[step], label(step, asked.direction).rstrip("…")
    fields = [_field(step, need, asked) for need in asked.needs(step)]
    if step is Step.AMENDMENT:
        fields.insert(0, FieldView("question", "Question for the specialist", FieldKind.LONG_TEXT, (asked.question,)))
    if step is Step.NEW_RECIPIENT:
        fields.append(replace(_field(step, Need.REASON, asked), required=False))
    if Need.NOTE not in rule.needs:
        fields.append(replace(_field(step, Need.NOTE, asked), label=_note_label(step, asked), required=False))
    if step in WITH_DOCUMENT and asked.documents:
        choices = tuple(Choice(one, title) for one, title in asked.documents)
        fields.append(FieldView("document", "Document", FieldKind.CHOICE, options=choices, required=False))
    kept = [
        replace(one, values=(given[one.name],) if given.get(one.name) else one.values, error=wrong.get(one.name, ""))
        for one in fields
    ]
    return FormView(
        title=named,
        url=url,
        submit=named,
        groups=(FieldGroup(tuple(kept)),),
        sends=(("token", given.get("token") or str(new_id())),),
        problem=problem,
        told=told,
        cancel_url=cancel_url,
    )


def _note_label(step: Step, asked: Asked) -> str:
    return INCOMING_NOTES.get(step, "Note") if asked.direction is Direction.IN else "Note"


def _field(step: Step, need: Need, asked: Asked) -> FieldView:
    match need:
        case Need.REASON:
            choices = tuple(Choice(reason, REASON_WORDS[reason]) for reason in REASONS.get(step, tuple(Reason)))
            return FieldView("reason", "Reason", FieldKind.CHOICE, options=choices)
        case Need.NOTE:
            words = INCOMING_NOTES.get(step) if asked.direction is Direction.IN else None
            words = words or NOTE_LABELS.get(step, "In a few words")
            return FieldView("note", words, FieldKind.LONG_TEXT, longest=LONGEST_NOTE)
        case Need.AT:
            hint = f"{asked.zone.key.rpartition('/')[2].replace('_', ' ')} time"
            return FieldView("at", AT_LABELS.get(step, "When?"), FieldKind.DATE_TIME, hint=hint)
        case Need.RECIPIENT:
            choices = tuple(Choice(str(one.id), one.name, ", ".join(one.services)) for one in asked.partners)
            return FieldView("recipient", "Specialist", FieldKind.CHOICE, options=choices)
        case Need.CHANNEL:
            return FieldView("channel", "How", FieldKind.CHOICE, options=CHANNELS)
        case Need.OUTCOME:
            label = "Coverage and network" if step is Step.SENDING else "What came of it"
            suggested = ((Coverage.CLEAR if asked.covered else Coverage.CHECK),) if step is Step.SENDING else ()
            return FieldView("outcome", label, FieldKind.CHOICE, suggested, OUTCOMES[step])
        case Need.CANDIDATE:
            choices = tuple(Choice(task, name) for task, name in asked.candidates)
            return FieldView("candidate", "Specialist", FieldKind.CHOICE, options=choices)
        case Need.CONSENT:
            hint = "Part of this record is under 42 CFR Part 2"
            return FieldView("consent", "Consent", FieldKind.CHOICE, options=CONSENTS, hint=hint)
        case Need.DIAGNOSES:
            typed = (", ".join(asked.diagnoses),) if asked.diagnoses else ()
            hint = "ICD-10-CM codes, separated by commas"
            return FieldView("diagnoses", "Diagnoses", values=typed, hint=hint)
        case Need.PRIORITY:
            choices = tuple(Choice(one, one.capitalize() if one != "stat" else "STAT") for one in Priority)
            return FieldView("priority", "New priority", FieldKind.CHOICE, options=choices)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """A date-time field's value in the clinic's zone, as an instant."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) if text else None
    except ValueError:
        return None
