"""What goes out with a step of a referral: the Task of a new candidate with its message, or word of a change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from activities.formats.fhir.referral_bundle import build_referral
from activities.formats.fhir.task import build_task
from activities.formats.fhir.task_step import TaskStatus
from activities.records.as_paper import store_packet
from activities.records.base import new_id
from activities.records.organization import Organization, Transport
from activities.records.ring import KeyRing
from activities.records.service_request import Asked, Fulfilment, ServiceRequest
from activities.records.sessions import Context
from activities.referral.outgoing import BUNDLE, Outgoing
from activities.referral.telling import Telling
from rules.referral.vocabulary import Candidate, Consent, Facts, Progress, Standing, Step

STANDS = {
    Standing.ASKED: TaskStatus.REQUESTED,
    Standing.ACCEPTED: TaskStatus.ACCEPTED,
    Standing.DECLINED: TaskStatus.REJECTED,
    Standing.NOT_SELECTED: TaskStatus.CANCELLED,
}


@dataclass(frozen=True)
class Prepared:
    """The new candidate, and the messages that are ready to be sent."""

    candidate: Candidate | None
    sends: tuple[str, ...]


class Packet:
    """`public_url` is where partners find us: it names the Task they answer."""

    def __init__(self, ring: KeyRing, public_url: str) -> None:
        self._ring = ring
        self._outgoing = Outgoing(ring, public_url.rstrip("/") + "/fhir")
        self._telling = Telling(ring, self._outgoing)

    def prepare(
        self,
        session: Session,
        context: Context,
        request: ServiceRequest,
        partner: Organization,
        progress: Progress,
        said: Consent | None = None,
    ) -> Prepared:
        """Adds the candidate's Task, and the message that is ready to be sent or the packet that is to be faxed.

        `said` is what this step says of the patient's consent; without it, what was said before holds.
        """
        fulfilment = self._asked(session, request, new_id(), partner.id, progress.round, TaskStatus.REQUESTED)
        candidate = Candidate(str(fulfilment.id), str(partner.id))
        if partner.transport != Transport.FHIR:
            store_packet(session, self._ring, context, request, partner, datetime.now(UTC), said)
            return Prepared(candidate, ())
        enclosed = self._outgoing.documents(session, context, request, said)
        task = self._outgoing.task(request, fulfilment)
        whole = self._outgoing.whole(session, request, partner, task, enclosed, said)
        name = f"{request.number}/{fulfilment.id}"
        message = self._outgoing.message(request, partner, fulfilment, BUNDLE, build_referral(whole), name)
        session.add(message)
        session.flush()
        return Prepared(candidate, (str(message.id),))

    def tell(
        self, session: Session, context: Context, request: ServiceRequest, step: Step, facts: Facts, progress: Progress
    ) -> tuple[str, ...]:
        """The messages by which the other side learns of a step that was decided here."""
        return self._telling.tell(session, context, request, step, facts, progress)

    def note(self, session: Session, request: ServiceRequest, step: Step, facts: Facts) -> None:
        """Shows in the candidate's Task what she said by phone or fax."""
        self._telling.note(session, request, step, facts)

    def stand(self, session: Session, request: ServiceRequest, progress: Progress) -> None:
        """The Tasks of candidates who were asked before the referral was opened here: nothing is sent."""
        for place, one in enumerate(progress.candidates, 1):
            self._asked(session, request, UUID(one.task), UUID(one.organization), place, STANDS[one.standing])

    def take(self, session: Session, request: ServiceRequest, asked: Asked) -> None:
        """Our copy of the Task by which a referral was made to us."""
        identity = new_id()
        names = {"id": str(identity), "focus": {"reference": f"ServiceRequest/{request.id}"}}
        content = {**asked.task, **names, "for": {"reference": f"Patient/{request.patient_id}"}}
        session.add(
            Fulfilment(
                id=identity,
                tenant=request.tenant,
                service_request_id=request.id,
                organization_id=UUID(asked.organization_id),
                status=str(asked.task["status"]),
                content=content,
                address=asked.address,
            )
        )
        session.flush()

    def _asked(
        self,
        session: Session,
        request: ServiceRequest,
        identity: UUID,
        organization: UUID,
        place: int,
        status: TaskStatus,
    ) -> Fulfilment:
        row = Fulfilment(
            id=identity,
            tenant=request.tenant,
            service_request_id=request.id,
            organization_id=organization,
            round=place,
            status=status,
        )
        row.content = {**build_task(self._outgoing.task(request, row)), "status": status.value}
        session.add(row)
        session.flush()
        return row
