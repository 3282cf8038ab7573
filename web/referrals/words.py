"""A referral in words: its stage as a tag, its steps as a line, its events as sentences."""

from datetime import datetime
from zoneinfo import ZoneInfo

from activities.records.case_event import CaseEvent
from rules.referral.vocabulary import Reason, Stage, Step
from web.present import Tag, Tone, moment_words, short_date, status_tag
from web.referrals.forms import CHANNELS, OUTCOMES, REASON_WORDS

STAGE_WORDS = {
    Stage.DRAFT: "Draft",
    Stage.COVERAGE: "Coverage check",
    Stage.SENT: "Sent, no receipt",
    Stage.TRIAGE: "In triage",
    Stage.AWAITING_INFO: "Needs information",
    Stage.SCHEDULING: "To schedule",
    Stage.OUTREACH: "Not reached",
    Stage.SCHEDULED: "Scheduled",
    Stage.NO_SHOW: "No-show",
    Stage.SEEN: "Report due",
    Stage.REPORT_RECEIVED: "Review report",
    Stage.REVIEWED: "Tell patient",
    Stage.PATIENT_TOLD: "Follow-ups open",
    Stage.ADVICE: "Advice received",
    Stage.DECLINED: "Declined",
    Stage.REDIRECTED: "Redirected",
    Stage.CANCEL_REQUESTED: "Cancel requested",
    Stage.CANCELLED: "Cancelled",
    Stage.EXPIRED: "Expired",
    Stage.CLOSED: "Closed",
}
ICONS = {
    Step.OPENING: "pencil",
    Step.AMENDMENT: "edit",
    Step.COVERAGE_CLEARANCE: "shield-check",
    Step.CALL: "phone-call",
    Step.ANOTHER_CANDIDATE: "user-plus",
    Step.CHOICE: "user-check",
    Step.RECEIPT: "circle-check",
    Step.INFORMATION_REQUEST: "file-alert",
    Step.INFORMATION: "file-check",
    Step.REDIRECTION: "arrow-right",
    Step.ADVICE: "message-2",
    Step.ADVICE_ACCEPTANCE: "writing-sign",
    Step.CONVERSION: "replace",
    Step.NO_REPORT: "report-off",
    Step.FOLLOW_UP: "checklist",
    Step.CANCELLATION: "ban",
    Step.CANCELLATION_CONFIRMED: "circle-check",
    Step.CANCELLATION_REFUSED: "circle-x",
    Step.PRIORITY_CHANGE: "chevrons-up",
    Step.EXPIRY: "clock-off",
    Step.LATE_NOTE: "file-plus",
    Step.SENDING: "send",
    Step.NEW_RECIPIENT: "send",
    Step.DELIVERY: "circle-check",
    Step.DELIVERY_FAILURE: "circle-x",
    Step.ACCEPTANCE: "circle-check",
    Step.DECLINE: "circle-x",
    Step.APPOINTMENT: "calendar-check",
    Step.NO_SHOW: "user-x",
    Step.VISIT: "stethoscope",
    Step.REPORT: "file-text",
    Step.REVIEW: "writing-sign",
    Step.PATIENT_NOTICE: "user-check",
    Step.ATTEMPT: "phone-call",
    Step.CHASE: "phone-call",
    Step.OVERDUE: "clock-exclamation",
    Step.UNEXPECTED: "help-circle",
    Step.CLOSURE: "circle-check",
}
TONES = {
    Step.DELIVERY_FAILURE: Tone.DANGER,
    Step.DECLINE: Tone.DANGER,
    Step.OVERDUE: Tone.DANGER,
    Step.NO_SHOW: Tone.WARN,
    Step.UNEXPECTED: Tone.WARN,
    Step.INFORMATION_REQUEST: Tone.WARN,
    Step.ACCEPTANCE: Tone.OK,
    Step.DELIVERY: Tone.OK,
    Step.REPORT: Tone.OK,
    Step.APPOINTMENT: Tone.OK,
}
SYSTEM_WORDS = {
    Step.DELIVERY: "The referral was delivered",
    Step.DELIVERY_FAILURE: "The referral was not delivered",
    Step.OVERDUE: "No answer by the deadline; the owner was told",
}


def stage_tag(stage: str, late: bool = False) -> Tag:
    """The tag of a stage; a report that is `late` says so."""
    if late and stage == Stage.SEEN:
        return status_tag("Report late")
    return status_tag(STAGE_WORDS[Stage(stage)])


def said(event: CaseEvent, now: datetime, zone: ZoneInfo) -> str:
    """What was said with a step, after a colon."""
    facts = event.facts
    told = []
    if reason := facts.get("reason"):
        told.append(REASON_WORDS[Reason(str(reason))].lower())
    if at := facts.get("at"):
        told.append(moment_words(datetime.fromisoformat(str(at)), now, zone))
    told += [_answer(event.step, str(facts[name])) for name in ("channel", "outcome", "priority") if facts.get(name)]
    if note := facts.get("note"):
        told.append(f"“{note}”")
    return f": {', '.join(told)}" if told else ""


def _answer(step: str, value: str) -> str:
    """What was chosen, as its form says it."""
    choices = (*OUTCOMES.get(Step(step), ()), *CHANNELS)
    return next((one.label.lower() for one in choices if one.value == value), value.replace("-", " "))


def since_words(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A day as a step's fact: `Nov 4`."""
    return short_date(at.astimezone(zone).date(), now.astimezone(zone).date())
