"""The unsettled messages of one patient from one interface, filed in order."""

from dataclasses import dataclass

from workflows.contracts.calls import Activity, Kind
from workflows.contracts.referral import Message

WORKFLOW, DRAINED = "Inbound", "drained"


def workflow_id(tenant: str, interface_id: str, patient_key: str) -> str:
    """`patient_key` is an HMAC of the patient's identifier: opaque."""
    return f"{tenant}:inbound:{interface_id}:{patient_key}"


@dataclass(frozen=True)
class Line:
    """Whose messages: those after the sequence number `after`, `limit` at a time."""

    interface_id: str
    patient_key: str
    limit: int = 20
    after: int = 0


@dataclass(frozen=True)
class Filed:
    """One message filed in the record: which case must learn of it, if any. It is settled by the case's own step."""

    message_id: str
    referral_id: str = ""
    message: Message | None = None


@dataclass(frozen=True)
class Batch:
    """`last` is the sequence number of the last message looked at; `more` when there may be others behind it."""

    filed: tuple[Filed, ...]
    last: int = 0
    more: bool = False


@dataclass(frozen=True)
class Parking:
    """A filed message that its case could not take; `why` in words for the person who looks at it."""

    message_id: str
    why: str


@dataclass(frozen=True)
class Parked:
    """False when the case has taken it after all."""

    parked: bool


FILE = Activity("inbound.file", takes=Line, gives=Batch, kind=Kind.STORE)
PARK = Activity("inbound.park", takes=Parking, gives=Parked, kind=Kind.STORE)
