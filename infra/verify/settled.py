"""Nothing decided or received stays without an outcome for longer than a minute."""

from collections.abc import Iterator

from sqlalchemy import func, select

from activities.records.decision import Decision
from activities.records.message_log import Direction, MessageLog, MessageState
from infra.verify.finding import MINUTE, Clinic, Finding

UNSETTLED = (MessageState.RECEIVED, MessageState.FILED)


def check(clinic: Clinic) -> Iterator[Finding]:
    before = func.now() - MINUTE
    decisions = select(Decision.id, Decision.name, Decision.attempts).where(
        Decision.outcome.is_(None), Decision.made_at < before
    )
    for row in clinic.session.execute(decisions):
        words = f"The decision “{row.name}” has had no outcome for over a minute, after {row.attempts} attempts."
        yield Finding(str(row.id), words)
    messages = select(MessageLog.id, MessageLog.state).where(
        MessageLog.direction == Direction.IN,
        MessageLog.settled_at.is_(None),
        MessageLog.state.in_(UNSETTLED),
        MessageLog.received_at < before,
    )
    for identity, state in clinic.session.execute(messages):
        yield Finding(str(identity), f"This message is {state} and its case has not taken it for over a minute.")
