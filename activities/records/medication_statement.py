"""FHIR MedicationStatement: what a patient says or is known to take."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class MedicationStatus(StrEnum):
    """FHIR R4 medication-statement-status."""

    ACTIVE = "active"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"
    INTENDED = "intended"
    STOPPED = "stopped"
    ON_HOLD = "on-hold"
    UNKNOWN = "unknown"


class MedicationStatement(Versioned, Base):
    """`medication` names drug and strength, `dosage` how it is taken; `starts_on` since when, as far as known."""

    __tablename__ = "medication_statement"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    medication: Mapped[str]
    dosage: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default=MedicationStatus.ACTIVE)
    recorded_on: Mapped[date]
    sensitivity: Mapped[list[str]] = mapped_column(default=list)
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)

    @property
    def words(self) -> str:
        """`lisinopril 20 mg, once a day`."""
        return ", ".join(part for part in (self.medication, self.dosage) if part)
