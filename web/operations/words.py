"""Messages and what stopped, in words."""

from datetime import timedelta

from activities.records.message_log import Direction, MessageState
from rules.referral.table import STEPS
from rules.referral.vocabulary import Step
from web.present import Tag, Tone, late_words

KINDS = {"fhir": "FHIR R4", "hl7v2": "HL7 v2", "x12": "X12", "script": "SCRIPT", "sms": "Text messages"}
STATES = {
    MessageState.RECEIVED: Tag("Under way", Tone.NEUTRAL, "clock-hour-4"),
    MessageState.FILED: Tag("Filed", Tone.OK, "circle-check"),
    MessageState.WAITING: Tag("Waits for a person", Tone.WARN, "hourglass"),
    MessageState.REJECTED: Tag("Rejected", Tone.DANGER, "circle-x"),
    MessageState.READY: Tag("Ready to send", Tone.NEUTRAL, "send"),
    MessageState.SENDING: Tag("Being sent", Tone.NEUTRAL, "send"),
    MessageState.SENT: Tag("Sent", Tone.OK, "circle-check"),
    MessageState.UNKNOWN: Tag("No answer", Tone.WARN, "help-circle"),
    MessageState.REFUSED: Tag("Refused", Tone.DANGER, "circle-x"),
}
MESSAGES = {
    "fhir.task-update": "Answer to a referral",
    "fhir.referral": "Referral",
    "fhir.referral-update": "Word of a referral",
    "fhir.task-answer": "Our answer to a referral",
    "fhir.document": "Document",
    "fhir.binary": "Bytes of a document",
    "task-update": "Answer to a referral",
}


def kind_words(kind: str) -> str:
    """What sort of message it is, without its code."""
    return MESSAGES.get(kind, kind.replace("-", " ").replace(".", ", ").capitalize())


def way_words(direction: str) -> str:
    return "From" if direction == Direction.IN else "To"


def step_words(name: str) -> str:
    """What a person decided: the step's own button, without its dots."""
    return STEPS[Step(name)].label.rstrip("…") if name in set(Step) else name.capitalize()


def age_words(age: timedelta) -> str:
    """`3 h ago`."""
    return f"{late_words(age)} ago"
