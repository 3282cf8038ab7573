"""The referral's workflow as the others see it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from rules.referral.vocabulary import By, Candidate, Facts, Progress, Step
from workflows.contracts.calls import Activity, Kind

WORKFLOW = "Referral"
OPENED, DECIDE, TELL, REFRESH = "opened", "decide", "tell", "refresh"
REMEMBERED = 100


def workflow_id(tenant: str, referral_id: str) -> str:
    """The tenant comes first: the codec reads it."""
    return f"{tenant}:referral:{referral_id}"


@dataclass(frozen=True)
class State:
    """Whole: every referral can start from its State. `version` is that of its service request row."""

    referral_id: str
    progress: Progress = field(default_factory=Progress)
    version: int = 0
    sends: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    due_at: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """A committed row of `decision`, handed over under its own id."""

    id: str
    step: Step
    facts: Facts
    by: By


@dataclass(frozen=True)
class Message:
    """A filed row of `message_log`: what the partner said, under the message's own id."""

    id: str
    step: Step
    facts: Facts
    at: datetime


@dataclass(frozen=True)
class Start:
    """A new referral (with the decision that opened it), or one that goes on from its State.

    `told` are the answers for whose sake it is started again: they reach it even where it ends at once.
    """

    state: State
    decision_id: str = ""
    told: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Change:
    """One step to be recorded: `key` makes it happen once, `before` guards against a row that ran ahead."""

    key: str
    step: Step
    facts: Facts
    at: datetime
    before: State
    after: State


@dataclass(frozen=True)
class Recorded:
    """What the store made of a step: the row's version, when the wait runs out, what is to be sent to whom."""

    version: int
    due_at: datetime | None = None
    sends: tuple[str, ...] = ()
    by_hand: bool = False
    candidates: tuple[Candidate, ...] = ()
    repeated: bool = False

    def onto(self, progress: Progress) -> Progress:
        """The progress with what only the store knew."""
        known = {one.task for one in progress.candidates}
        new = tuple(one for one in self.candidates if one.task not in known)
        return replace(progress, by_hand=self.by_hand, candidates=(*progress.candidates, *new))


@dataclass(frozen=True)
class Opening:
    """The first record of a referral; its content lies in the decision row."""

    decision_id: str
    state: State


@dataclass(frozen=True)
class Opened:
    state: State


@dataclass(frozen=True)
class Reload:
    """Asks for the State as the store has it. `why` is shown to a person in a review task; empty: nobody must look."""

    referral_id: str
    why: str = ""


OPEN = Activity("referral.open", takes=Opening, gives=Opened, kind=Kind.STORE)
RECORD = Activity("referral.record", takes=Change, gives=Recorded, kind=Kind.STORE)
RELOAD = Activity("referral.reload", takes=Reload, gives=Opened, kind=Kind.STORE)
