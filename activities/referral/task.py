"""The one open task of a referral: when it is due, whose it is, and who has it when it is late."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from activities.deadline import Deadlines, Due, Routed
from activities.records.people import account_of
from activities.records.service_request import ServiceRequest
from activities.records.sessions import Context
from activities.records.task import Assigned, Assignment, reassign
from rules.referral.vocabulary import Progress, Step
from rules.referral.waits import CLINICIANS, Waiting
from rules.task import rung_at
from workflows.contracts import referral as contract

KIND = "referral"
RANK = {"stat": 0, "urgent": 1, "routine": 2}


@dataclass(frozen=True)
class Held:
    """Who has the next action (an account id or a pool), and what the case's event keeps of how that was decided."""

    owner: str
    told: dict[str, object]


class ReferralTask:
    """Decides inside the transaction of a step."""

    def __init__(self, deadlines: Deadlines, clock: Callable[[], datetime]) -> None:
        self._deadlines, self._clock = deadlines, clock

    def due(
        self,
        session: Session,
        context: Context,
        change: contract.Change,
        request: ServiceRequest,
        wait: Waiting | None,
        progress: Progress,
    ) -> Due:
        """When the wait runs out. A step that leaves a late case as it was leaves its next rung as it was."""
        if progress.rung and change.step not in (Step.OVERDUE, Step.OPENING):
            return Due(change.before.due_at)
        return self._deadlines.due(session, context.tenant, request.site, wait, progress, change.at)

    def hold(
        self,
        session: Session,
        context: Context,
        change: contract.Change,
        request: ServiceRequest,
        wait: Waiting | None,
        progress: Progress,
        due: Due,
    ) -> Held:
        """Leaves the case with the task it needs: none while the partner must act, one that climbs when it is late."""
        told: dict[str, object] = {"due": _version(due)} if due.table else {}
        now = max(change.at, self._clock())
        routed = self._route(session, context, request, wait, progress, now) if wait else None
        wanted = None
        if wait and routed and wait.person:
            wanted = self._wanted(session, context, change, request, wait, progress, due, routed)
        assigned = reassign(session, context, request.id, KIND, wanted, change.key, change.at, now)
        if routed:
            told |= {"route": _version(routed)} | _climbed(assigned, routed, progress)
        return Held(assigned.words or (routed.pool if routed else ""), told)

    def _route(
        self,
        session: Session,
        context: Context,
        request: ServiceRequest,
        wait: Waiting,
        progress: Progress,
        now: datetime,
    ) -> Routed:
        return self._deadlines.route(session, context.tenant, request.site, request.service, wait, progress, now)

    def _wanted(
        self,
        session: Session,
        context: Context,
        change: contract.Change,
        request: ServiceRequest,
        wait: Waiting,
        progress: Progress,
        due: Due,
        routed: Routed,
    ) -> Assignment:
        """A late one is due when its wait ran out: its age counts from there."""
        due_at = change.before.due_at if change.step is Step.OVERDUE else due.at
        return Assignment(
            workflow_id=contract.workflow_id(context.tenant, str(request.id)),
            patient_id=request.patient_id,
            number=request.number,
            action=wait.action,
            why=wait.why,
            subject=request.service,
            stage=request.stage,
            outcomes=(wait.step,),
            priority=request.priority,
            rank=RANK[request.priority],
            pool=routed.pool,
            site=request.site,
            due_at=due_at or change.at,
            ladder=routed.ladder,
            rung=progress.rung,
            table_name=due.table,
            table_version=due.version,
            table_hash=due.hash,
            preferred=_referrer(session, context, request, routed),
        )


def _referrer(session: Session, context: Context, request: ServiceRequest, routed: Routed) -> UUID | None:
    """A clinician's task is the referring clinician's."""
    return account_of(session, context.tenant, request.requester_npi) if routed.pool == CLINICIANS else None


def _version(decided: Due | Routed) -> dict[str, object]:
    return {name: value for name, value in asdict(decided).items() if name in ("table", "version", "hash")}


def _climbed(assigned: Assigned, routed: Routed, progress: Progress) -> dict[str, object]:
    if not assigned.escalated_from:
        return {}
    return {
        "rung": rung_at(routed.ladder, progress.rung),
        "escalated_from": assigned.escalated_from,
        "escalated_to": assigned.words,
    }
