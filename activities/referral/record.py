"""The store's side of a referral: each step is one transaction that happens once."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.acting import actor, context
from activities.case_review import CaseReview
from activities.records.audit_event import Action, Auditor
from activities.records.calendar import calendar_of
from activities.records.case_event import CaseEvent, record_event, result_of
from activities.records.decision import Decision
from activities.records.organization import Organization, Transport
from activities.records.process import Process, save
from activities.records.ring import KeyRing
from activities.records.service_request import ReferralContent, ServiceRequest, next_number, status_of
from activities.records.sessions import Context, Sessions
from activities.records.settling import is_decision, settle
from activities.records.values import dump, load, plain
from activities.referral.packet import Packet, Prepared
from activities.referral.saying import REFERRERS
from activities.referral.task import KIND, Held, ReferralTask
from activities.referral.visits import drop_visit, keep_visit
from rules.referral.steps import STAGE_WORDS
from rules.referral.vocabulary import Direction, Facts, Progress, Stage, Step
from rules.referral.waits import Waiting, waiting, worded
from workflows.contracts import referral as contract
from workflows.contracts.calls import DIVERGED, REFUSED
from workflows.contracts.people import SYSTEM

SETTLED = "Whoever decided this has been told that it does not apply."
SENDS = (Step.SENDING, Step.COVERAGE_CLEARANCE, Step.NEW_RECIPIENT, Step.ANOTHER_CANDIDATE)


class ReferralActivities:
    """Opens referrals and records their steps; the only writer of their rows."""

    def __init__(
        self,
        sessions: Sessions,
        ring: KeyRing,
        auditor: Auditor,
        packet: Packet,
        task: ReferralTask,
        review: CaseReview,
    ) -> None:
        self._sessions, self._ring, self._auditor = sessions, ring, auditor
        self._packet, self._task, self._review = packet, task, review

    @activity.defn(name=contract.OPEN.name)
    def open(self, opening: contract.Opening) -> contract.Opened:
        """Makes the referral of an opening decision; asked again, gives the State it has now."""
        case = UUID(opening.state.referral_id)
        with self._sessions.begin(context()) as session:
            if result_of(session, case, opening.decision_id) is not None:
                return contract.Opened(self._state_of(session, context().tenant, case))
            decision = session.get_one(Decision, UUID(opening.decision_id))
            if not settle(session, opening.decision_id):
                raise ApplicationError(SETTLED, type=REFUSED, non_retryable=True)
            actor.set(decision.actor)
            content = load(ReferralContent, self._ring.open(decision.arguments, f"decision:{decision.id}"))
            state = self.open_case(session, opening.state, opening.decision_id, content, decision.made_at)
            return contract.Opened(state)

    def open_case(
        self, session: Session, state: contract.State, key: str, content: ReferralContent, at: datetime
    ) -> contract.State:
        """Makes a referral in the transaction of what opens it; `at` is when that was said."""
        at, case = content.opened_at or at, UUID(state.referral_id)
        progress = content.progress or _begun(content, at)
        progress = replace(progress, opened=progress.opened or at)
        request = self._insert(session, case, content, progress, at)
        sends = self._begin(session, content, request, progress)
        self._tell_past(session, case, content)
        after = replace(state, progress=progress, sends=sends)
        for past in content.past:
            keep_visit(session, request, past.step, past.facts, past.at)
        recorded = self._finish(session, contract.Change(key, Step.OPENING, Facts(), at, state, after), request)
        progress = replace(progress, by_hand=recorded.by_hand)
        return replace(after, version=1, due_at=recorded.due_at, progress=progress)

    def _begin(
        self, session: Session, content: ReferralContent, request: ServiceRequest, progress: Progress
    ) -> tuple[str, ...]:
        """The Tasks by which both sides know it; the receipt of one that has just arrived."""
        if content.asked is None:
            self._packet.stand(session, request, progress)
            return ()
        self._packet.take(session, request, content.asked)
        if content.progress:
            return ()
        return self._packet.tell(session, context(), request, Step.RECEIPT, Facts(), progress)

    @activity.defn(name=contract.RECORD.name)
    def record(self, change: contract.Change) -> contract.Recorded:
        """One step: the request's row, its process and task, the timeline and the audit, once per key."""
        case = UUID(change.before.referral_id)
        with self._sessions.begin(context()) as session:
            settled = settle(session, change.key)
            request = self._advance(session, case, change) if settled else None
            if request is not None:
                return self._finish(session, change, request)
            # A step that was recorded before has moved the row on: this one finds it at another version.
            told = result_of(session, case, change.key)
            if told is not None:
                return replace(load(contract.Recorded, dump(told)), repeated=True)
            if settled:
                raise ApplicationError("The record is ahead of the process.", type=DIVERGED, non_retryable=True)
            raise ApplicationError(SETTLED, type=REFUSED, non_retryable=True)

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
            closed_at=None if progress.open else progress.since,
            close_reason=progress.close_reason,
            placer=content.asked.number if content.asked else "",
        )
        session.add(request)
        session.flush()
        return request

    def _advance(self, session: Session, case: UUID, change: contract.Change) -> ServiceRequest | None:
        """None where the row is not at the version this process believes in."""
        progress = change.after.progress
        values: dict[str, object] = {
            "stage": progress.stage,
            "status": status_of(progress.stage),
            "stage_since": progress.since,
            "priority": progress.priority,
            "visit_at": progress.visit_at,
        }
        if not progress.open and change.before.progress.open:
            values |= {"closed_at": change.at, "close_reason": progress.close_reason}
        values |= _asked_anew(change)
        request: ServiceRequest | None = session.scalar(
            update(ServiceRequest)
            .where(ServiceRequest.id == case, ServiceRequest.version == change.before.version)
            .values(values)
            .returning(ServiceRequest)
            .execution_options(synchronize_session=False)
        )
        return request

    def _finish(self, session: Session, change: contract.Change, request: ServiceRequest) -> contract.Recorded:
        """What every step leaves behind beside the request's row."""
        acting = context()
        partner = session.get_one(Organization, request.performer_id)
        by_hand = partner.transport == Transport.PAPER
        progress = replace(change.after.progress, by_hand=by_hand)
        prepared = self._prepare(session, acting, change, request, partner, progress)
        wait = self._wait(session, acting, request, partner, progress)
        due = self._task.due(session, acting, change, request, wait, progress)
        recorded = contract.Recorded(
            request.version, due.at, prepared.sends, by_hand, (prepared.candidate,) if prepared.candidate else ()
        )
        held = self._task.hold(session, acting, change, request, wait, progress, due)
        state = replace(
            change.after,
            progress=recorded.onto(progress),
            version=request.version,
            due_at=due.at,
            sends=(*change.after.sends, *recorded.sends),
        )
        # At the top of the ladder no clock runs any more; the last instant stays as what was missed.
        last = due.at or ((change.before.due_at or change.at) if wait else None)
        save(session, self._process(acting, request, state, wait, held.owner, last))
        self._ask_person(session, acting, change, request, partner)
        keep_visit(session, request, change.step, change.facts, change.at)
        drop_visit(session, request)
        record_event(session, _event(acting, change, request, recorded, held))
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

    def _wait(
        self, session: Session, acting: Context, request: ServiceRequest, partner: Organization, progress: Progress
    ) -> Waiting | None:
        wait = waiting(progress)
        zone = calendar_of(session, acting.tenant, request.site).zone
        return worded(wait, progress, partner.name, zone) if wait else None

    def _ask_person(
        self, session: Session, acting: Context, change: contract.Change, request: ServiceRequest, partner: Organization
    ) -> None:
        """Somebody must look at what a partner said that changes nothing by itself."""
        if change.step is Step.UNEXPECTED:
            action = f"Look at {partner.name}'s answer: it does not fit this referral"
        elif change.step is Step.LATE_NOTE and acting.actor == SYSTEM:
            action = f"Look at what {partner.name} sent after this referral had ended"
        else:
            return
        why = change.facts.note or f"The referral is {STAGE_WORDS[Stage(request.stage)]}."
        self._review(session, acting, request.id, f"step:{change.key}", action, why, change.at)

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
        told = self._tell(session, acting, change, request, progress)
        if change.step not in SENDS or progress.stage is Stage.COVERAGE:
            return Prepared(None, told)
        if change.step is Step.ANOTHER_CANDIDATE:
            partner = session.get_one(Organization, UUID(change.facts.recipient))
        prepared = self._packet.prepare(session, acting, request, partner, progress, change.facts.consent)
        return replace(prepared, sends=(*told, *prepared.sends))

    def _tell(
        self, session: Session, acting: Context, change: contract.Change, request: ServiceRequest, progress: Progress
    ) -> tuple[str, ...]:
        """What the other side said itself is in its Task already."""
        if not is_decision(session, change.key):
            return ()
        if progress.direction is Direction.OUT and change.step not in REFERRERS:
            self._packet.note(session, request, change.step, change.facts)
        return self._packet.tell(session, acting, request, change.step, change.facts, progress)

    def _process(
        self,
        acting: Context,
        request: ServiceRequest,
        state: contract.State,
        wait: Waiting | None,
        owner: str,
        due_at: datetime | None,
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
            next_action=wait.action if wait else "",
            next_owner=owner,
            next_due=due_at,
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


def _begun(content: ReferralContent, at: datetime) -> Progress:
    """Where a referral begins: at our desk, or in the triage of one that was made to us."""
    if content.asked is None:
        return Progress(priority=content.priority, since=at)
    return Progress(Stage.TRIAGE, content.priority, Direction.IN, since=at, round=1)


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


def _event(
    acting: Context, change: contract.Change, request: ServiceRequest, recorded: contract.Recorded, held: Held
) -> dict[str, object]:
    return {
        "tenant": acting.tenant,
        "case_id": request.id,
        "step_key": change.key,
        "step": change.step,
        "stage": request.stage,
        "at": change.at,
        "actor": acting.actor,
        "facts": plain(change.facts),
        "result": plain(recorded) | held.told,
    }
