"""A new referral: who it is for, what is asked of whom."""

from collections.abc import Mapping

from activities.records.base import new_id
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.queries.case_lines import CaseLine
from activities.records.service_request import ReferralContent
from rules.referral.steps import STAGE_WORDS
from rules.referral.vocabulary import Priority, Stage
from web.access import Person
from web.fields import Choice, FieldGroup, FieldKind, FieldView, FormView
from web.referrals.forms import DIAGNOSIS, codes

LONGEST = 4000
URGENCY = (
    Choice("routine", "Routine", "seen within 30 days"),
    Choice("urgent", "Urgent", "seen within 7 days"),
    Choice("stat", "STAT", "seen within 24 hours"),
)


def read(form: Mapping[str, str], patient: Patient, partners: list[Organization], person: Person) -> ReferralContent:
    """The content as answered; `wrong` says what is missing in it."""
    chosen = next((one for one in partners if str(one.id) == form.get("performer_id")), None)
    priority = form.get("priority", "")
    return ReferralContent(
        patient_id=str(patient.id),
        performer_id=str(chosen.id) if chosen else "",
        service=form.get("service", "").strip()[:200],
        priority=Priority(priority) if priority in set(Priority) else Priority.ROUTINE,
        question=form.get("question", "").strip()[:LONGEST],
        requester=form.get("requester", "").strip() or person.name,
        diagnoses=codes(form.get("diagnoses", "")),
        site=patient.site,
    )


def wrong(content: ReferralContent) -> dict[str, str]:
    """Per field, what to enter."""
    errors: dict[str, str] = {}
    if not content.performer_id:
        errors["performer_id"] = "Choose who receives the referral."
    if not content.service:
        errors["service"] = "Enter the service, for example Cardiology."
    if not content.question:
        errors["question"] = "Write the question for the specialist."
    unlike = [code for code in content.diagnoses if not DIAGNOSIS.match(code)]
    if unlike:
        errors["diagnoses"] = f"{unlike[0]} does not look like an ICD-10-CM code such as M25.561."
    return errors


def form_view(
    url: str, cancel_url: str, partners: list[Organization], given: Mapping[str, str], errors: Mapping[str, str],
    problem: str = "", second: bool = False,
) -> FormView:  # fmt: skip
    """The questions, with what was typed kept; `second` lets a second referral for the same service through."""
    choices = tuple(Choice(str(one.id), one.name, ", ".join(one.services)) for one in partners)
    fields = (
        FieldView("performer_id", "Specialist", FieldKind.CHOICE, options=choices),
        FieldView("service", "Service", hint="For example Cardiology"),
        FieldView("priority", "Priority", FieldKind.CHOICE, values=("routine",), options=URGENCY),
        FieldView("question", "Question for the specialist", FieldKind.LONG_TEXT, rows=5, longest=LONGEST),
        FieldView("diagnoses", "Diagnoses", hint="ICD-10-CM codes, separated by commas", required=False),
        FieldView("requester", "Referring clinician", hint="Empty: you", required=False),
    )
    kept = tuple(
        FieldView(
            **{
                **vars(one),
                "values": (given[one.name],) if given.get(one.name) else one.values,
                "error": errors.get(one.name, ""),
            }
        )
        for one in fields
    )
    return FormView(
        title="What is asked",
        url=url,
        submit="Start a second referral" if second else "Start the referral",
        groups=(FieldGroup(kept),),
        sends=(("token", given.get("token") or str(new_id())), *((("second", "yes"),) if second else ())),
        problem=problem,
        cancel_url=cancel_url,
    )


def repeats(content: ReferralContent, live: list[CaseLine]) -> str:
    """Why this may be a duplicate: the patient has a live referral for the same service. Empty when it is none."""
    same = next((one for one in live if one.request.service.casefold() == content.service.casefold()), None)
    if same is None:
        return ""
    where = STAGE_WORDS[Stage(same.request.stage)]
    return (
        f"{same.request.number} for {same.request.service} to {same.partner} is still open and {where}. "
        "Nothing was started. Open that one, or start a second referral on purpose."
    )
