"""FHIR Appointment: when a patient is expected, by whom, and whether she came."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned


class AppointmentStatus(StrEnum):
    """FHIR R4 appointmentstatus, as far as we use it."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "noshow"
    ENTERED_IN_ERROR = "entered-in-error"


class Appointment(Versioned, Base):
    """`organization_id` is who expects her: a partner, or our own clinic with `location_id` as the site."""

    __tablename__ = "appointment"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    service_request_id: Mapped[UUID | None] = mapped_column(ForeignKey("service_request.id"), default=None)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), default=None)
    status: Mapped[str] = mapped_column(default=AppointmentStatus.BOOKED)
    starts_at: Mapped[datetime]


def booked_for(session: Session, service_request_id: UUID) -> Appointment | None:
    """The appointment of a referral that is still to come or to be told of."""
    query = select(Appointment).where(
        Appointment.service_request_id == service_request_id, Appointment.status == AppointmentStatus.BOOKED
    )
    return session.scalar(query.order_by(Appointment.starts_at.desc()).limit(1))
