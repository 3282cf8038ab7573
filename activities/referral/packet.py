"""What goes to the specialist: the Task they answer, and the message that carries the referral, rendered once."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.formats.fhir.datatypes import Reference
from activities.formats.fhir.referral_bundle import Referral, build_referral
from activities.formats.fhir.render import render
from activities.formats.fhir.task import TaskContent, build_task
from activities.records.as_fhir import (
    number_of,
    organization_content,
    patient_content,
    practitioner_content,
    request_content,
)
from activities.records.base import new_id
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context
from rules.referral.vocabulary import Candidate, Progress

BUNDLE = "fhir.referral"


@dataclass(frozen=True)
class Prepared:
    """The new candidate, and the messages that are ready to be sent."""

    candidate: Candidate | None
    sends: tuple[str, ...]


class Packet:
    """`public_url` is where partners find us: it names the Task they answer."""

    def __init__(self, ring: KeyRing, public_url: str) -> None:
        self._ring, self._base = ring, public_url.rstrip("/") + "/fhir"

    def prepare(
        self, session: Session, context: Context, request: ServiceRequest, partner: Organization, progress: Progress
    ) -> Prepared:
        """Adds the candidate's Task and, for a connected partner, the message that is ready to be sent."""
        fulfilment = Fulfilment(
            id=new_id(),
            tenant=context.tenant,
            service_request_id=request.id,
            organization_id=partner.id,
            round=progress.round,
            status="requested",
        )
        patient = session.get_one(Patient, request.patient_id)
        task = self._task(context, request, fulfilment, partner, patient)
        fulfilment.content = build_task(task)
        session.add(fulfilment)
        candidate = Candidate(str(fulfilment.id), str(partner.id))
        if partner.transport != Transport.FHIR:
            session.flush()
            return Prepared(candidate, ())
        message = self._message(session, context, request, partner, patient, task, fulfilment.id)
        session.add(message)
        session.flush()
        return Prepared(candidate, (str(message.id),))

    def _message(
        self,
        session: Session,
        context: Context,
        request: ServiceRequest,
        partner: Organization,
        patient: Patient,
        task: TaskContent,
        task_id: UUID,
    ) -> MessageLog:
        sender = session.scalars(select(Organization).where(Organization.partner.is_(False)).limit(1)).one()
        raw = render(build_referral(self._referral(request, partner, patient, sender, task)))
        identity = new_id()
        return MessageLog(
            id=identity,
            tenant=context.tenant,
            interface_id=partner.id,
            direction=Direction.OUT,
            kind=BUNDLE,
            external_id=f"{request.number}/{task_id}",
            content_hash=sha256(raw).digest(),
            patient_key="",
            case_id=request.id,
            subject_id=task_id,
            raw=self._ring.seal(context.tenant, raw, f"message:{identity}"),
            state=MessageState.READY,
            received_at=datetime.now(UTC),
        )

    def _task(
        self, context: Context, request: ServiceRequest, fulfilment: Fulfilment, partner: Organization, patient: Patient
    ) -> TaskContent:
        return TaskContent(
            address=f"{self._base}/Task/{fulfilment.id}",
            number=number_of(self._base, request),
            focus=Reference(f"ServiceRequest/{request.id}"),
            patient=Reference(f"Patient/{patient.id}"),
            requester=Reference(f"Organization/{context.tenant}"),
            owner=Reference(f"Organization/{partner.id}"),
            priority=request.priority,
            description=request.service,
            authored_at=datetime.now(UTC),
            id=str(fulfilment.id),
            version="1",
        )

    def _referral(
        self, request: ServiceRequest, partner: Organization, patient: Patient, sender: Organization, task: TaskContent
    ) -> Referral:
        blank = Reference("")
        return Referral(
            patient=patient_content(self._base, patient),
            practitioner=practitioner_content(request),
            sender=organization_content(self._base, sender),
            recipient=organization_content(self._base, partner),
            request=request_content(self._base, request, blank, blank),
            task=replace(task, id="", version=""),
        )
