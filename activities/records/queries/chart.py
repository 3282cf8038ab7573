"""One patient's page: who she is, her open cases with each next action, and those that have ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.audit_event import Action, AuditEvent
from activities.records.patient import Patient
from activities.records.queries.case_lines import CaseLine, read_lines, select_lines
from activities.records.service_request import ServiceRequest

PAST = 30


@dataclass(frozen=True)
class Chart:
    patient: Patient
    open: list[CaseLine]
    past: list[CaseLine]


def chart(session: Session, patient_id: UUID) -> Chart | None:
    """None when this clinic has no such patient; past cases are the last 30, newest first."""
    patient = session.get(Patient, patient_id)
    if patient is None:
        return None
    lines = select_lines().where(ServiceRequest.patient_id == patient_id)
    now = lines.where(ServiceRequest.closed_at.is_(None)).order_by(ServiceRequest.opened_at.desc())
    past = lines.where(ServiceRequest.closed_at.is_not(None)).order_by(ServiceRequest.closed_at.desc()).limit(PAST)
    return Chart(patient, read_lines(session, now), read_lines(session, past))


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
