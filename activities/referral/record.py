"""The store's side of a referral: each step is one transaction that happens once."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.acting import context
from activities.records.audit_event import Action, Auditor
from activities.records.base import new_id
from activities.records.case_event import CaseEvent, result_of
from activities.records.decision import Decision
from activities.records.organization import Organization, Transport
from activities.records.process import Process, save
from activities.records.ring import KeyRing
from activities.records.service_request import ReferralContent, ServiceRequest, next_number, status_of
from activities.records.sessions import Context, Sessions
from activities.records.task import Assignment, reassign
from activities.records.tenant import Tenant
from activities.records.values import dump, load, plain
from activities.referral.packet import Packet, Prepared
from rules.calendar import Calendar, due
from rules.referral.vocabulary import Facts, Progress, Stage, Step
from rules.referral.waits import MAX_RUNGS, RUNG, Waiting, waiting
from workflows.contracts import referral as contract
from workflows.contracts.calls import DIVERGED

SENDS = (Step.SENDING, Step.COVERAGE_CLEARANCE, Step.NEW_RECIPIENT, Step.ANOTHER_CANDIDATE)
KIND = "referral"
RANK = {"stat": 0, "urgent": 1, "routine": 2}


class ReferralActivities:
    """Opens referrals and records their steps; the only writer of their rows."""

    def __init__(self, sessions: Sessions, ring: KeyRing, auditor: Auditor, packet: Packet) -> None:
        self._sessions, self._ring, self._auditor, self._packet = sessions, ring, auditor, packet

    @activity.defn(name=contract.OPEN.name)
    def open(self, opening: contract.Opening) -> contract.Opened:
        """Makes the referral of an opening decision; asked again, gives the State it has now."""
        case = UUID(opening.state.referral_id)
        with self._sessions.begin(context()) as session:
            if result_of(session, case, opening.decision_id) is not None:
                return contract.Opened(self._state_of(session, context().tenant, case))
            decision = session.get_one(Decision, UUID(opening.decision_id))
            content = load(ReferralContent, self._ring.open(decision.arguments, f"decision:{decision.id}"))
            at = content.opened_at or decision.made_at
            progress = content.progress or Progress(priority=content.priority, since=at)
            progress = replace(progress, opened=progress.opened or at)
            request = self._insert(session, case, content, progress, at)
            self._tell_past(session, case, content)
            change = contract.Change(
                opening.decision_id, Step.OPENING, Facts(), at, opening.state, replace(opening.state, progress=progress)
            )
            recorded = self._finish(session, change, request)
            state = replace(
                change.after, version=1, due_at=recorded.due_at, progress=replace(progress, by_hand=recorded.by_hand)
            )
            return contract.Opened(state)

    @activity.defn(name=contract.RECORD.name)
    def record(self, change: contract.Change) -> contract.Recorded:
        """One step: the request's row, its process and task, the timeline and the audit, once per key."""
        case = UUID(change.before.referral_id)
        with self._sessions.begin(context()) as session:
            told = result_of(session, case, change.key)
            if told is not None:
                return replace(load(contract.Recorded, dump(told)), repeated=True)
            return self._finish(session, change, self._advance(session, case, change))

    def _insert(
        self, session: Session, case: UUID, content: ReferralContent, progress: Progress, at: datetime
    ) -> ServiceRequest:
        request = ServiceRequest(
            id=case,
            tenant=context().tenant,
            number=content.number or next_number(session),
            direction=progress.direction,
            patient_id=UUID(content.patient_id),
            performer_id=UUID(content.performer_id),
            requester=content.requester,
            requester_npi=content.requester_npi,
            service=content.service,
            priority=progress.priority,
            question=content.question,
            diagnoses=list(content.diagnoses),
            site=content.site,
            status=status_of(progress.stage),
            stage=progress.stage,
            stage_since=progress.since or at,
            visit_at=progress.visit_at,
            opened_at=at,
        )
        session.add(request)
        session.flush()
        return request

    def _advance(self, session: Session, case: UUID, change: contract.Change) -> ServiceRequest:
        progress = change.after.progress
        values: dict[str, object] = {
            "stage": progress.stage,
            "status": status_of(progress.stage),
            "stage_since": progress.since,
            "priority": progress.priority,
            "visit_at": progress.visit_at,
        }
        if not progress.open:
            values |= {"closed_at": change.at, "close_reason": progress.close_reason}
        values |= _asked_anew(change)
        request: ServiceRequest | None = session.scalar(
            update(ServiceRequest)
            .where(ServiceRequest.id == case, ServiceRequest.version == change.before.version)
            .values(values)
            .returning(ServiceRequest)
        )
        if request is None:
            raise ApplicationError("The record is ahead of the process.", type=DIVERGED, non_retryable=True)
        return request

    def _finish(self, session: Session, change: contract.Change, request: ServiceRequest) -> contract.Recorded:
        """What every step leaves behind beside the request's row."""
        acting = context()
        partner, zone = self._partner(session, request)
        by_hand = partner.transport == Transport.PAPER
        progress = replace(change.after.progress, by_hand=by_hand)
        prepared = self._prepare(session, acting, change, request, partner, progress)
        wait = waiting(progress)
        due_at = _due(wait, progress, change.at, zone)
        recorded = contract.Recorded(
            request.version, due_at, prepared.sends, by_hand, (prepared.candidate,) if prepared.candidate else ()
        )
        owner = self._assign(session, acting, change, request, partner, wait, due_at)
        state = replace(
            change.after,
            progress=recorded.onto(progress),
            version=request.version,
            due_at=due_at,
            sends=(*change.after.sends, *recorded.sends),
        )
        save(session, self._process(acting, request, state, wait, partner, owner))
        session.execute(insert(CaseEvent).values(_event(acting, change, request, recorded)))
        self._auditor.write(
            session,
            acting,
            Action.CREATE if change.step is Step.OPENING else Action.UPDATE,
            "ServiceRequest",
            str(request.id),
            request.patient_id,
            {"step": change.step, "version": request.version},
        )
        return recorded

    def _prepare(
        self,
        session: Session,
        acting: Context,
        change: contract.Change,
        request: ServiceRequest,
        partner: Organization,
        progress: Progress,
    ) -> Prepared:
        """What goes out because of this step: the whole referral to a new candidate, or word of the change."""
        if change.step not in SENDS or progress.stage is Stage.COVERAGE:
            return Prepared(None, ())
        if change.step is Step.ANOTHER_CANDIDATE:
            partner = session.get_one(Organization, UUID(change.facts.recipient))
        return self._packet.prepare(session, acting, request, partner, progress)

    def _partner(self, session: Session, request: ServiceRequest) -> tuple[Organization, str]:
        row = session.execute(
            select(Organization, Tenant.zone)
            .join(Tenant, Tenant.id == Organization.tenant)
            .where(Organization.id == request.performer_id)
        ).one()
        return row[0], row[1]

    def _assign(
        self,
        session: Session,
        acting: Context,
        change: contract.Change,
        request: ServiceRequest,
        partner: Organization,
        wait: Waiting | None,
        due_at: datetime | None,
    ) -> str:
        """The one open task of the case, where a person must act; gives who holds the next action."""
        held = change.before.due_at if change.step is Step.OVERDUE else due_at
        assignment = None
        if wait and wait.person:
            assignment = Assignment(
                workflow_id=contract.workflow_id(acting.tenant, str(request.id)),
                patient_id=request.patient_id,
                number=request.number,
                action=wait.action.format(partner=partner.name),
                why=wait.why.format(partner=partner.name),
                subject=request.service,
                stage=request.stage,
                outcomes=(wait.step,),
                priority=request.priority,
                rank=RANK[request.priority],
                pool=wait.pool,
                site=request.site,
                due_at=held or change.at,
            )
        owner = reassign(session, acting, request.id, KIND, assignment, change.key, change.at)
        return str(owner) if owner else (wait.pool if wait else "")

    def _process(
        self,
        acting: Context,
        request: ServiceRequest,
        state: contract.State,
        wait: Waiting | None,
        partner: Organization,
        owner: str,
    ) -> Process:
        workflow_id = contract.workflow_id(acting.tenant, str(request.id))
        return Process(
            workflow_id=workflow_id,
            tenant=acting.tenant,
            kind=KIND,
            case_id=request.id,
            stage=request.stage,
            state=self._ring.seal(acting.tenant, dump(state), f"process:{workflow_id}"),
            version=request.version,
            next_action=wait.action.format(partner=partner.name) if wait else "",
            next_owner=owner,
            next_due=state.due_at,
            opened_at=request.opened_at,
            closed_at=request.closed_at,
        )

    def _tell_past(self, session: Session, case: UUID, content: ReferralContent) -> None:
        """The timeline of a referral that began elsewhere: true dates, nothing sent again."""
        for number, past in enumerate(content.past):
            session.add(
                CaseEvent(
                    tenant=context().tenant,
                    case_id=case,
                    step_key=f"past:{number}",
                    step=past.step,
                    stage="",
                    at=past.at,
                    actor=past.actor,
                    facts=plain(past.facts),
                    result={},
                )
            )

    def _state_of(self, session: Session, tenant: str, case: UUID) -> contract.State:
        workflow_id = contract.workflow_id(tenant, str(case))
        row = session.get_one(Process, workflow_id)
        return load(contract.State, self._ring.open(row.state, f"process:{workflow_id}"))


def _asked_anew(change: contract.Change) -> dict[str, object]:
    """The columns that a change of the request or of its recipient writes."""
    facts = change.facts
    match change.step:
        case Step.NEW_RECIPIENT:
            return {"performer_id": UUID(facts.recipient)}
        case Step.CHOICE:
            chosen = next(one for one in change.after.progress.candidates if one.task == facts.candidate)
            return {"performer_id": UUID(chosen.organization)}
        case Step.AMENDMENT:
            said = {"question": facts.question, "diagnoses": list(facts.diagnoses)}
            return {name: value for name, value in said.items() if value}
    return {}


def _due(wait: Waiting | None, progress: Progress, at: datetime, zone: str) -> datetime | None:
    """When the wait runs out; after that, one rung a business day until the ladder ends."""
    calendar = Calendar(zone)
    if wait is None or progress.rung >= MAX_RUNGS:
        return None
    if progress.rung:
        return due(calendar, at, RUNG)
    return due(calendar, wait.start, wait.clock, person=wait.person)


def _event(
    acting: Context, change: contract.Change, request: ServiceRequest, recorded: contract.Recorded
) -> dict[str, object]:
    return {
        "id": new_id(),
        "tenant": acting.tenant,
        "case_id": request.id,
        "step_key": change.key,
        "step": change.step,
        "stage": request.stage,
        "at": change.at,
        "actor": acting.actor,
        "facts": plain(change.facts),
        "result": plain(recorded),
    }
