"""FHIR Encounter: a visit that took place at our clinic."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class EncounterStatus(StrEnum):
    """FHIR R4 encounter-status, as far as we use it."""

    PLANNED = "planned"
    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class EncounterClass(StrEnum):
    AMBULATORY = "ambulatory"
    VIRTUAL = "virtual"
    HOME = "home"
    EMERGENCY = "emergency"


class Encounter(Versioned, Base):
    """`service_request_id` is the referral it came from, where there is one."""

    __tablename__ = "encounter"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    service_request_id: Mapped[UUID | None] = mapped_column(ForeignKey("service_request.id"), default=None)
    status: Mapped[str]
    class_: Mapped[str] = mapped_column("class", default=EncounterClass.AMBULATORY)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), default=None)
    reason: Mapped[str] = mapped_column(default="")
    sensitivity: Mapped[list[str]] = mapped_column(default=list)
