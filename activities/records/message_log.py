"""Every message in or out, raw and sealed, kept until it is settled and after."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Tenanted


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class MessageState(StrEnum):
    """In: received → filed | waiting | rejected. Out: ready → sending → sent | unknown | refused."""

    RECEIVED = "received"
    FILED = "filed"
    WAITING = "waiting"
    REJECTED = "rejected"
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class MessageLog(Tenanted, Base):
    """`external_id` with `content_hash` recognises a duplicate; `patient_key` is the HMAC that orders it.

    Out: `attempts` numbers the attempts to send it, the last begun at `taken_at`.
    """

    __tablename__ = "message_log"
    seq: Mapped[int] = mapped_column(server_default=FetchedValue())
    interface_id: Mapped[UUID]
    direction: Mapped[str]
    kind: Mapped[str]
    external_id: Mapped[str]
    content_hash: Mapped[bytes]
    patient_key: Mapped[str]
    case_id: Mapped[UUID | None] = mapped_column(default=None)
    subject_id: Mapped[UUID | None] = mapped_column(default=None)
    raw: Mapped[bytes]
    answer: Mapped[bytes | None] = mapped_column(default=None)
    state: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    taken_at: Mapped[datetime | None] = mapped_column(default=None)
