"""The FHIR door's store and engine: what a partner may see, and what it says, committed before anything else."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.formats.fhir.datatypes import Identifier, Reference
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.patient import build_patient
from activities.formats.fhir.search import Search
from activities.formats.fhir.service_request import build_service_request
from activities.records.as_fhir import patient_content, request_content
from activities.records.audit_event import Action, Auditor
from activities.records.base import new_id
from activities.records.interface import Interface as InterfaceRow
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.patient import Patient
from activities.records.ring import KeyRing
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context, Sessions
from web.client import Engine
from web.fhir.answers import refuse
from web.fhir.door import Arrival, ArrivalKind, Door, Fate, Interface, Page, Readable, Received, Stored
from web.fhir.keeping import LINE, answered, keep, known, refuse_misdirected
from workflows.contracts import inbound
from workflows.contracts.calls import INTERACTIVE

FHIR = "fhir"
FOLLOWS = (
    "This Task follows yours. Tell of a change by a transaction with PUT Task?identifier= and your Task's own address."
)
UNANSWERED = (
    TimeoutError,
    RuntimeError,
    RPCError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
FATES = {
    MessageState.FILED: Fate.APPLIED,
    MessageState.WAITING: Fate.WAITING,
    MessageState.REJECTED: Fate.REFUSED,
}


class StoreDoor(Door):
    """`base` is our FHIR address."""

    def __init__(self, sessions: Sessions, ring: KeyRing, auditor: Auditor, engine: Engine, base: str) -> None:
        self._sessions, self._ring, self._auditor, self._engine, self._base = sessions, ring, auditor, engine, base

    def interface_of(self, client_id: str) -> Interface | None:
        with self._sessions.platform() as session:
            row = session.scalar(
                select(InterfaceRow).where(
                    InterfaceRow.kind == FHIR, InterfaceRow.client_id == client_id, InterfaceRow.active.is_(True)
                )
            )
        return Interface(str(row.id), row.tenant, str(row.organization_id)) if row else None

    def read(self, interface: Interface, kind: Readable, resource_id: str) -> Stored | None:
        identity = _uuid(resource_id)
        if identity is None:
            return None
        with self._sessions.begin(_context(interface)) as session:
            stored = self._stored(session, interface, kind, identity)
            if stored:
                self._auditor.write(session, _context(interface), Action.READ, kind, resource_id)
            return stored

    def _stored(self, session: Session, interface: Interface, kind: Readable, identity: UUID) -> Stored | None:
        theirs = Fulfilment.organization_id == UUID(interface.organization)
        if kind is Readable.TASK:
            task = session.scalar(select(Fulfilment).where(Fulfilment.id == identity, theirs))
            return _as_stored(task.content, task.version, task.recorded_at) if task else None
        query = select(ServiceRequest, Patient).join(Patient, Patient.id == ServiceRequest.patient_id)
        query = query.join(Fulfilment, Fulfilment.service_request_id == ServiceRequest.id).where(theirs)
        mine = ServiceRequest.id if kind is Readable.SERVICE_REQUEST else Patient.id
        row = session.execute(query.where(mine == identity).limit(1)).one_or_none()
        if row is None:
            return None
        request, patient = row
        if kind is Readable.PATIENT:
            return _as_stored(
                build_patient(patient_content(self._base, patient)), patient.version, patient.recorded_at, patient.id
            )
        subject, requester = Reference(f"Patient/{patient.id}"), Reference("", request.requester)
        content = build_service_request(request_content(self._base, request, subject, requester))
        return _as_stored(content, request.version, request.recorded_at, request.id)

    def search(self, interface: Interface, asked: Search) -> Page:
        """What this partner may see, oldest first; the cursor is the last one's id."""
        kind = Readable(asked.resource_type)
        with self._sessions.begin(_context(interface)) as session:
            ids = list(session.scalars(_matching(asked, kind, UUID(interface.organization), self._base)))
            shown = ids[: asked.count]
            self._auditor.record_view(session, _context(interface), kind, shown)
            found = [self._stored(session, interface, kind, one) for one in shown]
        return Page(tuple(one.content for one in found if one), str(shown[-1]) if len(ids) > asked.count else "")

    def receive(self, interface: Interface, arrival: Arrival) -> Received:
        with self._sessions.begin(_context(interface)) as session:
            row = known(session, interface, arrival)
            if row:
                return self._received(session, row)
            if arrival.kind is ArrivalKind.TASK_UPDATE:
                return self._commit(session, interface, arrival, sha256(arrival.raw).digest())
            if arrival.kind in (ArrivalKind.REFERRAL, ArrivalKind.REFERRAL_UPDATE):
                refuse_misdirected(session, interface, arrival)
            return self._received(session, keep(session, self._ring, interface, arrival))

    def _commit(self, session: Session, interface: Interface, arrival: Arrival, digest: bytes) -> Received:
        """One update is under way at a time: the next one must have seen its outcome."""
        task = session.get_one(Fulfilment, UUID(arrival.resource_id), with_for_update=True)
        if task.address:
            raise refuse(422, FOLLOWS, "Task.identifier")
        pending = session.scalar(
            select(func.count()).where(MessageLog.subject_id == task.id, MessageLog.state == MessageState.RECEIVED)
        )
        if pending or str(task.version) != arrival.version:
            return Received(Fate.STALE, version=str(task.version + (pending or 0)))
        request = session.get_one(ServiceRequest, task.service_request_id)
        identity = new_id()
        patient_key = self._ring.digest(interface.tenant, LINE, request.patient_id.bytes).hex()
        session.add(
            MessageLog(
                id=identity,
                tenant=interface.tenant,
                interface_id=UUID(interface.id),
                direction=Direction.IN,
                kind=arrival.kind,
                external_id=arrival.external_id,
                content_hash=digest,
                patient_key=patient_key,
                case_id=request.id,
                subject_id=task.id,
                raw=self._ring.seal(interface.tenant, arrival.raw, f"message:{identity}"),
                state=MessageState.RECEIVED,
                received_at=datetime.now(UTC),
            )
        )
        return Received(Fate.RECORDED, str(identity))

    def outcome(self, interface: Interface, message_id: str, seconds: float) -> Received:
        deadline = time.monotonic() + seconds
        with self._sessions.begin(_context(interface)) as session:
            patient_key = session.get_one(MessageLog, UUID(message_id)).patient_key
        self.poke(interface.tenant, interface.id, patient_key, max(deadline - time.monotonic(), 0.1))
        with self._sessions.begin(_context(interface)) as session:
            return self._received(session, session.get_one(MessageLog, UUID(message_id)))

    def poke(self, tenant: str, interface_id: str, patient_key: str, seconds: float) -> bool:
        """Has the line's waiting messages filed; False when the engine did not answer in time."""

        async def work(client: Client) -> None:
            start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                inbound.WORKFLOW,
                inbound.Line(interface_id, patient_key),
                id=inbound.workflow_id(tenant, interface_id, patient_key),
                task_queue=INTERACTIVE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_timeout=timedelta(seconds=3),
            )
            await client.execute_update_with_start_workflow(
                inbound.DRAINED, start_workflow_operation=start, rpc_timeout=timedelta(seconds=seconds)
            )

        try:
            self._engine.run(work, seconds + 1)
        except UNANSWERED:
            return False
        return True

    def abandon(self, tenant: str, interface_id: str, patient_key: str) -> None:
        """Ends a line's process that answers to nobody: it holds nothing, the next poke begins a new one."""
        line = inbound.workflow_id(tenant, interface_id, patient_key)
        with suppress(*UNANSWERED):
            self._engine.run(lambda client: client.get_workflow_handle(line).terminate("it does not answer"), 5.0)

    def _received(self, session: Session, row: MessageLog) -> Received:
        fate = FATES.get(MessageState(row.state), Fate.RECORDED)
        if fate is not Fate.APPLIED:
            return Received(fate, str(row.id), words=row.detail)
        if row.kind != ArrivalKind.TASK_UPDATE or row.subject_id is None:
            return answered(self._ring, row)
        task = session.get_one(Fulfilment, row.subject_id)
        stored = _as_stored(task.content, task.version, task.recorded_at)
        return Received(fate, str(row.id), stored.content, stored.version)


def _matching(asked: Search, kind: Readable, organization: UUID, base: str) -> Select[UUID]:
    """The ids a search asks for, one more than a page."""
    row = Fulfilment if kind is Readable.TASK else ServiceRequest
    query = select(row.id).join(ServiceRequest, ServiceRequest.id == Fulfilment.service_request_id)
    if kind is Readable.SERVICE_REQUEST:
        query = select(row.id).join(Fulfilment, Fulfilment.service_request_id == row.id)
    conditions = [Fulfilment.organization_id == organization]
    if asked.statuses:
        conditions.append(row.status.in_(asked.statuses))
    if asked.ids:
        conditions.append(row.id.in_(_uuids(asked.ids)))
    if asked.focus:
        conditions.append(Fulfilment.service_request_id.in_(_uuids(asked.focus)))
    if asked.patients:
        conditions.append(ServiceRequest.patient_id.in_(_uuids(asked.patients)))
    if asked.groups or (asked.identifiers and kind is Readable.SERVICE_REQUEST):
        conditions.append(_numbered(asked.groups or asked.identifiers, base))
    elif asked.identifiers:
        theirs = [one.value for one in asked.identifiers]
        ours = [one.removeprefix(f"{base}/Task/") for one in theirs]
        conditions.append(Fulfilment.id.in_(_uuids(tuple(ours))) | Fulfilment.address.in_(theirs))
    if asked.since:
        conditions.append(row.recorded_at >= asked.since)
    if asked.before:
        conditions.append(row.recorded_at < asked.before)
    if cursor := _uuid(asked.cursor):
        conditions.append(row.id > cursor)
    return query.where(*conditions).distinct().order_by(row.id).limit(asked.count + 1)


def _numbered(wanted: tuple[Identifier, ...], base: str) -> ColumnElement[bool]:
    """Referrals by the number of who made them; a system that is neither ours nor theirs matches nothing."""
    assigner = func.concat(f"{base}/identifier/", ServiceRequest.tenant, "/referral|")
    number = case((ServiceRequest.placer != "", ServiceRequest.placer), else_=assigner.concat(ServiceRequest.number))
    return or_(*(number == f"{one.system}|{one.value}" if one.system else _ends(number, one.value) for one in wanted))


def _ends(number: ColumnElement[str], value: str) -> ColumnElement[bool]:
    return func.right(number, len(value) + 1) == f"|{value}"


def _uuids(words: tuple[str, ...]) -> list[UUID]:
    return [one for word in words if (one := _uuid(word))]


def _as_stored(content: Json, version: int, modified: datetime, identity: UUID | None = None) -> Stored:
    meta = {
        **content.get("meta", {}),
        "versionId": str(version),
        "lastUpdated": modified.isoformat(timespec="milliseconds"),
    }
    extra = {"id": str(identity)} if identity else {}
    return Stored({**content, **extra, "meta": meta}, str(version), modified)


def _context(interface: Interface) -> Context:
    return Context(interface.tenant, f"interface:{interface.id}")


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None
