"""Files what partners send: one transaction a message, in the order of one patient's line."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from temporalio import activity

from activities.acting import context
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.task import TaskAnswer, read_facts, read_task
from activities.formats.fhir.task_update import updated
from activities.records.audit_event import Action, Auditor
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment
from activities.records.sessions import Context, Sessions
from rules.referral.vocabulary import Facts, Step
from workflows.contracts import inbound as contract
from workflows.contracts import referral

LOCK = text("select pg_advisory_xact_lock(hashtextextended(:patient, 0))")


class InboundActivities:
    """Files Task updates of referrals. What cannot be read is parked for a person and holds up nobody."""

    def __init__(self, sessions: Sessions, ring: KeyRing, auditor: Auditor) -> None:
        self._sessions, self._ring, self._auditor = sessions, ring, auditor

    @activity.defn(name=contract.FILE.name)
    def file(self, line: contract.Line) -> contract.Batch:
        """The next unsettled messages of the line, filed; those filed before a crash are given again."""
        acting = context()
        return contract.Batch(tuple(self._file_one(acting, one) for one in self._waiting(acting, line)))

    @activity.defn(name=contract.SETTLE.name)
    def settle(self, settling: contract.Settling) -> contract.Settled:
        """Their cases know: these messages need no further hand."""
        ids = [UUID(one) for one in settling.message_ids]
        with self._sessions.begin(context()) as session:
            session.execute(
                update(MessageLog)
                .where(MessageLog.id.in_(ids), MessageLog.settled_at.is_(None), MessageLog.state == MessageState.FILED)
                .values(settled_at=datetime.now(UTC))
            )
        return contract.Settled(len(ids))

    def _waiting(self, acting: Context, line: contract.Line) -> list[UUID]:
        with self._sessions.begin(acting) as session:
            return list(
                session.scalars(
                    select(MessageLog.id)
                    .where(
                        MessageLog.interface_id == UUID(line.interface_id),
                        MessageLog.patient_key == line.patient_key,
                        MessageLog.direction == Direction.IN,
                        MessageLog.settled_at.is_(None),
                        MessageLog.state.in_([MessageState.RECEIVED, MessageState.FILED]),
                    )
                    .order_by(MessageLog.seq)
                    .limit(line.limit)
                )
            )

    def _file_one(self, acting: Context, message_id: UUID) -> contract.Filed:
        with self._sessions.begin(acting) as session:
            row = session.get_one(MessageLog, message_id, with_for_update=True)
            try:
                answer = read_task(read_resource(self._ring.open(row.raw, f"message:{row.id}"), "Task"))
            except Refused as refused:
                row.state, row.detail = MessageState.WAITING, refused.issues[0].diagnostics
                return contract.Filed(str(row.id))
            if row.state == MessageState.RECEIVED:
                self._apply(session, acting, row)
                row.state = MessageState.FILED
            return contract.Filed(
                str(row.id), referral.workflow_id(acting.tenant, str(row.case_id)), _message(row, answer)
            )

    def _apply(self, session: Session, acting: Context, row: MessageLog) -> None:
        """The candidate's Task as the partner now has it, with the version our door has promised."""
        assert row.subject_id is not None
        session.execute(LOCK, {"patient": row.patient_key})
        task = session.get_one(Fulfilment, row.subject_id, with_for_update=True)
        resource = read_resource(self._ring.open(row.raw, f"message:{row.id}"), "Task")
        answer = read_task(resource)
        moment = row.received_at.astimezone(UTC).isoformat(timespec="milliseconds")
        task.content = updated(task.content, resource, str(task.version + 1), moment)
        task.status = answer.status
        task.business_status = answer.business.words if answer.business else ""
        task.status_reason = answer.reason.words if answer.reason else ""
        self._auditor.write(session, acting, Action.UPDATE, "Task", str(task.id), detail={"message": str(row.id)})


def _message(row: MessageLog, answer: TaskAnswer) -> referral.Message:
    """What the case learns; an answer outside our table goes to it as unexpected, in its own words."""
    if answer.step is None:
        return referral.Message(str(row.id), Step.UNEXPECTED, Facts(note=answer.raw), row.received_at)
    facts = replace(read_facts(answer), candidate=str(row.subject_id))
    return referral.Message(str(row.id), answer.step, facts, row.received_at)
