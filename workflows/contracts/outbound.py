"""One stored message to a partner; sending it again after any crash is safe."""

from dataclasses import dataclass
from enum import StrEnum

from workflows.contracts.calls import Activity, Kind


class Delivery(StrEnum):
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sending:
    message_id: str


@dataclass(frozen=True)
class Sent:
    """What became of a message, in words for a person where it was not delivered."""

    delivery: Delivery
    words: str = ""


SEND = Activity("outbound.send", takes=Sending, gives=Sent, kind=Kind.PARTNER)
