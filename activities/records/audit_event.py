"""FHIR AuditEvent: who did or saw what, and why. Append only; each row carries an HMAC of the clinic's key."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import FetchedValue, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Tenanted, new_id
from activities.records.ring import KeyRing
from activities.records.sessions import Context


class Action(StrEnum):
    """FHIR audit-event-action."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class AuditEvent(Tenanted, Base):
    """Never changed and never deleted; `seal` is the HMAC over everything else that is said.

    `xid` is the number of the transaction that wrote it, given by the store: the order in which events are sealed.
    """

    __tablename__ = "audit_event"
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 SQLAlchemy reads it from the class
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    purpose: Mapped[str]
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[str] = mapped_column(default="")
    patient_id: Mapped[UUID | None] = mapped_column(default=None)
    detail: Mapped[dict[str, object]]
    seal: Mapped[bytes]
    xid: Mapped[int] = mapped_column(server_default=FetchedValue())


COLUMNS = tuple(column.key for column in AuditEvent.__table__.columns if column.key != "xid")
WRITE = insert(AuditEvent.__table__)


class Auditor:
    """Writes audit rows into the transaction of what they tell of."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def write(
        self,
        session: Session,
        context: Context,
        action: Action,
        entity: str,
        entity_id: str = "",
        patient_id: UUID | None = None,
        detail: dict[str, object] | None = None,
    ) -> None:
        """Refuses an event without an actor or a purpose."""
        if not context.actor or not context.purpose:
            raise ValueError("an audit event needs an actor and a purpose")
        event = AuditEvent(
            id=new_id(),
            tenant=context.tenant,
            recorded_at=datetime.now(UTC),
            actor=context.actor,
            purpose=context.purpose,
            action=action,
            entity=entity,
            entity_id=entity_id,
            patient_id=patient_id,
            detail=detail or {},
        )
        event.seal = self._ring.digest(context.tenant, "audit", said(event))
        session.execute(WRITE, {name: getattr(event, name) for name in COLUMNS})

    def record_view(
        self, session: Session, context: Context, entity: str, ids: Iterable[UUID], query: str = ""
    ) -> None:
        """One event for a page: its query and the ids it showed."""
        shown = [str(one) for one in ids]
        one = shown[0] if len(shown) == 1 else ""
        self.write(session, context, Action.READ, entity, one, detail={"shown": shown, "query": query})


def said(event: AuditEvent) -> bytes:
    """The canonical bytes that the seal covers."""
    return json.dumps(
        [
            str(event.id),
            event.tenant,
            event.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
            event.actor,
            event.purpose,
            event.action,
            event.entity,
            event.entity_id,
            str(event.patient_id or ""),
            event.detail,
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()
