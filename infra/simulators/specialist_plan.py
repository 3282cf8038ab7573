"""What a simulated specialist does with a referral, and how each act shows in the Task."""

import base64
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import Coding, Concept, moment, write_concept
from activities.formats.fhir.task_step import Business, TaskStatus, business_concept
from rules.referral.vocabulary import Step

Json = dict[str, Any]


class Act(StrEnum):
    """Answers, then ways of delivering them badly, then ways of taking a referral in badly."""

    RECEIVE = "receive"
    ACCEPT = "accept"
    DECLINE = "decline"
    REDIRECT = "redirect"
    ADVISE = "advise"
    ASK = "ask"
    SCHEDULE = "schedule"
    NO_SHOW = "no-show"
    SEE = "see"
    PRELIMINARY = "preliminary"
    REPORT = "report"
    CANCEL = "cancel"
    KEEP = "keep"
    WRONG_PATIENT = "wrong-patient"
    UNKNOWN_STATUS = "unknown-status"
    DUPLICATE = "duplicate"
    LATE = "late"
    NEVER = "never"
    SLOW = "slow"
    UNAVAILABLE = "unavailable"
    SILENT = "silent"


# What becomes of a script at the referrer's word, where it says nothing of it itself.
_AFTER = {
    Step.CANCELLATION: Act.CANCEL,
    Step.INFORMATION: Act.ACCEPT,
    Step.CONVERSION: Act.ACCEPT,
}
AT_INTAKE = frozenset({Act.SLOW, Act.UNAVAILABLE, Act.SILENT})


@dataclass(frozen=True)
class Scripted:
    """One line of a script. `after`: seconds before it (None: the usual delay); `times`: of `unavailable` only."""

    act: Act
    after: float | None = None
    text: str = ""
    times: int = 1


def parse_script(lines: object) -> tuple[Scripted, ...]:
    """From JSON: `["accept", {"act": "report", "after": 0.5, "text": "…"}]`; raises ValueError naming what is wrong."""
    if not isinstance(lines, list):
        raise ValueError("a script is a list of acts")
    script = tuple(_line(line) for line in lines)
    answering = [one.act not in AT_INTAKE for one in script]
    if answering != sorted(answering):
        raise ValueError(f"{', '.join(sorted(AT_INTAKE))} come before the first answer")
    return script


def _line(line: object) -> Scripted:
    given = {"act": line} if isinstance(line, str) else line
    if not isinstance(given, dict) or not set(given) <= {"act", "after", "text", "times"}:
        raise ValueError("a line is an act's name, or an object of act, after, text and times")
    after = given.get("after")
    return Scripted(
        Act(given.get("act", "")),
        None if after is None else float(after),
        str(given.get("text", "")),
        int(given.get("times", 1)),
    )


def written(script: tuple[Scripted, ...]) -> list[Json]:
    return [{"act": one.act, "after": one.after, "text": one.text, "times": one.times} for one in script]


def heard(rest: tuple[Scripted, ...], word: Step) -> tuple[Scripted, ...] | None:
    """The lines that are left, after the referrer's word; None: they stay as they are.

    `cancel` and `keep` are the answers to a cancellation, at once; `never` waits for information. Who was not
    selected says nothing more.
    """
    if word is Step.CLOSURE:
        return ()
    if word not in _AFTER:
        return None
    wanted = (Act.CANCEL, Act.KEEP) if word is Step.CANCELLATION else (Act.NEVER,)
    place = next((place for place, one in enumerate(rest) if one.act in wanted), None)
    if place is None:
        return rest if rest and word is not Step.CANCELLATION else (Scripted(_AFTER[word]),)
    if word is Step.CANCELLATION:
        return (replace(rest[place], after=None), *rest[place + 1 :])
    return rest[place + 1 :] or (Scripted(_AFTER[word]),)


_USUAL = (
    (60, (Act.ACCEPT, Act.SCHEDULE, Act.SEE, Act.REPORT)),
    (10, (Act.DECLINE,)),
    (10, (Act.ASK,)),
    (10, (Act.ACCEPT, Act.SCHEDULE, Act.NO_SHOW)),
    (5, (Act.ACCEPT, Act.SCHEDULE, Act.SEE, Act.REPORT, Act.DUPLICATE)),
    (3, (Act.REPORT, Act.ACCEPT)),
    (2, (Act.NEVER,)),
)


def drawn(seed: int, number: str) -> tuple[Scripted, ...]:
    """A plan by lot, always the same for the same seed and referral."""
    lot = random.Random(f"{seed}:{number}")
    (chosen,) = lot.choices([acts for _, acts in _USUAL], [weight for weight, _ in _USUAL])
    return tuple(Scripted(act) for act in chosen)


_STATUS: dict[Act, tuple[TaskStatus, Business | None]] = {
    Act.RECEIVE: (TaskStatus.RECEIVED, None),
    Act.ACCEPT: (TaskStatus.ACCEPTED, None),
    Act.DECLINE: (TaskStatus.REJECTED, None),
    Act.REDIRECT: (TaskStatus.REJECTED, Business.REDIRECTED),
    Act.ADVISE: (TaskStatus.COMPLETED, Business.ADVICE_GIVEN),
    Act.ASK: (TaskStatus.RECEIVED, Business.AWAITING_INFORMATION),
    Act.SCHEDULE: (TaskStatus.IN_PROGRESS, Business.VISIT_SCHEDULED),
    Act.NO_SHOW: (TaskStatus.IN_PROGRESS, Business.NO_SHOW),
    Act.SEE: (TaskStatus.IN_PROGRESS, Business.VISIT_COMPLETE),
    Act.PRELIMINARY: (TaskStatus.IN_PROGRESS, Business.PRELIMINARY_OUTCOME),
    Act.REPORT: (TaskStatus.COMPLETED, None),
    Act.CANCEL: (TaskStatus.CANCELLED, None),
    Act.KEEP: (TaskStatus.IN_PROGRESS, Business.CANCELLATION_REFUSED),
    Act.WRONG_PATIENT: (TaskStatus.ACCEPTED, None),
    Act.UNKNOWN_STATUS: (TaskStatus.ON_HOLD, None),
}
_WORDS = {
    Act.DECLINE: "We have no capacity for new patients this quarter.",
    Act.REDIRECT: "Please send this to a nephrologist.",
    Act.ADVISE: "No visit is needed: repeat the blood count in six weeks.",
    Act.ASK: "Please send the last colonoscopy report.",
    Act.NO_SHOW: "The patient did not come.",
    Act.KEEP: "The visit has taken place already.",
}


def acted(task: Json, step: Scripted, at: datetime) -> Json:
    """The Task as the specialist puts it, from the Task as just read."""
    status, business = _STATUS[step.act]
    changed = {name: value for name, value in task.items() if name not in ("businessStatus", "statusReason")}
    changed |= {"status": status.value, "lastModified": moment(at)}
    if business is not None:
        changed["businessStatus"] = write_concept(business_concept(business))
    words = step.text or _WORDS.get(step.act, "")
    if words:
        changed["note"] = [*task.get("note", []), {"time": moment(at), "text": words}]
    match step.act:
        case Act.DECLINE:
            changed["statusReason"] = {"coding": [{"system": systems.STATUS_REASON, "code": "no-capacity"}]}
        case Act.SCHEDULE:
            _attach(changed, "appointment", _appointment(task, at))
        case Act.SEE:
            changed["executionPeriod"] = {"start": moment(at - timedelta(minutes=30)), "end": moment(at)}
        case Act.REPORT | Act.PRELIMINARY:
            _attach(changed, "report", _report(task, step, at))
        case Act.WRONG_PATIENT:
            changed["for"] = {"reference": "Patient/00000000-0000-4000-8000-000000000000"}
        case Act.UNKNOWN_STATUS:
            changed["businessStatus"] = {"coding": [{"system": "https://partner.example/status", "code": "z9"}]}
    return changed


def _attach(task: Json, kind: str, resource: Json) -> None:
    held = task.get("contained", [])
    named = {**resource, "id": f"{kind}-{len(held) + 1}"}
    concept = write_concept(Concept((Coding(systems.OUTPUT, kind),)))
    task["contained"] = [*held, named]
    task["output"] = [
        *task.get("output", []),
        {"type": concept, "valueReference": {"reference": f"#{named['id']}"}},
    ]


def _appointment(task: Json, at: datetime) -> Json:
    start = (at + timedelta(days=7)).replace(hour=16, minute=0, second=0, microsecond=0)
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": moment(start),
        "end": moment(start + timedelta(minutes=30)),
        "participant": [{"actor": {"reference": task["for"]["reference"]}, "status": "accepted"}],
    }


def _report(task: Json, step: Scripted, at: datetime) -> Json:
    text = step.text or "Consultation report. Findings: unremarkable. Plan: back to the referring clinician."
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "preliminary" if step.act is Act.PRELIMINARY else "final",
        "type": write_concept(Concept((Coding(systems.LOINC, "11488-4", "Consult note"),))),
        "subject": {"reference": task["for"]["reference"]},
        "date": moment(at),
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "data": base64.b64encode(text.encode()).decode(),
                    "title": "Consultation report",
                }
            }
        ],
    }
