"""FHIR ServiceRequest (what is asked) and the Task by which a partner fulfils it (table `fulfilment`)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned
from rules.referral.vocabulary import Direction, Facts, Priority, Progress, Stage, Step


class RequestStatus(StrEnum):
    """FHIR R4 request-status."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"
    COMPLETED = "completed"


def status_of(stage: Stage) -> RequestStatus:
    """The FHIR status that a stage of ours shows to partners."""
    if stage in (Stage.DRAFT, Stage.COVERAGE):
        return RequestStatus.DRAFT
    if stage in (Stage.CANCELLED, Stage.EXPIRED):
        return RequestStatus.REVOKED
    return RequestStatus.COMPLETED if stage is Stage.CLOSED else RequestStatus.ACTIVE


class ServiceRequest(Versioned, Base):
    """A referral. `number` is what people and partners call it (R-20418).

    OUT: `performer_id` is the specialist we send it to. IN: it is who referred the patient to us, and `placer` the
    referrer's own number with its assigner (`system|value`).
    """

    __tablename__ = "service_request"
    number: Mapped[str]
    direction: Mapped[str] = mapped_column(default=Direction.OUT)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    requester: Mapped[str]
    requester_npi: Mapped[str] = mapped_column(default="")
    performer_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    service: Mapped[str]
    priority: Mapped[str]
    question: Mapped[str]
    diagnoses: Mapped[list[str]] = mapped_column(default=list)
    site: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default=RequestStatus.DRAFT)
    stage: Mapped[str] = mapped_column(default=Stage.DRAFT)
    stage_since: Mapped[datetime]
    visit_at: Mapped[datetime | None] = mapped_column(default=None)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    close_reason: Mapped[str | None] = mapped_column(default=None)
    placer: Mapped[str] = mapped_column(default="")

    @property
    def their_number(self) -> str:
        """What the referrer calls a referral made to us; empty for our own."""
        return self.placer.rpartition("|")[2]


class Fulfilment(Versioned, Base):
    """The FHIR Task at one candidate; `version` is its ETag. `content` is the resource as last agreed.

    Of a referral made to us it is our copy of the referrer's Task, which stands at `address`.
    """

    __tablename__ = "fulfilment"
    service_request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    round: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(default="requested")
    business_status: Mapped[str] = mapped_column(default="")
    status_reason: Mapped[str] = mapped_column(default="")
    content: Mapped[dict[str, object]] = mapped_column(default=dict)
    address: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Asked:
    """What a referral made to us is answered by: the referrer's Task, where it stands, and the referrer's number.

    `organization_id` is the connection it came through, `number` is `system|value`.
    """

    organization_id: str
    address: str
    number: str
    task: dict[str, Any]


@dataclass(frozen=True)
class PastStep:
    """Something that happened before the case was opened here; `actor` in words."""

    step: Step
    at: datetime
    actor: str
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class ReferralContent:
    """What a new referral asks: the sealed arguments of its opening decision. `opened_at` may lie in the past.

    `progress` is where one that began elsewhere stands now. With `asked` it is made to us; without `progress` too,
    it has just arrived, and the referrer is told so.
    """

    patient_id: str
    performer_id: str
    service: str
    priority: Priority
    question: str
    requester: str
    requester_npi: str = ""
    diagnoses: tuple[str, ...] = ()
    site: str = ""
    opened_at: datetime | None = None
    number: str = ""
    progress: Progress | None = None
    past: tuple[PastStep, ...] = ()
    asked: Asked | None = None


def next_number(session: Session) -> str:
    """The next referral number, as people and partners call it."""
    number = session.scalar(text("select nextval('referral_number')"))
    return f"R-{number}"


def reserve_numbers(session: Session, highest: int) -> None:
    """Numbers up to this one were given elsewhere: the store never gives them again."""
    last = session.scalar(text("select nextval('referral_number')"))
    missing = text("select max(nextval('referral_number')) from generate_series(1, :missing)")
    session.execute(missing, {"missing": highest - last})
