"""Nothing received is lost: each message is filed, waits for a person, was rejected by one, or has just come."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Select, String, cast, exists, func, select
from sqlalchemy.orm import Session

from activities.records.case_event import CaseEvent
from activities.records.interface import Interface
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.task import Task, TaskStatus
from infra.verify.finding import MINUTE, Clinic, Finding

S = MessageState


def check(clinic: Clinic) -> Iterator[Finding]:
    """Received = filed + waiting + rejected + not yet settled and younger than a minute, for each interface."""
    for interface, received, accounted in _balances(clinic.session):
        if received != accounted:
            name = clinic.session.get(Interface, interface)
            words = f"{received} messages were received and {accounted} are accounted for"
            yield Finding(name.name if name else str(interface), f"{words}: {received - accounted} are not.")
    for message in clinic.session.scalars(_unlooked()):
        yield Finding(str(message), "This message waits for a person, and nobody has a task for it.")


def _balances(session: Session) -> list[tuple[UUID, int, int]]:
    """A message counts as filed once it is settled: in the transaction of its case's step, or with nothing to tell."""
    told = exists().where(CaseEvent.case_id == MessageLog.case_id, CaseEvent.step_key == cast(MessageLog.id, String))
    young = MessageLog.received_at > func.now() - MINUTE
    accounted = (
        ((MessageLog.state == S.FILED) & (told | MessageLog.settled_at.is_not(None)))
        | (MessageLog.state == S.WAITING)
        | ((MessageLog.state == S.REJECTED) & MessageLog.settled_at.is_not(None))
        | (MessageLog.settled_at.is_(None) & young)
    )
    rows = session.execute(
        select(MessageLog.interface_id, func.count(), func.count().filter(accounted))
        .where(MessageLog.direction == Direction.IN)
        .group_by(MessageLog.interface_id)
    )
    return [(interface, received, known) for interface, received, known in rows]


def _unlooked() -> Select[UUID]:
    task = exists().where(
        Task.case_id == func.coalesce(MessageLog.case_id, MessageLog.id),
        Task.status == TaskStatus.OPEN,
        Task.opened_key == func.concat("message:", MessageLog.id),
    )
    return select(MessageLog.id).where(
        MessageLog.direction == Direction.IN,
        MessageLog.state == S.WAITING,
        MessageLog.settled_at.is_(None),
        ~task,
    )
