"""What an operator does with messages that stopped: looks, hands over again, or says that nothing more will come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from sqlalchemy import select

from activities.records.audit_event import Action
from activities.records.base import new_id
from activities.records.message_log import Direction, MessageState
from activities.records.queries.messages import Filters, MessageLine, message, page
from activities.records.replay import reject_message, reopen_message
from activities.records.resending import lay_aside, reopen_outgoing
from activities.records.sessions import Context, Purpose
from activities.records.tenant import Tenant
from activities.reviews import REVIEWED
from infra.bootstrap import Parts
from infra.resend import Resender
from web.client import Engine
from web.completions import Completions
from web.fhir.store import StoreDoor

STOPPED = (MessageState.WAITING, MessageState.UNKNOWN)
SECONDS = 10.0


@dataclass(frozen=True)
class Shown:
    """A message of a clinic, its content sealed as it lies."""

    context: Context
    line: MessageLine


class Messages:
    """`operator` names who acts, in the audit and in the timeline."""

    def __init__(self, parts: Parts, engine: Engine, operator: str) -> None:
        self._parts, self._operator = parts, operator
        base = f"{parts.settings.public_url.rstrip('/')}/fhir"
        self._door = StoreDoor(parts.sessions, parts.ring, parts.auditor, engine, base)
        self._resender = Resender(parts, engine)
        self._completions = Completions(parts.sessions, parts.ring, engine)

    def listed(self, states: tuple[str, ...], limit: int) -> Iterator[Shown]:
        """The newest of each clinic."""
        for context in self._contexts():
            with self._parts.sessions.begin(context) as session:
                found = page(session, Filters(states=states), limit)
            yield from (Shown(context, one) for one in found)

    def find(self, message_id: UUID) -> Shown | None:
        """The clinic a message belongs to, and what is known of it."""
        for context in self._contexts():
            with self._parts.sessions.begin(context) as session:
                if found := message(session, message_id):
                    return Shown(context, found)
        return None

    def content(self, shown: Shown) -> bytes:
        """What was said, as it came; this look is on the clinic's audit."""
        row = shown.line.message
        with self._parts.sessions.begin(shown.context) as session:
            self._parts.auditor.write(session, shown.context, Action.READ, "MessageLog", str(row.id))
        return self._parts.ring.open(row.raw, f"message:{row.id}")

    def replay(self, shown: Shown) -> MessageState | None:
        """Hands it over once more; gives how it stands then, None where it was not stopped."""
        row, context = shown.line.message, shown.context
        with self._parts.sessions.begin(context) as session:
            line = reopen_message(session, row.id)
            case = reopen_outgoing(session, row.id) if line is None else None
        if line is not None:
            self._door.poke(context.tenant, str(line.interface_id), line.patient_key, SECONDS)
        elif case is not None:
            self._resender.refresh(context, case)
        else:
            return None
        stands = self._state(shown)
        if row.direction == Direction.IN and stands is not MessageState.WAITING:
            self._review_done(shown, "Handed over again.")
        return stands

    def release(self, shown: Shown, reason: str) -> bool:
        """A person has dealt with it in another way; False where it was not stopped."""
        row, now = shown.line.message, datetime.now(UTC)
        with self._parts.sessions.begin(shown.context) as session:
            done = reject_message(session, row.id, reason, now) or lay_aside(session, row.id, reason, now)
        if done and row.direction == Direction.IN:
            self._review_done(shown, reason)
        return done is not None

    def _review_done(self, shown: Shown, note: str) -> None:
        row = shown.line.message
        task = uuid5(row.case_id or row.id, f"message:{row.id}")
        self._completions.complete(shown.context, new_id(), task, REVIEWED, note)

    def _state(self, shown: Shown) -> MessageState:
        with self._parts.sessions.begin(shown.context) as session:
            found = message(session, shown.line.message.id)
        assert found is not None
        return MessageState(found.message.state)

    def _contexts(self) -> list[Context]:
        with self._parts.sessions.platform() as session:
            tenants = session.scalars(select(Tenant.id).order_by(Tenant.id)).all()
        return [Context(one, self._operator, Purpose.OPERATIONS) for one in tenants]
