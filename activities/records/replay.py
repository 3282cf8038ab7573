"""What stopped, made ready to be handed over once more by a person's word."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from activities.records.decision import Decision, Outcome
from activities.records.message_log import Direction, MessageLog, MessageState


@dataclass(frozen=True)
class Line:
    """Where a message stands in line: the interface and patient whose messages are filed in order."""

    interface_id: UUID
    patient_key: str


def reopen_decision(session: Session, decision_id: UUID) -> bool:
    """A parked decision is unsettled again; False when it is not parked."""
    done = session.execute(
        update(Decision)
        .where(Decision.id == decision_id, Decision.outcome == Outcome.PARKED)
        .values(outcome=None, settled_at=None)
        .returning(Decision.id)
    )
    return done.one_or_none() is not None


def reopen_message(session: Session, message_id: UUID) -> Line | None:
    """A received message that waits for a person takes its place in line again; None when it does not wait."""
    return _moved(session, message_id, MessageState.RECEIVED, {})


def reject_message(session: Session, message_id: UUID, reason: str, now: datetime) -> Line | None:
    """A person says that a waiting message will not be filed, and why; None when it does not wait."""
    return _moved(session, message_id, MessageState.REJECTED, {"detail": reason, "settled_at": now})


def pending_line(session: Session, message_id: UUID) -> Line | None:
    """The line of a received message that nobody has filed yet."""
    row = session.execute(
        select(MessageLog.interface_id, MessageLog.patient_key).where(
            MessageLog.id == message_id,
            MessageLog.direction == Direction.IN,
            MessageLog.settled_at.is_(None),
            MessageLog.state.in_([MessageState.RECEIVED, MessageState.FILED]),
        )
    ).one_or_none()
    return Line(row.interface_id, row.patient_key) if row else None


def _moved(session: Session, message_id: UUID, state: MessageState, values: dict[str, object]) -> Line | None:
    row = session.execute(
        update(MessageLog)
        .where(
            MessageLog.id == message_id,
            MessageLog.direction == Direction.IN,
            MessageLog.state == MessageState.WAITING,
            MessageLog.settled_at.is_(None),
        )
        .values(state=state, **values)
        .returning(MessageLog.interface_id, MessageLog.patient_key)
    ).one_or_none()
    return Line(row.interface_id, row.patient_key) if row else None
