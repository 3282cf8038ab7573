"""What became of a received message when it was filed, kept sealed beside it: the same answer however often asked."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from activities.records.message_log import MessageLog
from activities.records.ring import KeyRing
from activities.records.values import dump, load
from rules.referral.vocabulary import Facts, Step


@dataclass(frozen=True)
class Arrived:
    """`response` is what the sender is answered, where that is not the Task itself; `step` what its case learns."""

    step: Step | None = None
    facts: Facts = field(default_factory=Facts)
    response: dict[str, Any] | None = None


def keep_arrived(ring: KeyRing, row: MessageLog, arrived: Arrived) -> None:
    row.answer = ring.seal(row.tenant, dump(arrived), f"message:{row.id}")


def arrived_of(ring: KeyRing, row: MessageLog) -> Arrived:
    """What `keep_arrived` kept; of a message that was never filed, nothing."""
    return load(Arrived, ring.open(row.answer, f"message:{row.id}")) if row.answer else Arrived()


def raw_of(ring: KeyRing, row: MessageLog) -> bytes:
    """The bytes as they came."""
    return ring.open(row.raw, f"message:{row.id}")


def binary_of(session: Session, ring: KeyRing, row: MessageLog, kind: str, message_id: object) -> bytes | None:
    """The raw message of that id and kind that came through the same interface."""
    found = session.get(MessageLog, message_id)
    same = found is not None and found.kind == kind and found.interface_id == row.interface_id
    return raw_of(ring, found) if found is not None and same else None
