"""What the FHIR door needs from the store and the engine."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from activities.formats.fhir.datatypes import Identifier
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.search import Search


@dataclass(frozen=True)
class Interface:
    """A partner's client: the clinic it may speak to and the organisation it is."""

    id: str
    tenant: str
    organization: str


class Readable(StrEnum):
    """The resources a partner may read by id."""

    TASK = "Task"
    SERVICE_REQUEST = "ServiceRequest"
    PATIENT = "Patient"


@dataclass(frozen=True)
class Stored:
    """A resource as it stands, `id` and `meta.versionId` inside; `version` is its ETag."""

    content: Json
    version: str
    modified: datetime


@dataclass(frozen=True)
class Page:
    """`cursor` asks for the next page; empty on the last. It must hold no patient data in clear."""

    found: tuple[Json, ...]
    cursor: str = ""
    total: int | None = None


class ArrivalKind(StrEnum):
    TASK_UPDATE = "fhir.task-update"
    REFERRAL = "fhir.referral"
    REFERRAL_UPDATE = "fhir.referral-update"
    DOCUMENT = "fhir.document"
    BINARY = "fhir.binary"


@dataclass(frozen=True)
class Arrival:
    """A message as it came. The same `external_id` and `raw` again is a duplicate: its first outcome is returned.

    `resource_id` is the Task updated, and `version` the one the partner says it has seen (If-Match). `line` says whose
    messages are filed one after the other. Of a referral, `address` is where its Task is answered, and `owner` who is
    asked; of a Binary, `content_type` is that of its bytes.
    """

    kind: ArrivalKind
    raw: bytes
    external_id: str
    resource_id: str = ""
    version: str = ""
    line: bytes = b""
    address: str = ""
    owner: tuple[Identifier, ...] = ()
    content_type: str = ""


class Fate(StrEnum):
    """RECORDED: committed, the engine has not answered yet. APPLIED: done. WAITING: a person will look at it.
    REFUSED: it does not apply now, `words` say why. STALE: not recorded, the version has moved on to `version`.
    """

    RECORDED = "recorded"
    APPLIED = "applied"
    WAITING = "waiting"
    REFUSED = "refused"
    STALE = "stale"


@dataclass(frozen=True)
class Received:
    """`resource` is there when APPLIED: the Task or document as it is now, or the transaction's response."""

    fate: Fate
    message_id: str = ""
    resource: Json | None = None
    version: str = ""
    words: str = ""


class Door(Protocol):
    """Every call is for one interface and sees only what that partner may see of its tenant, with audit."""

    def interface_of(self, client_id: str) -> Interface | None:
        """None for an unknown or inactive client."""
        ...

    def read(self, interface: Interface, kind: Readable, resource_id: str) -> Stored | None:
        """None alike for what is not there, another tenant's and another partner's."""
        ...

    def search(self, interface: Interface, asked: Search) -> Page: ...

    def receive(self, interface: Interface, arrival: Arrival) -> Received:
        """Commits the message, then hands it on. A duplicate is looked for before the version is compared."""
        ...

    def outcome(self, interface: Interface, message_id: str, seconds: float) -> Received:
        """Waits at most that long for the engine; RECORDED when it has not answered by then."""
        ...
