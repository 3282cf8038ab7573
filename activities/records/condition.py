"""FHIR Condition: a problem of the patient's list."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class ClinicalStatus(StrEnum):
    """FHIR condition-clinical."""

    ACTIVE = "active"
    RECURRENCE = "recurrence"
    RELAPSE = "relapse"
    INACTIVE = "inactive"
    REMISSION = "remission"
    RESOLVED = "resolved"


PRESENT = (ClinicalStatus.ACTIVE, ClinicalStatus.RECURRENCE, ClinicalStatus.RELAPSE)


class Condition(Versioned, Base):
    """`code` is ICD-10-CM or empty; `sensitivity` holds labels of `rules.consent.Sensitivity`."""

    __tablename__ = "condition"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    code: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    clinical_status: Mapped[str] = mapped_column(default=ClinicalStatus.ACTIVE)
    onset_on: Mapped[date | None] = mapped_column(default=None)
    abated_on: Mapped[date | None] = mapped_column(default=None)
    recorded_on: Mapped[date]
    sensitivity: Mapped[list[str]] = mapped_column(default=list)

    @property
    def words(self) -> str:
        """`Essential hypertension (I10)`."""
        return f"{self.text} ({self.code})" if self.code else self.text
