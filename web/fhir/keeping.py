"""What partners write that is not an update of a Task: committed as it came, answered as it was filed."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.formats.fhir.systems import NPI
from activities.records.arrived import Arrived, arrived_of, keep_arrived
from activities.records.base import new_id
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from web.fhir.answers import refuse
from web.fhir.door import Arrival, ArrivalKind, Fate, Interface, Received

LINE = "patient line"


def known(session: Session, interface: Interface, arrival: Arrival) -> MessageLog | None:
    """The same message of before."""
    return session.scalar(
        select(MessageLog).where(
            MessageLog.interface_id == UUID(interface.id),
            MessageLog.direction == Direction.IN,
            MessageLog.external_id == arrival.external_id,
            MessageLog.content_hash == sha256(arrival.raw).digest(),
        )
    )


def keep(session: Session, ring: KeyRing, interface: Interface, arrival: Arrival) -> MessageLog:
    """Commits it for its patient's line; sent twice at once it is one."""
    identity, now = new_id(), datetime.now(UTC)
    values = {
        "id": identity,
        "tenant": interface.tenant,
        "interface_id": UUID(interface.id),
        "direction": Direction.IN,
        "kind": arrival.kind,
        "external_id": arrival.external_id,
        "content_hash": sha256(arrival.raw).digest(),
        "patient_key": ring.digest(interface.tenant, LINE, arrival.line).hex() if arrival.line else "",
        "raw": ring.seal(interface.tenant, arrival.raw, f"message:{identity}"),
        "state": MessageState.RECEIVED,
        "received_at": now,
    }
    session.execute(insert(MessageLog).values(values).on_conflict_do_nothing())
    row = known(session, interface, arrival)
    assert row is not None
    if arrival.kind is ArrivalKind.BINARY and row.id == identity:
        # Bytes by themselves are about nobody: a DocumentReference that names them files them.
        made: dict[str, object] = {"resourceType": "Binary", "id": str(row.id), "contentType": arrival.content_type}
        keep_arrived(ring, row, Arrived(response=made))
        row.state, row.settled_at = MessageState.FILED, now
        session.flush()
    return row


def answered(ring: KeyRing, row: MessageLog) -> Received:
    """What the sender is told of a message that was filed."""
    return Received(Fate.APPLIED, str(row.id), arrived_of(ring, row).response)


def refuse_misdirected(session: Session, interface: Interface, arrival: Arrival) -> None:
    """Refused 422: a referral meant for another clinic, or one whose answers would go to somebody else."""
    own = session.scalars(select(Organization).where(Organization.partner.is_(False)).limit(1)).one_or_none()
    meant = [one.value for one in arrival.owner if one.system == NPI]
    if own and own.npi and meant and own.npi not in meant:
        words = f"Task.owner is not {own.name} (NPI {own.npi}): this referral is meant for somebody else."
        raise refuse(422, words, "Task.owner")
    partner = session.get_one(Organization, UUID(interface.organization))
    if partner.fhir_address and not arrival.address.startswith(f"{partner.fhir_address.rstrip('/')}/Task/"):
        words = f"Task.identifier must be an address below {partner.fhir_address}/Task/: we answer there only."
        raise refuse(422, words, "Task.identifier")
