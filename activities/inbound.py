"""Files what partners send: one transaction a message, in the order of one patient's line."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session
from temporalio import activity

from activities.acting import context
from activities.case_review import CaseReview
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.referral_update import new_note
from activities.formats.fhir.task import read_facts, read_task
from activities.formats.fhir.task_update import new_documents, updated, without_bytes
from activities.records.arrived import Arrived, arrived_of, keep_arrived, raw_of
from activities.records.audit_event import Action, Auditor
from activities.records.case_event import result_of
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization
from activities.records.ring import KeyRing, Unreadable
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context, Sessions
from activities.referral.arrival import Arrivals, is_bundle
from activities.referral.document_arrival import DOCUMENT, DocumentArrivals
from activities.referral.received_document import store_received
from rules.referral.vocabulary import Facts, Step
from workflows.contracts import inbound as contract
from workflows.contracts import referral

LOCK = text("select pg_advisory_xact_lock(hashtextextended(:patient, 0))")
LIMIT = 20_000_000
ON_THE_LINE = (MessageState.RECEIVED, MessageState.FILED)
LOOK = "Look at a message from the partner"
# What is wrong with a message, not with the store: it would be wrong again however often it is tried.
UNFIT = (Unreadable, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class InboundActivities:
    """Files what partners send. What cannot be read is parked for a person and holds up nobody."""

    def __init__(
        self,
        sessions: Sessions,
        ring: KeyRing,
        auditor: Auditor,
        review: CaseReview,
        clock: Callable[[], datetime],
        bundles: Arrivals,
        documents: DocumentArrivals,
    ) -> None:
        self._sessions, self._ring, self._auditor = sessions, ring, auditor
        self._review, self._clock = review, clock
        self._bundles, self._documents = bundles, documents

    @activity.defn(name=contract.FILE.name)
    def file(self, line: contract.Line) -> contract.Batch:
        """The next messages of the line, filed; one that was filed before is given again until its case has it."""
        acting = context()
        waiting = self._waiting(acting, line)
        filed = tuple(self._file_one(acting, one.id) for one in waiting)
        last = waiting[-1].seq if waiting else line.after
        return contract.Batch(filed, last, len(waiting) >= line.limit)

    @activity.defn(name=contract.PARK.name)
    def park(self, parking: contract.Parking) -> contract.Parked:
        """A person must look at a message that its case cannot take."""
        return contract.Parked(self._park(context(), UUID(parking.message_id), parking.why))

    def _waiting(self, acting: Context, line: contract.Line) -> list[Row[UUID, int]]:
        with self._sessions.begin(acting) as session:
            return list(
                session.execute(
                    select(MessageLog.id, MessageLog.seq)
                    .where(
                        MessageLog.interface_id == UUID(line.interface_id),
                        MessageLog.patient_key == line.patient_key,
                        MessageLog.direction == Direction.IN,
                        MessageLog.settled_at.is_(None),
                        MessageLog.state.in_(ON_THE_LINE),
                        MessageLog.seq > line.after,
                    )
                    .order_by(MessageLog.seq)
                    .limit(line.limit)
                )
            )

    def _file_one(self, acting: Context, message_id: UUID) -> contract.Filed:
        try:
            return self._file(acting, message_id)
        except Refused as refused:
            self._park(acting, message_id, refused.issues[0].diagnostics)
        except UNFIT as fault:
            self._park(acting, message_id, f"It could not be filed ({type(fault).__name__}).")
        return contract.Filed(str(message_id))

    def _file(self, acting: Context, message_id: UUID) -> contract.Filed:
        with self._sessions.begin(acting) as session:
            row = session.get_one(MessageLog, message_id, with_for_update=True)
            if row.settled_at or row.state not in ON_THE_LINE:
                return contract.Filed(str(row.id))
            if row.answer is None:
                session.execute(LOCK, {"patient": row.patient_key})
                keep_arrived(self._ring, row, self._take(session, acting, row))
            elif row.case_id and result_of(session, row.case_id, str(row.id)) is not None:
                row.settled_at = datetime.now(UTC)
                return contract.Filed(str(row.id))
            arrived, row.state = arrived_of(self._ring, row), MessageState.FILED
            if arrived.step in (None, Step.OPENING):
                row.settled_at = datetime.now(UTC)
            return _filed(row, arrived)

    def _take(self, session: Session, acting: Context, row: MessageLog) -> Arrived:
        """Files it once; what it leads to is kept, so that its case is told the same however often."""
        if is_bundle(row):
            return self._bundles.take(session, acting, row)
        if row.kind == DOCUMENT:
            return self._documents.take(session, acting, row)
        return self._apply(session, acting, row)

    def _park(self, acting: Context, message_id: UUID, why: str) -> bool:
        """False where it was settled meanwhile."""
        with self._sessions.begin(acting) as session:
            row = session.get_one(MessageLog, message_id, with_for_update=True)
            if row.settled_at or row.state not in ON_THE_LINE:
                return False
            row.state, row.detail = MessageState.WAITING, why
            self._review(session, acting, row.case_id or row.id, f"message:{row.id}", LOOK, why, self._clock())
            return True

    def _apply(self, session: Session, acting: Context, row: MessageLog) -> Arrived:
        """The candidate's Task as the partner now has it, with the version our door has promised.

        A message that was parked and comes again later takes nothing back that was said after it.
        """
        assert row.subject_id is not None
        task = session.get_one(Fulfilment, row.subject_id, with_for_update=True)
        resource = read_resource(raw_of(self._ring, row), "Task", LIMIT)
        arrived = self._answer(session, acting, row, task, resource)
        moment = row.received_at.astimezone(UTC).isoformat(timespec="milliseconds")
        after = without_bytes(updated(task.content, resource, str(task.version + 1), moment))
        if _overtaken(session, row) or _same(task.content, after):
            return arrived
        answer = read_task(after)
        task.content = after
        task.status = answer.status
        task.business_status = answer.business.words if answer.business else ""
        task.status_reason = answer.reason.words if answer.reason else ""
        self._auditor.write(session, acting, Action.UPDATE, "Task", str(task.id), detail={"message": str(row.id)})
        return arrived

    def _answer(self, session: Session, acting: Context, row: MessageLog, task: Fulfilment, resource: Json) -> Arrived:
        """What is said for the first time; an answer outside our table goes to the case in its own words."""
        answer = read_task(resource)
        note = new_note(task.content, resource)
        request = session.get_one(ServiceRequest, task.service_request_id)
        partner = session.get_one(Organization, task.organization_id)
        stored = [
            store_received(
                session, self._ring, acting, one, request, partner, row.received_at, uuid5(row.id, str(place))
            )
            for place, one in enumerate(new_documents(task.content, answer))
        ]
        document = next((str(one) for one in reversed(stored) if one), "")
        if answer.step is None:
            words = ": ".join(part for part in (answer.raw, note) if part)
            return Arrived(Step.UNEXPECTED, Facts(note=words, document=document))
        facts = replace(read_facts(replace(answer, notes=answer.notes[-1:] if note else ())), document=document)
        return Arrived(answer.step, replace(facts, candidate=str(task.id)))


def _overtaken(session: Session, row: MessageLog) -> bool:
    """Whether a later message about the same Task has been filed."""
    later = select(MessageLog.id).where(
        MessageLog.case_id == row.case_id,
        MessageLog.subject_id == row.subject_id,
        MessageLog.seq > row.seq,
        MessageLog.state == MessageState.FILED,
    )
    return session.scalar(later.limit(1)) is not None


def _same(before: dict[str, object], after: dict[str, object]) -> bool:
    return {**before, "meta": None} == {**after, "meta": None}


def _filed(row: MessageLog, arrived: Arrived) -> contract.Filed:
    """What the case learns, if it must learn of it."""
    if arrived.step is None:
        return contract.Filed(str(row.id))
    message = referral.Message(str(row.id), arrived.step, arrived.facts, row.received_at)
    return contract.Filed(str(row.id), str(row.case_id), message)
