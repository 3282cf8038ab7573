"""Postal addresses of a FHIR Patient."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class PatientAddress(Versioned, Base):
    """`lines` are street and apartment; `use` is home, work, temp, old or billing."""

    __tablename__ = "patient_address"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    use: Mapped[str] = mapped_column(default="home")
    lines: Mapped[list[str]] = mapped_column(default=list)
    city: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="")
    postal_code: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="US")
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)
