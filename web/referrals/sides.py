"""The same step from either side: what its button says, and what somebody has done by it."""

from rules.referral.table import STEPS
from rules.referral.vocabulary import By, Direction, Step

# The table's words are the referrer's; these are said where we are the specialist.
INCOMING = {
    Step.INFORMATION_REQUEST: "Ask for information…",
    Step.ACCEPTANCE: "Accept",
    Step.DECLINE: "Decline…",
    Step.REDIRECTION: "Send it elsewhere…",
    Step.APPOINTMENT: "Book the visit…",
    Step.REPORT: "Send the report…",
    Step.INFORMATION: "They sent the information…",
    Step.CANCELLATION_CONFIRMED: "Confirm the cancellation",
    Step.CANCELLATION_REFUSED: "Refuse the cancellation…",
    Step.LATE_NOTE: "Send a note…",
}
INCOMING_PAST = {Step.OPENING: "referred the patient to us"}


def label(step: Step, direction: str) -> str:
    """What the button of a step says."""
    usual = STEPS[step].label
    return INCOMING.get(step, usual) if direction == Direction.IN else usual


def past(step: Step, direction: str) -> str:
    """What somebody has done by a step."""
    usual = STEPS[step].past
    return INCOMING_PAST.get(step, usual) if direction == Direction.IN else usual


def theirs(step: Step, direction: str) -> bool:
    """Whether a step is the specialist's own deed, which we record for one who has no connection."""
    return (
        direction == Direction.OUT and By.PARTNER in STEPS[step].by and step not in (Step.ATTEMPT, Step.PRIORITY_CHANGE)
    )
