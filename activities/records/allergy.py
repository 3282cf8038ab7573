"""FHIR AllergyIntolerance: what a patient must not be given, or that she was asked and knows of nothing."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class Severity(StrEnum):
    """FHIR reaction-event-severity; UNKNOWN where nobody said."""

    UNKNOWN = ""
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class AllergyIntolerance(Versioned, Base):
    """With `none_known` it says that somebody asked on `recorded_on` and there is none; then nothing else is filled."""

    __tablename__ = "allergy_intolerance"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    substance: Mapped[str] = mapped_column(default="")
    reaction: Mapped[str] = mapped_column(default="")
    severity: Mapped[str] = mapped_column(default=Severity.UNKNOWN)
    clinical_status: Mapped[str] = mapped_column(default="active")
    none_known: Mapped[bool] = mapped_column(default=False)
    recorded_on: Mapped[date]

    @property
    def words(self) -> str:
        """`Penicillin: anaphylaxis`."""
        return f"{self.substance}: {self.reaction}" if self.reaction else self.substance
