"""What a person decided and what a partner said is settled in the very transaction of the step it becomes."""

from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from activities.records.decision import Decision, Outcome
from activities.records.message_log import Direction, MessageLog, MessageState

DECISIONS = "decisions"
SETTLE = (
    update(Decision.__table__)
    .where(Decision.id == bindparam("identity"))
    .values(
        outcome=func.coalesce(Decision.outcome, Outcome.APPLIED),
        settled_at=func.coalesce(Decision.settled_at, func.clock_timestamp()),
    )
    .returning(Decision.outcome)
)


def settle(session: Session, key: str) -> bool:
    """Settles the decision or the received message whose id is this step key; any other key is nobody's.

    False: it was settled otherwise before (its author was told that it does not apply), so the step must not be taken.
    """
    identity = _identity(key)
    if identity is None:
        return True
    outcome = session.scalar(SETTLE, {"identity": identity})
    session.info.setdefault(DECISIONS, {})[identity] = outcome is not None
    if outcome is not None:
        return bool(outcome == Outcome.APPLIED)
    return _settle_message(session, identity)


def is_decision(session: Session, key: str) -> bool:
    """Whether this step key is of something that a person here decided."""
    identity = _identity(key)
    known: dict[UUID, bool] = session.info.setdefault(DECISIONS, {})
    if identity is not None and identity not in known:
        known[identity] = session.get(Decision, identity) is not None
    return identity is not None and known[identity]


def _settle_message(session: Session, identity: UUID) -> bool:
    state = session.scalar(
        select(MessageLog.state)
        .where(MessageLog.id == identity, MessageLog.direction == Direction.IN)
        .with_for_update()
    )
    if state == MessageState.REJECTED:
        return False
    if state is not None:
        session.execute(
            update(MessageLog)
            .where(MessageLog.id == identity)
            .values(state=MessageState.FILED, detail="", settled_at=func.clock_timestamp())
        )
    return True


def _identity(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
