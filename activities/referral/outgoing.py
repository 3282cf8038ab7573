"""A referral's messages to partners: made from the record, rendered once, kept until they are sent."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.formats.fhir.datatypes import Reference
from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.referral_bundle import Referral
from activities.formats.fhir.render import render
from activities.formats.fhir.task import TaskContent
from activities.records.as_fhir import (
    document_content,
    number_of,
    organization_content,
    patient_content,
    practitioner_content,
    request_content,
)
from activities.records.base import new_id
from activities.records.case_event import consent_of
from activities.records.chart_leaving import contents, leaving
from activities.records.document_reference import DocumentReference, Source, of_case, open_content
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization
from activities.records.practitioner import by_npi
from activities.records.queries.summary import summary
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context
from rules.consent import may_leave
from rules.referral.vocabulary import Consent

BUNDLE, UPDATE, ANSWER = "fhir.referral", "fhir.referral-update", "fhir.task-answer"


class Outgoing:
    """`base` is our FHIR address: it names the Task that partners answer."""

    def __init__(self, ring: KeyRing, base: str) -> None:
        self._ring, self._base = ring, base

    def task(self, request: ServiceRequest, fulfilment: Fulfilment) -> TaskContent:
        """The Task as a candidate first sees it."""
        return TaskContent(
            address=f"{self._base}/Task/{fulfilment.id}",
            number=number_of(self._base, request),
            focus=Reference(f"ServiceRequest/{request.id}"),
            patient=Reference(f"Patient/{request.patient_id}"),
            requester=Reference(f"Organization/{request.tenant}"),
            owner=Reference(f"Organization/{fulfilment.organization_id}"),
            priority=request.priority,
            description=request.service,
            authored_at=datetime.now(UTC),
            id=str(fulfilment.id),
            version="1",
        )

    def whole(
        self,
        session: Session,
        request: ServiceRequest,
        partner: Organization,
        task: TaskContent,
        documents: tuple[DocumentContent, ...] = (),
        said: Consent | None = None,
    ) -> Referral:
        """Everything a partner is sent, with these documents; `said` is what the step says of consent, if it does."""
        blank = Reference("")
        chart = summary(session, request.patient_id)
        assert chart is not None
        chart = leaving(chart, said or consent_of(session, request.id))
        told = contents(self._ring, self._base, chart, request.diagnoses)
        return Referral(
            patient=patient_content(self._base, chart.patient, chart.open_telecoms, chart.addresses),
            practitioner=practitioner_content(request, by_npi(session, request.requester_npi)),
            sender=organization_content(self._base, own(session)),
            recipient=organization_content(self._base, partner),
            request=request_content(self._base, request, blank, blank),
            task=replace(task, id="", version=""),
            documents=documents,
            coverages=told.coverages,
            conditions=told.conditions,
            problems=told.problems,
            allergies=told.allergies,
            medications=told.medications,
        )

    def documents(
        self, session: Session, context: Context, request: ServiceRequest, said: Consent | None = None
    ) -> tuple[DocumentContent, ...]:
        """The case's documents that were not made here, oldest first; those that need consent only with it."""
        consent = said or consent_of(session, request.id)
        rows = [row for row in reversed(of_case(session, request.id)) if row.source != Source.OURS]
        return tuple(self.document(session, context, row) for row in rows if may_leave(row.sensitivity, consent))

    def document(self, session: Session, context: Context, row: DocumentReference) -> DocumentContent:
        return document_content(self._base, row, open_content(session, self._ring, context, row.hash))

    def message(
        self, request: ServiceRequest, partner: Organization, fulfilment: Fulfilment, kind: str, said: Json, name: str
    ) -> MessageLog:
        """Ready to be sent; `name` is unique among the messages to this partner."""
        raw, identity = render(said), new_id()
        return MessageLog(
            id=identity,
            tenant=request.tenant,
            interface_id=partner.id,
            direction=Direction.OUT,
            kind=kind,
            external_id=name,
            content_hash=sha256(raw).digest(),
            patient_key="",
            case_id=request.id,
            subject_id=fulfilment.id,
            raw=self._ring.seal(request.tenant, raw, f"message:{identity}"),
            state=MessageState.READY,
            received_at=datetime.now(UTC),
        )


def own(session: Session) -> Organization:
    """The clinic itself in its directory."""
    return session.scalars(select(Organization).where(Organization.partner.is_(False)).limit(1)).one()
