"""The appointments of a referral: each step that speaks of a visit leaves it in the record of appointments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.appointment import Appointment, AppointmentStatus, booked_for
from activities.records.encounter import Encounter, EncounterStatus
from activities.records.location import Location
from activities.records.service_request import ServiceRequest
from activities.referral.outgoing import own
from rules.referral.vocabulary import ENDED, Direction, Facts, Stage, Step


def keep_visit(session: Session, request: ServiceRequest, step: Step, facts: Facts, at: datetime) -> None:
    """Books, moves, misses or keeps the appointment as the step says; other steps change nothing.

    `at` is when the step happened: of a visit of which no time was said it is the visit's. A visit at our own
    clinic is an encounter too.
    """
    match step:
        case Step.APPOINTMENT if facts.at is not None:
            _settle(session, request, AppointmentStatus.CANCELLED)
            session.add(_appointment(session, request, facts.at))
        case Step.NO_SHOW:
            _settle(session, request, AppointmentStatus.NO_SHOW)
        case Step.VISIT:
            _visited(session, request, facts.at or at)
    session.flush()


def drop_visit(session: Session, request: ServiceRequest) -> None:
    """What is still booked when a referral ends will not take place on its account."""
    if Stage(request.stage) in ENDED:
        _settle(session, request, AppointmentStatus.CANCELLED)


def _settle(session: Session, request: ServiceRequest, status: AppointmentStatus) -> Appointment | None:
    row = booked_for(session, request.id)
    if row is not None:
        row.status = status
    return row


def _visited(session: Session, request: ServiceRequest, at: datetime) -> None:
    """Somebody may be seen without an appointment that we knew of."""
    row = _settle(session, request, AppointmentStatus.FULFILLED)
    if row is None:
        row = _appointment(session, request, at)
        row.status = AppointmentStatus.FULFILLED
        session.add(row)
    if request.direction == Direction.IN:
        session.add(
            Encounter(
                tenant=request.tenant,
                patient_id=request.patient_id,
                service_request_id=request.id,
                status=EncounterStatus.FINISHED,
                starts_at=at,
                location_id=row.location_id,
                reason=request.service,
            )
        )


def _appointment(session: Session, request: ServiceRequest, at: datetime) -> Appointment:
    here = request.direction == Direction.IN
    return Appointment(
        tenant=request.tenant,
        patient_id=request.patient_id,
        service_request_id=request.id,
        organization_id=own(session).id if here else request.performer_id,
        location_id=_site(session, request.site) if here else None,
        status=AppointmentStatus.BOOKED,
        starts_at=at,
    )


def _site(session: Session, site: str) -> UUID | None:
    return session.scalar(select(Location.id).where(Location.site == site)) if site else None
