"""How the platform runs: each interface's ledger, what stopped, what is late, and where cases wait."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, extract, func, select
from sqlalchemy.orm import Session

from activities.records.audit_seal import AuditSeal
from activities.records.decision import Decision, Outcome
from activities.records.interface import Interface
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization, Transport
from activities.records.process import Process
from activities.records.queries.case_lines import DUE, OWN_PROCESS, OWN_TASK
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus

S = MessageState
SHOWN = 50


@dataclass(frozen=True)
class Ledger:
    """The messages of one interface in a period, by where each stands; `partner` is None for the sums."""

    partner: UUID | None
    name: str
    kind: str
    counts: dict[tuple[str, str], int]
    last: datetime | None

    def of(self, direction: Direction, *states: MessageState) -> int:
        """How many stand in one of the states; without states, all of a direction."""
        return sum(
            count for (way, state), count in self.counts.items() if way == direction and (not states or state in states)
        )

    @property
    def balances(self) -> bool:
        """received = under way + filed + waiting for a person + rejected by a person."""
        known = self.of(Direction.IN, S.RECEIVED, S.FILED, S.WAITING, S.REJECTED)
        return self.of(Direction.IN) == known


def ledgers(session: Session, since: datetime) -> list[Ledger]:
    """One for each connected partner, also those that sent nothing."""
    found = _connected(session)
    for row in session.execute(_counted(since)):
        ledger = found.get(row.partner) or _unnamed(session, row.partner, row.kind.partition(".")[0])
        counts = ledger.counts | {
            (row.direction, row.state): row.many + ledger.counts.get((row.direction, row.state), 0)
        }
        last = max(row.last, ledger.last) if ledger.last else row.last
        found[row.partner] = replace(ledger, counts=counts, last=last)
    return sorted(found.values(), key=lambda one: one.name)


def _counted(since: datetime) -> Select[UUID, str, str, str, int, datetime]:
    """In: by the interface it came through. Out: by the partner it is for, which is the interface of a sent message."""
    partner = func.coalesce(Interface.organization_id, MessageLog.interface_id).label("partner")
    return (
        select(
            partner,
            func.min(MessageLog.kind).label("kind"),
            MessageLog.direction,
            MessageLog.state,
            func.count().label("many"),
            func.max(MessageLog.received_at).label("last"),
        )
        .outerjoin(Interface, Interface.id == MessageLog.interface_id)
        .where(MessageLog.received_at >= since)
        .group_by(partner, MessageLog.direction, MessageLog.state)
    )


def _connected(session: Session) -> dict[UUID, Ledger]:
    partners = session.execute(
        select(Organization.id, Organization.name).where(
            Organization.partner.is_(True), Organization.transport == Transport.FHIR
        )
    ).all()
    doors = session.execute(select(Interface.organization_id, Interface.name, Interface.kind))
    found = {row.id: Ledger(row.id, row.name, "fhir", {}, None) for row in partners}
    return {row.organization_id: Ledger(row.organization_id, row.name, row.kind, {}, None) for row in doors} | found


def _unnamed(session: Session, partner: UUID, kind: str) -> Ledger:
    """One through which something came although the directory lists no connection now."""
    row = session.get(Organization, partner)
    return Ledger(partner, row.name if row else "No longer connected", kind, {}, None)


@dataclass(frozen=True)
class Stopped:
    """A decision or message that went no further: since when, and what was said about the cause."""

    id: UUID
    what: str
    kind: str
    case_id: UUID | None
    number: str
    partner: str
    since: datetime
    cause: str
    attempts: int


def stopped(session: Session) -> list[Stopped]:
    """What waits for a person, oldest first: parked decisions and messages that could not be filed or sent."""
    return sorted([*_parked_decisions(session), *_stuck_messages(session)], key=lambda one: one.since)[:SHOWN]


def _parked_decisions(session: Session) -> list[Stopped]:
    rows = session.execute(
        select(Decision, ServiceRequest.number, Organization.name)
        .outerjoin(ServiceRequest, ServiceRequest.id == Decision.case_id)
        .outerjoin(Organization, Organization.id == ServiceRequest.performer_id)
        .where(Decision.outcome == Outcome.PARKED)
        .order_by(Decision.made_at)
        .limit(SHOWN)
    )
    return [
        Stopped(
            one.id, "decision", one.name, one.case_id, number or "", name or "", one.made_at, one.answer, one.attempts
        )
        for one, number, name in rows
    ]


def _stuck_messages(session: Session) -> list[Stopped]:
    partner = func.coalesce(Interface.organization_id, MessageLog.interface_id)
    rows = session.execute(
        select(MessageLog, ServiceRequest.number, Organization.name)
        .outerjoin(Interface, Interface.id == MessageLog.interface_id)
        .outerjoin(Organization, Organization.id == partner)
        .outerjoin(ServiceRequest, ServiceRequest.id == MessageLog.case_id)
        .where(MessageLog.settled_at.is_(None), MessageLog.state.in_([S.WAITING, S.UNKNOWN]))
        .order_by(MessageLog.received_at)
        .limit(SHOWN)
    )
    return [
        Stopped(
            one.id, one.direction, one.kind, one.case_id, number or "", name or "", one.received_at, one.detail,
            one.attempts,
        )
        for one, number, name in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Backlog:
    """What was committed and has no outcome yet, oldest of each."""

    decisions: int
    oldest_decision: datetime | None
    messages: int
    oldest_message: datetime | None


def backlog(session: Session) -> Backlog:
    """The unsettled decisions and messages, without those that wait for a person."""
    decisions = session.execute(
        select(func.count(), func.min(Decision.made_at)).where(Decision.outcome.is_(None))
    ).one()
    messages = session.execute(
        select(func.count(), func.min(MessageLog.received_at)).where(
            MessageLog.settled_at.is_(None), MessageLog.state.not_in([S.WAITING, S.UNKNOWN])
        )
    ).one()
    return Backlog(decisions[0], decisions[1], messages[0], messages[1])


@dataclass(frozen=True)
class Wait:
    """The open cases of one stage: how many, how many of them late, and the days they have waited in it."""

    stage: str
    count: int
    late: int
    median: float
    p90: float


def waits(session: Session, now: datetime) -> list[Wait]:
    """Where open referrals stand now."""
    days = extract("epoch", now - ServiceRequest.stage_since) / 86400
    rows = session.execute(
        select(
            ServiceRequest.stage,
            func.count(),
            func.count().filter(now > DUE),
            func.percentile_cont(0.5).within_group(days),
            func.percentile_cont(0.9).within_group(days),
        )
        .join(Process, OWN_PROCESS)
        .outerjoin(Task, OWN_TASK)
        .where(ServiceRequest.closed_at.is_(None))
        .group_by(ServiceRequest.stage)
    )
    return [Wait(stage, count, late, float(median), float(p90)) for stage, count, late, median, p90 in rows]


@dataclass(frozen=True)
class Promises:
    """Open cases, those without a next action, owner or deadline, and those whose deadline has passed unnoticed."""

    open: int
    ownerless: int
    late: int
    sealed_at: datetime | None


def promises(session: Session, now: datetime) -> Promises:
    """What `careloop verify` would say of open cases, at a glance, and when the audit was last sealed."""
    nobody = (Process.next_action == "") | (Process.next_owner == "") | Process.next_due.is_(None)
    row = session.execute(
        select(func.count(), func.count().filter(nobody), func.count().filter(now > DUE))
        .outerjoin(Task, (Task.workflow_id == Process.workflow_id) & (Task.status == TaskStatus.OPEN))
        .where(Process.closed_at.is_(None))
    ).one()
    return Promises(row[0], row[1], row[2], session.scalar(select(func.max(AuditSeal.sealed_at))))


def waiting_count(session: Session) -> int:
    """How many stopped things wait for a person: the count beside Operations."""
    parked = session.scalar(select(func.count()).select_from(Decision).where(Decision.outcome == Outcome.PARKED)) or 0
    stuck = select(func.count()).where(MessageLog.settled_at.is_(None), MessageLog.state.in_([S.WAITING, S.UNKNOWN]))
    return parked + (session.scalar(stuck) or 0)
