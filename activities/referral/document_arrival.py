"""Documents that partners post by themselves: to the case they name, else to the inbox where a person files them."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activities.formats.fhir.document_reference import DocumentContent, read_binary, read_document_reference
from activities.formats.fhir.operation_outcome import Issue, IssueType
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.task_update import emptied
from activities.records.arrived import Arrived, binary_of, raw_of
from activities.records.document_inbox import Incoming, receive_file
from activities.records.document_reference import Source
from activities.records.interface import Interface
from activities.records.message_log import MessageLog
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context
from activities.referral.received_document import UNTITLED, readable, store_received
from rules.referral.vocabulary import Direction, Facts, Step

DOCUMENT, BINARY = "fhir.document", "fhir.binary"
LIMIT = 20_000_000
NO_BYTES = "The document's bytes are neither in it nor in a Binary that came here before."


class DocumentArrivals:
    """`base` is our FHIR address. Works in the transaction that files the message."""

    def __init__(self, ring: KeyRing, base: str) -> None:
        self._ring, self._base = ring, base

    def take(self, session: Session, context: Context, row: MessageLog) -> Arrived:
        """Files it; one that names a referral of the two of us is a step of that case."""
        resource = read_resource(raw_of(self._ring, row), "DocumentReference", LIMIT)
        content = self._whole(session, row, read_document_reference(resource))
        partner = session.get_one(Organization, session.get_one(Interface, row.interface_id).organization_id)
        response = emptied({**resource, "id": str(row.id)})
        task = self._named(session, partner, content)
        if task is None:
            self._to_inbox(session, context, row, partner, content)
            return Arrived(response=response)
        request = session.get_one(ServiceRequest, task.service_request_id)
        row.case_id, row.subject_id = request.id, task.id
        stored = store_received(session, self._ring, context, content, request, partner, row.received_at, row.id)
        return Arrived(*_step(request, task, content, stored), response)

    def _whole(self, session: Session, row: MessageLog, content: DocumentContent) -> DocumentContent:
        """With the bytes of the Binary it points to. Refused: there are none."""
        if not content.data and (named := self._id(content.url, "Binary")):
            raw = binary_of(session, self._ring, row, BINARY, named)
            found = read_binary(read_resource(raw, "Binary", LIMIT)) if raw else None
            if found:
                kind = content.content_type or found.content_type
                content = replace(content, data=found.data, content_type=kind)
        if not content.data:
            raise Refused(422, Issue(IssueType.REQUIRED, NO_BYTES, "DocumentReference.content[0].attachment"))
        return content

    def _named(self, session: Session, partner: Organization, content: DocumentContent) -> Fulfilment | None:
        """The referral it names in `context.related`, of that patient and with that partner."""
        targets = [one.reference for one in content.related]
        tasks = [one for target in targets if (one := self._id(target, "Task"))]
        requests = [one for target in targets if (one := self._id(target, "ServiceRequest"))]
        return session.scalar(
            select(Fulfilment)
            .join(ServiceRequest, ServiceRequest.id == Fulfilment.service_request_id)
            .where(
                Fulfilment.organization_id == partner.id,
                ServiceRequest.patient_id == self._id(content.subject.reference, "Patient"),
                or_(Fulfilment.id.in_(tasks), ServiceRequest.id.in_(requests)),
            )
            .order_by(Fulfilment.round.desc())
            .limit(1)
        )

    def _to_inbox(
        self, session: Session, context: Context, row: MessageLog, partner: Organization, content: DocumentContent
    ) -> None:
        incoming = Incoming(Source.PARTNER, row.received_at, partner.name, content.title or UNTITLED)
        data = readable(session, context, content, partner, row.received_at)
        receive_file(session, self._ring, context, incoming, data)

    def _id(self, reference: str, kind: str) -> UUID | None:
        try:
            return UUID(reference.removeprefix(f"{self._base}/").removeprefix(f"{kind}/"))
        except ValueError:
            return None


def _step(
    request: ServiceRequest, task: Fulfilment, content: DocumentContent, stored: UUID | None
) -> tuple[Step, Facts]:
    """From a specialist it is the report; from a referrer, information."""
    document = str(stored) if stored else ""
    words = f"Document sent: {content.title or UNTITLED}"
    if request.direction == Direction.IN:
        return Step.INFORMATION, Facts(note=words, document=document)
    return Step.REPORT, Facts(note="" if stored else words, document=document, candidate=str(task.id))
