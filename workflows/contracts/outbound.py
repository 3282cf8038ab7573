"""One stored message to a partner; sending it again after any crash is safe."""

from dataclasses import dataclass
from enum import StrEnum

from workflows.contracts.calls import Activity, Kind


class Delivery(StrEnum):
    """TOLD: word of a change to a referral sent before. Nothing follows from it; a person knows if it failed."""

    TOLD = "told"
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


@dataclass(frozen=True)
class GivingUp:
    """`words` say for a person what is known of a message that is tried no longer."""

    message_id: str
    words: str


SEND = Activity("outbound.send", takes=Sending, gives=Sent, kind=Kind.PARTNER)
GIVE_UP = Activity("outbound.give_up", takes=GivingUp, gives=Sent, kind=Kind.STORE)
