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
    """Whose messages: they are taken by their sequence number, `limit` at a time."""

    interface_id: str
    patient_key: str
    limit: int = 20


@dataclass(frozen=True)
class Filed:
    """One message filed in the record: which case must learn of it, if any."""

    message_id: str
    case_workflow_id: str = ""
    message: Message | None = None


@dataclass(frozen=True)
class Batch:
    filed: tuple[Filed, ...]


@dataclass(frozen=True)
class Settling:
    message_ids: tuple[str, ...]


@dataclass(frozen=True)
class Settled:
    count: int


FILE = Activity("inbound.file", takes=Line, gives=Batch, kind=Kind.STORE)
SETTLE = Activity("inbound.settle", takes=Settling, gives=Settled, kind=Kind.STORE)
