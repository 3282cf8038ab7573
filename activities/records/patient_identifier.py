"""Identifiers of a FHIR Patient: record numbers in plain, the social security number sealed."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned, new_id
from activities.records.ring import KeyRing
from activities.records.sealed import SealedField, blind_index, open_field, seal_field


class IdentifierSystem(StrEnum):
    MRN = "mrn"
    SSN = "ssn"
    MEDICAID = "medicaid"
    DRIVER_LICENSE = "driver-license"
    OTHER = "other"


class PatientIdentifier(Versioned, Base):
    """Either `value` is filled or `sealed` with its `blind` index; a social security number is never plain."""

    __tablename__ = "patient_identifier"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    system: Mapped[str]
    value: Mapped[str] = mapped_column(default="")
    sealed: Mapped[bytes | None] = mapped_column(default=None)
    blind: Mapped[bytes | None] = mapped_column(default=None)
    use: Mapped[str] = mapped_column(default="usual")
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)


def ssn_row(ring: KeyRing, tenant: str, patient_id: UUID, number: str, row_id: UUID | None = None) -> PatientIdentifier:
    """A social security number, to be added to a transaction."""
    identity = row_id or new_id()
    made = seal_field(ring, tenant, SealedField.SSN, identity, number)
    return PatientIdentifier(
        id=identity,
        tenant=tenant,
        patient_id=patient_id,
        system=IdentifierSystem.SSN,
        value="",
        sealed=made.value,
        blind=made.blind,
        use="official",
    )


def opened_value(ring: KeyRing, row: PatientIdentifier) -> str:
    """The identifier as it was typed; whoever shows it records that."""
    if row.sealed is None:
        return row.value
    return open_field(ring, row.tenant, SealedField.SSN, row.id, row.sealed)


def with_ssn(session: Session, ring: KeyRing, tenant: str, number: str) -> list[UUID]:
    """The patients who have this social security number, however it was typed."""
    digest = blind_index(ring, tenant, SealedField.SSN, number)
    query = select(PatientIdentifier.patient_id).where(PatientIdentifier.blind == digest)
    return list(session.scalars(query.distinct()))
