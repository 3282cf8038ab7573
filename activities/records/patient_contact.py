"""People to turn to about a FHIR Patient: guardian, emergency contact, caregiver."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class ContactRole(StrEnum):
    GUARDIAN = "guardian"
    EMERGENCY = "emergency"
    CAREGIVER = "caregiver"
    NEXT_OF_KIN = "next-of-kin"
    OTHER = "other"


class PatientContact(Versioned, Base):
    """`role` is what this person may be asked for, `relation` what she is to the patient (mother, neighbour)."""

    __tablename__ = "patient_contact"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    role: Mapped[str]
    relation: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)
