"""One patient's page: who she is, her open cases with each next action, and those that have ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.appointment import Appointment, AppointmentStatus
from activities.records.audit_event import Action, AuditEvent
from activities.records.patient import Patient
from activities.records.patient_link import same_person
from activities.records.queries.case_lines import CaseLine, read_lines, select_lines
from activities.records.queries.summary import Summary, summary
from activities.records.service_request import ServiceRequest

PAST = 30


@dataclass(frozen=True)
class Chart:
    """All records of the person together; `summary.patient` is the one she is known by."""

    summary: Summary
    open: list[CaseLine]
    past: list[CaseLine]
    visits: list[Appointment]

    @property
    def patient(self) -> Patient:
        return self.summary.patient


def chart(session: Session, patient_id: UUID) -> Chart | None:
    """None when this clinic has no such patient; past cases are the last 30, newest first."""
    person = summary(session, patient_id)
    if person is None:
        return None
    ids = same_person(session, patient_id)
    lines = select_lines().where(ServiceRequest.patient_id.in_(ids))
    now = lines.where(ServiceRequest.closed_at.is_(None)).order_by(ServiceRequest.opened_at.desc())
    past = lines.where(ServiceRequest.closed_at.is_not(None)).order_by(ServiceRequest.closed_at.desc()).limit(PAST)
    booked = select(Appointment).where(Appointment.patient_id.in_(ids), Appointment.status == AppointmentStatus.BOOKED)
    visits = list(session.scalars(booked.order_by(Appointment.starts_at)))
    return Chart(person, read_lines(session, now), read_lines(session, past), visits)


def recent(session: Session, actor: str, since: datetime, limit: int = 8) -> list[Patient]:
    """The patients somebody opened last, newest first."""
    rows = session.execute(
        select(AuditEvent.entity_id)
        .where(
            AuditEvent.recorded_at >= since,
            AuditEvent.actor == actor,
            AuditEvent.action == Action.READ,
            AuditEvent.entity == "Patient",
            AuditEvent.entity_id != "",
        )
        .order_by(AuditEvent.recorded_at.desc())
        .limit(200)
    )
    ids = list(dict.fromkeys(UUID(row.entity_id) for row in rows))[:limit]
    known = {one.id: one for one in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    return [known[one] for one in ids if one in known]
