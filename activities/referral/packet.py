"""What goes to the specialist: the Task they answer, and the message that carries the referral, rendered once."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.formats.fhir.datatypes import Coding, Concept, Identifier, PersonName, Reference, Telecom
from activities.formats.fhir.organization import OrganizationContent
from activities.formats.fhir.patient import PatientContent
from activities.formats.fhir.practitioner import PractitionerContent
from activities.formats.fhir.referral_bundle import Referral, build_referral
from activities.formats.fhir.render import render
from activities.formats.fhir.service_request import ServiceRequestContent
from activities.formats.fhir.systems import ICD10, NPI
from activities.formats.fhir.task import TaskContent, build_task
from activities.records.base import new_id
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context
from rules.referral.vocabulary import Progress

BUNDLE = "fhir.referral"


class Packet:
    """`public_url` is where partners find us: it names the Task they answer."""

    def __init__(self, ring: KeyRing, public_url: str) -> None:
        self._ring, self._base = ring, public_url.rstrip("/") + "/fhir"

    def prepare(
        self, session: Session, context: Context, request: ServiceRequest, partner: Organization, progress: Progress
    ) -> tuple[str, ...]:
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
        if partner.transport != Transport.FHIR:
            session.flush()
            return ()
        message = self._message(session, context, request, partner, patient, task, fulfilment.id)
        session.add(message)
        session.flush()
        return (str(message.id),)

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
        raw = render(build_referral(self._referral(context, request, partner, patient, sender, task)))
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
            number=Identifier(self._system(context, "referral"), request.number),
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
        self,
        context: Context,
        request: ServiceRequest,
        partner: Organization,
        patient: Patient,
        sender: Organization,
        task: TaskContent,
    ) -> Referral:
        family, _, given = request.requester.partition(", ")
        blank = Reference("")
        return Referral(
            patient=PatientContent(
                identifiers=(Identifier(self._system(context, "mrn"), patient.mrn, "MR"),),
                name=PersonName(patient.family, (patient.given,)),
                birth_date=patient.birth_date,
                gender=patient.sex,
                telecoms=(Telecom("phone", patient.phone),) if patient.phone else (),
                language=patient.language,
                interpreter=patient.interpreter,
            ),
            practitioner=PractitionerContent(PersonName(family, (given,) if given else ()), request.requester_npi),
            sender=self._organization(sender),
            recipient=self._organization(partner),
            request=ServiceRequestContent(
                number=task.number,
                subject=blank,
                service=Concept(text=request.service),
                priority=request.priority,
                requester=blank,
                question=request.question,
                reasons=tuple(Concept((Coding(ICD10, code),)) for code in request.diagnoses),
                authored_at=request.opened_at,
            ),
            task=replace(task, id="", version=""),
        )

    def _organization(self, row: Organization) -> OrganizationContent:
        key = Identifier(NPI, row.npi) if row.npi else Identifier(f"{self._base}/directory", str(row.id))
        return OrganizationContent(row.name, (key,))

    def _system(self, context: Context, kind: str) -> str:
        return f"{self._base}/identifier/{context.tenant}/{kind}"
