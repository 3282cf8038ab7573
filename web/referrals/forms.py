"""The form of each step: which questions it asks, and what was answered as facts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from activities.records.base import new_id
from activities.records.organization import Organization
from rules.referral.steps import MISSING, STEPS
from rules.referral.vocabulary import Facts, Need, Priority, Reason, Step
from web.fields import Choice, FieldGroup, FieldKind, FieldView, FormView

CHANNELS = (
    Choice("phone", "Phone"),
    Choice("in-person", "In person"),
    Choice("letter", "Letter"),
    Choice("text", "Text"),
    Choice("fax", "Fax"),
)
OUTCOMES = {
    Step.ATTEMPT: (
        Choice("reached", "Reached"),
        Choice("voicemail", "Voicemail left"),
        Choice("no-answer", "No answer"),
        Choice("wrong-number", "Wrong number"),
        Choice("refused", "Does not want it"),
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
    Reason.OTHER: "Another reason (say which)",
}
NOTE_LABELS = {
    Step.REVIEW: "Your plan",
    Step.INFORMATION_REQUEST: "What they ask for",
    Step.INFORMATION: "What was sent",
    Step.ADVICE: "Their advice",
    Step.REDIRECTION: "Where they say to send it",
    Step.NO_REPORT: "Why none will come",
}
AT_LABELS = {Step.APPOINTMENT: "When is the visit?", Step.VISIT: "When was the visit?"}
LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Asked:
    """The circumstances of a form: the clinic's zone, the partners one may choose."""

    zone: ZoneInfo
    partners: tuple[Organization, ...] = ()


@dataclass(frozen=True)
class Answered:
    """The facts, and per field what is wrong with its answer."""

    facts: Facts
    errors: Mapping[str, str]


def read(step: Step, form: Mapping[str, str], asked: Asked) -> Answered:
    """The answers of a posted form; what is missing is said in the words of the rules."""
    errors: dict[str, str] = {}
    reason, priority = form.get("reason", ""), form.get("priority", "")
    facts = Facts(
        reason=Reason(reason) if reason in set(Reason) else None,
        note=form.get("note", "").strip()[:LONGEST_NOTE],
        at=_instant(form.get("at", ""), asked.zone),
        recipient=next((str(one.id) for one in asked.partners if str(one.id) == form.get("recipient")), ""),
        channel=form.get("channel", "") if form.get("channel") in {one.value for one in CHANNELS} else "",
        outcome=form.get("outcome", "") if form.get("outcome") in {one.value for one in OUTCOMES.get(step, ())} else "",
        priority=Priority(priority) if priority in set(Priority) else None,
    )
    for need in STEPS[step].needs:
        if not getattr(facts, need.value):
            errors[need.value] = MISSING[need]
    if facts.reason is Reason.OTHER and not facts.note:
        errors["note"] = "Say which reason it is."
    return Answered(facts, errors)


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
    given, wrong, rule = form or {}, errors or {}, STEPS[step]
    fields = [_field(step, need, asked) for need in rule.needs]
    if Need.NOTE not in rule.needs:
        fields.append(replace(_field(step, Need.NOTE, asked), label="Note", required=False))
    kept = [
        replace(one, values=(given[one.name],) if given.get(one.name) else (), error=wrong.get(one.name, ""))
        for one in fields
    ]
    return FormView(
        title=rule.label.rstrip("…"),
        url=url,
        submit=rule.label.rstrip("…"),
        groups=(FieldGroup(tuple(kept)),),
        sends=(("token", given.get("token") or str(new_id())),),
        problem=problem,
        told=told,
        cancel_url=cancel_url,
    )


def _field(step: Step, need: Need, asked: Asked) -> FieldView:
    match need:
        case Need.REASON:
            choices = tuple(Choice(reason, REASON_WORDS[reason]) for reason in REASONS.get(step, tuple(Reason)))
            return FieldView("reason", "Reason", FieldKind.CHOICE, options=choices)
        case Need.NOTE:
            return FieldView("note", NOTE_LABELS.get(step, "In a few words"), FieldKind.LONG_TEXT, longest=LONGEST_NOTE)
        case Need.AT:
            hint = f"{asked.zone.key.rpartition('/')[2].replace('_', ' ')} time"
            return FieldView("at", AT_LABELS.get(step, "When?"), FieldKind.DATE_TIME, hint=hint)
        case Need.RECIPIENT:
            choices = tuple(Choice(str(one.id), one.name, ", ".join(one.services)) for one in asked.partners)
            return FieldView("recipient", "Specialist", FieldKind.CHOICE, options=choices)
        case Need.CHANNEL:
            return FieldView("channel", "How", FieldKind.CHOICE, options=CHANNELS)
        case Need.OUTCOME:
            return FieldView("outcome", "What came of it", FieldKind.CHOICE, options=OUTCOMES[step])
        case Need.PRIORITY:
            choices = tuple(Choice(one, one.capitalize() if one != "stat" else "STAT") for one in Priority)
            return FieldView("priority", "New priority", FieldKind.CHOICE, options=choices)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """A date-time field's value in the clinic's zone, as an instant."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) if text else None
    except ValueError:
        return None
