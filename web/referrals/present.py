"""A referral's case page: what referrals/case.html, new.html and _step_form.html render.

The pieces that every case page shares (banner, steps, next action, timeline, proofs, documents) are worded here
for a referral; an instant is always given beside its words so that a page can show both.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from web.fields import Choice, FormView
from web.present import Act, Due, Owner, Tag, Tone
from web.tasks.present import Undo

BUTTONS = 3


class Mark(StrEnum):
    """Where a step of the line stands; late is a current step past its deadline."""

    DONE = "done"
    CURRENT = "current"
    LATE = "late"
    TO_COME = "to_come"


MARK_WORDS = {Mark.DONE: "done", Mark.CURRENT: "current", Mark.LATE: "late", Mark.TO_COME: "to come"}


@dataclass(frozen=True)
class StepMark:
    """One step: its name and a short fact (`Nov 4, 9:12 AM`, `8 days late`, `not yet`)."""

    name: str
    fact: str
    mark: Mark

    @property
    def state_words(self) -> str:
        """The mark in words, for a screen reader."""
        return MARK_WORDS[self.mark]


@dataclass(frozen=True)
class PatientBanner:
    """Who the page is about. `sex` in words, `allergies` never empty: see `no_known_allergies`."""

    name: str
    birth_date: str
    age: str
    age_sex: str
    sex: str
    mrn: str
    allergies: tuple[Tag, ...]
    alerts: tuple[Tag, ...] = ()
    coverage: str = ""
    coverage_tag: Tag | None = None
    chart_url: str = ""


ALLERGIES_NOT_RECORDED = Tag("Allergies not recorded", Tone.WARN, "alert-triangle")


def no_known_allergies(asked_on: str) -> Tag:
    """Somebody asked and there is none; `asked_on` is that date in words."""
    return Tag(f"No known allergies, {asked_on}", Tone.OUTLINE, "check")


def allergy_tag(substance: str, reaction: str, *, severe: bool) -> Tag:
    """`Penicillin: anaphylaxis`, red when severe."""
    words = f"{substance}: {reaction}" if reaction else substance
    return Tag(words, Tone.DANGER if severe else Tone.WARN, "alert-triangle")


@dataclass(frozen=True)
class NextAction:
    """The one thing to do now.

    `words` is a verb with its object; `why` the fact behind it; `if_missed` who gets it then. `acts` are the
    legal buttons, the filled one first, quiet ones last. `phone` is a number to call, in words.
    """

    words: str
    why: str
    due: Due | None
    owner: Owner
    if_missed: str
    acts: tuple[Act, ...] = ()
    phone: str = ""
    phone_words: str = ""

    @property
    def shown(self) -> tuple[Act, ...]:
        """The buttons on the card: the filled one and what most often follows."""
        return tuple(one for one in self.acts if not one.quiet)[:BUTTONS]

    @property
    def rest(self) -> tuple[Act, ...]:
        """What lies under More."""
        return tuple(one for one in self.acts if one not in self.shown)

    @property
    def phone_url(self) -> str:
        """The number as a link for a phone."""
        return "tel:" + "".join(letter for letter in self.phone if letter.isdigit() or letter == "+")


class Source(StrEnum):
    """What kind of fact a timeline entry is: the filter's values."""

    STEP = "steps"
    MESSAGE = "messages"
    RECORD = "records"
    LOOK = "looks"


SOURCE_LABELS = {
    Source.STEP: "Steps",
    Source.MESSAGE: "Messages",
    Source.RECORD: "Record changes",
    Source.LOOK: "Who looked",
}


@dataclass(frozen=True)
class RawDetail:
    """What is one disclosure away: `HL7 SIU^S14` and its text, or `url` that answers the text when opened."""

    label: str
    text: str = ""
    url: str = ""
    opened: bool = False


@dataclass(frozen=True)
class TimelineEntry:
    """Who did what, past tense: `lead` is heavy, `words` follow, `note` is grey (`by Careloop`, `no reply`)."""

    at: datetime
    clock: str
    icon: str
    words: str
    lead: str = ""
    note: str = ""
    tone: Tone = Tone.NEUTRAL
    detail: RawDetail | None = None


@dataclass(frozen=True)
class TimelineDay:
    """Entries of one day, newest first, under `Today, Mon, Nov 23`."""

    heading: str
    entries: tuple[TimelineEntry, ...]


@dataclass(frozen=True)
class TimelineFilter:
    """One segment of the timeline's filter."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Proof:
    """One of the proofs a case closes on. `met` has its fact in `words_after`; late ones say so."""

    words: str
    met: bool
    words_after: str = ""
    late: bool = False


@dataclass(frozen=True)
class DocumentLine:
    """A document of the case; without `url` it is awaited, and `missing` says since when."""

    title: str
    words: str
    url: str = ""
    icon: str = "file-text"
    missing: bool = False


@dataclass(frozen=True)
class Fact:
    """A label with one or more lines."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class TaskActs:
    """What one may do about who holds the case's task. `back` is where the acts come back to."""

    task: str
    token: str
    back: str
    free: bool
    mine: bool
    people: tuple[Choice, ...]
    moments: tuple[Choice, ...]


@dataclass(frozen=True)
class CasePage:
    """The whole case. `open` act forms come as `form` and are shown in `#step` under the next action.

    `place` is the case in the list it was opened from (`5 of 46 in this view`). `as_of` (in words) turns the
    page into a past moment, without any act; `now_url` leads back. `problem` is why the last decision was
    refused; `done` what the last one did. `as_of_url` takes a moment as `as_of`; `changes_url` answers the timeline
    when one of `live_ids` has changed. Without `next_action` the case is closed and `closed_words` says how.
    """

    number: str
    title: str
    tags: tuple[Tag, ...]
    subline: str
    patient: PatientBanner
    steps: tuple[StepMark, ...]
    next_action: NextAction | None
    timeline: tuple[TimelineDay, ...]
    entries: int
    question: str
    asked: tuple[Fact, ...]
    proofs: tuple[Proof, ...]
    documents: tuple[DocumentLine, ...] = ()
    paper: tuple[Act, ...] = ()
    filters: tuple[TimelineFilter, ...] = ()
    form: FormView | None = None
    back_url: str = ""
    previous_url: str = ""
    next_url: str = ""
    place: str = ""
    request_url: str = ""
    attach_url: str = ""
    as_of: str = ""
    as_of_url: str = ""
    as_of_value: str = ""
    as_of_keeps: tuple[tuple[str, str], ...] = ()
    now_url: str = ""
    more_url: str = ""
    changes_url: str = ""
    live_ids: str = ""
    task: TaskActs | None = None
    undo: Undo | None = None
    problem: str = ""
    done: str = ""
    closed_words: str = ""

    @property
    def proof_count(self) -> str:
        """`2 of 5`."""
        return f"{sum(proof.met for proof in self.proofs)} of {len(self.proofs)}"

    @property
    def step_words(self) -> str:
        """The current step for a phone: `Report, 8 days late`, and the line's last step when all are done."""
        step = next((step for step in self.steps if step.mark in (Mark.CURRENT, Mark.LATE)), self.steps[-1])
        return f"{step.name}, {step.fact}" if step.fact else step.name

    @property
    def step_number(self) -> int:
        """How far the line has come, counted from 1."""
        marks = [step.mark for step in self.steps]
        return next((n for n, mark in enumerate(marks, 1) if mark in (Mark.CURRENT, Mark.LATE)), len(marks))

    @property
    def late(self) -> bool:
        """A step of the line is past its deadline."""
        return any(step.mark is Mark.LATE for step in self.steps)
