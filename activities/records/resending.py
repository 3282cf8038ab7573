"""An outgoing message that nobody tries any longer, taken up or laid aside by a person's word."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from activities.records.message_log import Direction, MessageLog, MessageState

GIVEN_UP = (MessageState.UNKNOWN, MessageState.REFUSED)


def reopen_outgoing(session: Session, message_id: UUID) -> UUID | None:
    """To be sent again; gives its case, None when it is not given up.

    One that may have arrived is taken up as interrupted: a partner that must be asked first is asked.
    """
    stands = case(
        (MessageLog.state == MessageState.UNKNOWN, MessageState.SENDING.value), else_=MessageState.READY.value
    )
    return session.scalar(
        update(MessageLog)
        .where(
            MessageLog.id == message_id,
            MessageLog.direction == Direction.OUT,
            MessageLog.state.in_(GIVEN_UP),
        )
        .values(state=stands, settled_at=None)
        .returning(MessageLog.case_id)
    )


def lay_aside(session: Session, message_id: UUID, reason: str, now: datetime) -> UUID | None:
    """A person knows what became of it, or it no longer matters; gives its case, None when it does not wait."""
    return session.scalar(
        update(MessageLog)
        .where(
            MessageLog.id == message_id,
            MessageLog.direction == Direction.OUT,
            MessageLog.state == MessageState.UNKNOWN,
            MessageLog.settled_at.is_(None),
        )
        .values(settled_at=now, detail=reason)
        .returning(MessageLog.case_id)
    )
