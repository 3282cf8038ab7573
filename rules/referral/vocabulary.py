"""The words of a referral: its stages, the steps between them, who takes them and what is said with them.

Sources: FHIR R4 ServiceRequest and Task; the closing criteria of the closed-loop referral profiles (IHE 360X).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    DRAFT = "draft"
    COVERAGE = "coverage"
    SENT = "sent"
    TRIAGE = "triage"
    AWAITING_INFO = "awaiting_info"
    SCHEDULING = "scheduling"
    OUTREACH = "outreach"
    SCHEDULED = "scheduled"
    NO_SHOW = "no_show"
    SEEN = "seen"
    REPORT_RECEIVED = "report_received"
    REVIEWED = "reviewed"
    PATIENT_TOLD = "patient_told"
    ADVICE = "advice"
    DECLINED = "declined"
    REDIRECTED = "redirected"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    CLOSED = "closed"


ENDED = frozenset({Stage.CANCELLED, Stage.EXPIRED, Stage.CLOSED})
OPEN = frozenset(Stage) - ENDED
WITH_PARTNER = frozenset({Stage.SENT, Stage.TRIAGE, Stage.AWAITING_INFO})
ACCEPTED = frozenset({Stage.SCHEDULING, Stage.OUTREACH, Stage.SCHEDULED, Stage.NO_SHOW})
RETURNED = frozenset({Stage.DECLINED, Stage.REDIRECTED, Stage.ADVICE})


class Direction(StrEnum):
    """OUT: we refer a patient to somebody. IN: somebody refers a patient to us."""

    OUT = "out"
    IN = "in"


class Priority(StrEnum):
    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"


class Step(StrEnum):
    """What a person or a partner decides; the value is the noun in the address of its form."""

    OPENING = "opening"
    AMENDMENT = "amendment"
    SENDING = "sending"
    COVERAGE_CLEARANCE = "coverage-clearance"
    DELIVERY = "delivery"
    DELIVERY_FAILURE = "delivery-failure"
    CALL = "call"
    ANOTHER_CANDIDATE = "another-candidate"
    CHOICE = "choice"
    RECEIPT = "receipt"
    INFORMATION_REQUEST = "information-request"
    INFORMATION = "information"
    ACCEPTANCE = "acceptance"
    DECLINE = "decline"
    REDIRECTION = "redirection"
    ADVICE = "advice"
    ADVICE_ACCEPTANCE = "advice-acceptance"
    CONVERSION = "conversion"
    NEW_RECIPIENT = "new-recipient"
    ATTEMPT = "attempt"
    APPOINTMENT = "appointment"
    NO_SHOW = "no-show"
    VISIT = "visit"
    CHASE = "chase"
    REPORT = "report"
    NO_REPORT = "no-report"
    REVIEW = "review"
    PATIENT_NOTICE = "patient-notice"
    FOLLOW_UP = "follow-up"
    CANCELLATION = "cancellation"
    CANCELLATION_CONFIRMED = "cancellation-confirmed"
    CANCELLATION_REFUSED = "cancellation-refused"
    PRIORITY_CHANGE = "priority-change"
    EXPIRY = "expiry"
    CLOSURE = "closure"
    LATE_NOTE = "late-note"
    UNEXPECTED = "unexpected"
    OVERDUE = "overdue"


class Reason(StrEnum):
    """Coded reasons for declines, cancellations and closures."""

    OUT_OF_SCOPE = "out-of-scope"
    NO_CAPACITY = "no-capacity"
    NETWORK = "network"
    MISSING_INFORMATION = "missing-information"
    WRONG_SPECIALTY = "wrong-specialty"
    PATIENT_DECLINED = "patient-declined"
    DUPLICATE = "duplicate"
    GEOGRAPHY = "geography"
    PROVIDER_UNAVAILABLE = "provider-unavailable"
    UNABLE_TO_CONTACT = "unable-to-contact"
    NO_LONGER_NEEDED = "no-longer-needed"
    TREATED_ELSEWHERE = "treated-elsewhere"
    NONE_WILL_COME = "none-will-come"
    PATIENT_CHOICE = "patient-choice"
    SECOND_OPINION = "second-opinion"
    OTHER = "other"


class By(StrEnum):
    """Who may take a step."""

    STAFF = "staff"
    CLINICIAN = "clinician"
    PARTNER = "partner"
    ENGINE = "engine"


class Need(StrEnum):
    """The facts a step cannot do without; each names a field of `Facts`."""

    REASON = "reason"
    NOTE = "note"
    AT = "at"
    RECIPIENT = "recipient"
    CANDIDATE = "candidate"
    CHANNEL = "channel"
    OUTCOME = "outcome"
    PRIORITY = "priority"
    CONSENT = "consent"
    DIAGNOSES = "diagnoses"


class Reached(StrEnum):
    """What came of trying to reach a patient."""

    REACHED = "reached"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no-answer"
    WRONG_NUMBER = "wrong-number"
    REFUSED = "refused"


class Coverage(StrEnum):
    """What is known of coverage when a referral is sent: `check` makes it a task before it goes out."""

    CLEAR = "clear"
    CHECK = "check"


class Consent(StrEnum):
    """Parts under 42 CFR Part 2 go out with the patient's written consent, or stay behind."""

    ON_FILE = "on-file"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class Facts:
    """What was said with a step. `at` is an instant (appointment, visit) in UTC.

    `recipient` is an organization's id, `candidate` the id of one candidate's Task, `document` a document's.
    """

    reason: Reason | None = None
    note: str = ""
    at: datetime | None = None
    recipient: str = ""
    candidate: str = ""
    channel: str = ""
    outcome: str = ""
    priority: Priority | None = None
    document: str = ""
    question: str = ""
    diagnoses: tuple[str, ...] = ()
    consent: Consent | None = None


@dataclass(frozen=True)
class Evidence:
    """The five proofs of a closed loop: when each came to hold."""

    report: datetime | None = None
    matched: datetime | None = None
    reviewed: datetime | None = None
    told: datetime | None = None
    followed: datetime | None = None

    @property
    def complete(self) -> bool:
        return None not in (self.report, self.matched, self.reviewed, self.told, self.followed)


class Standing(StrEnum):
    """How one candidate stands."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    NOT_SELECTED = "not-selected"


@dataclass(frozen=True)
class Candidate:
    """A specialist the referral is with: the id of her Task, her organization's, and how she stands."""

    task: str
    organization: str
    standing: Standing = Standing.ASKED


@dataclass(frozen=True)
class Progress:
    """Where one referral stands; `round` counts the recipients it was sent to, `rung` the overdue notices.

    `by_hand`: the recipient has no connection, so fax, phone and letters. `called`: an urgent one was announced
    by phone. `old`: open so long that a clinician must decide whether it expires. `tries` are the outreach calls.
    """

    stage: Stage = Stage.DRAFT
    priority: Priority = Priority.ROUTINE
    direction: Direction = Direction.OUT
    since: datetime | None = None
    opened: datetime | None = None
    round: int = 0
    rung: int = 0
    asks: int = 0
    tries: tuple[datetime, ...] = ()
    channels: tuple[str, ...] = ()
    last_try: str = ""
    rebookings: int = 0
    candidates: tuple[Candidate, ...] = ()
    before_cancel: Stage | None = None
    failed_delivery: str = ""
    by_hand: bool = False
    called: bool = False
    old: bool = False
    visit_at: datetime | None = None
    close_reason: Reason | None = None
    evidence: Evidence = Evidence()

    @property
    def open(self) -> bool:
        return self.stage in OPEN

    @property
    def attempts(self) -> int:
        return len(self.tries)

    @property
    def live(self) -> tuple[Candidate, ...]:
        """The candidates who may still see the patient."""
        return tuple(one for one in self.candidates if one.standing in (Standing.ASKED, Standing.ACCEPTED))

    @property
    def accepted(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if one.standing is Standing.ACCEPTED)
