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


class Priority(StrEnum):
    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"


class Step(StrEnum):
    """What a person or a partner decides; the value is the noun in the address of its form."""

    OPENING = "opening"
    SENDING = "sending"
    COVERAGE_CLEARANCE = "coverage-clearance"
    DELIVERY = "delivery"
    DELIVERY_FAILURE = "delivery-failure"
    RECEIPT = "receipt"
    INFORMATION_REQUEST = "information-request"
    INFORMATION = "information"
    ACCEPTANCE = "acceptance"
    DECLINE = "decline"
    REDIRECTION = "redirection"
    ADVICE = "advice"
    ADVICE_ACCEPTANCE = "advice-acceptance"
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
    CHANNEL = "channel"
    OUTCOME = "outcome"
    PRIORITY = "priority"


@dataclass(frozen=True)
class Facts:
    """What was said with a step. `at` is an instant (appointment, visit) in UTC."""

    reason: Reason | None = None
    note: str = ""
    at: datetime | None = None
    recipient: str = ""
    channel: str = ""
    outcome: str = ""
    priority: Priority | None = None
    document: str = ""


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


@dataclass(frozen=True)
class Progress:
    """Where one referral stands; `round` counts the recipients it was sent to, `rung` the overdue notices.

    `by_hand` is true while the recipient has no connection: fax, phone and letters.
    """

    stage: Stage = Stage.DRAFT
    priority: Priority = Priority.ROUTINE
    since: datetime | None = None
    round: int = 0
    rung: int = 0
    asks: int = 0
    attempts: int = 0
    rebookings: int = 0
    before_cancel: Stage | None = None
    failed_delivery: str = ""
    by_hand: bool = False
    visit_at: datetime | None = None
    close_reason: Reason | None = None
    evidence: Evidence = Evidence()

    @property
    def open(self) -> bool:
        return self.stage in OPEN
