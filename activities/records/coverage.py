"""FHIR Coverage: who pays for a patient, in which order, and under which member id."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned
from activities.records.ring import KeyRing
from activities.records.sealed import SealedField, blind_index, open_field, seal_field


class CoverageKind(StrEnum):
    INSURANCE = "insurance"
    SELF_PAY = "self-pay"


class CoverageStatus(StrEnum):
    """FHIR fm-status."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    DRAFT = "draft"
    ENTERED_IN_ERROR = "entered-in-error"


class Coverage(Versioned, Base):
    """`rank` is FHIR's order: 1 is primary. The member id is sealed and found by its blind index."""

    __tablename__ = "coverage"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str] = mapped_column(default=CoverageKind.INSURANCE)
    payer: Mapped[str] = mapped_column(default="")
    plan: Mapped[str] = mapped_column(default="")
    member_sealed: Mapped[bytes | None] = mapped_column(default=None)
    member_blind: Mapped[bytes | None] = mapped_column(default=None)
    group_number: Mapped[str] = mapped_column(default="")
    relationship: Mapped[str] = mapped_column(default="self")
    rank: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(default=CoverageStatus.ACTIVE)
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)

    @property
    def words(self) -> str:
        """`Coppergate PPO`, `Medicare Part B`, `Self-pay`."""
        return "Self-pay" if self.kind == CoverageKind.SELF_PAY else f"{self.payer} {self.plan}".strip()


def set_member(ring: KeyRing, row: Coverage, member_id: str) -> None:
    """Seals the member id into a coverage that has its id and tenant; an empty one takes it away."""
    if not member_id:
        row.member_sealed = row.member_blind = None
        return
    made = seal_field(ring, row.tenant, SealedField.MEMBER_ID, row.id, member_id)
    row.member_sealed, row.member_blind = made.value, made.blind


def member_of(ring: KeyRing, row: Coverage) -> str:
    """The member id as it was typed, empty where none is known; whoever shows it records that."""
    if row.member_sealed is None:
        return ""
    return open_field(ring, row.tenant, SealedField.MEMBER_ID, row.id, row.member_sealed)


def with_member(session: Session, ring: KeyRing, tenant: str, member_id: str) -> list[UUID]:
    """The patients who are insured under this member id, however it was typed."""
    digest = blind_index(ring, tenant, SealedField.MEMBER_ID, member_id)
    return list(session.scalars(select(Coverage.patient_id).where(Coverage.member_blind == digest).distinct()))
