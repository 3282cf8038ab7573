"""The operations page, the message log and one message: what operations/*.html render."""

from dataclasses import dataclass

from web.present import Act, Tag
from web.referrals.present import Fact


@dataclass(frozen=True)
class Count:
    """A number; with `url` it links to its list."""

    number: int
    url: str = ""


@dataclass(frozen=True)
class LedgerRow:
    """One interface: received = under way + filed + waiting + rejected; sent, unknown and refused go out."""

    name: str
    kind: str
    received: Count
    under_way: Count
    filed: Count
    waiting: Count
    rejected: Count
    sent: Count
    unknown: Count
    refused: Count
    last: str
    state: Tag


@dataclass(frozen=True)
class StoppedRow:
    """Something that waits for a person: what, the cause in plain words, and what can be done about it."""

    since: str
    age: str
    what: str
    second: str
    cause: str
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class WaitBar:
    """The open cases of a stage. Widths are in twentieths of the longest p90: `median` lies on `p90`."""

    stage: str
    url: str
    count: int
    late: int
    words: str
    median: int
    p90: int


@dataclass(frozen=True)
class Health:
    """One part of the platform, as this web process sees it."""

    name: str
    words: str
    tag: Tag


@dataclass(frozen=True)
class Promise:
    """A number that should be read at a glance; a bad one links to its list."""

    number: str
    words: str
    url: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Period:
    """Today, 7 days, 30 days."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class OperationsPage:
    """The whole screen; `sums` is the last row of the ledgers."""

    since: str
    periods: tuple[Period, ...]
    ledgers: tuple[LedgerRow, ...]
    sums: LedgerRow
    balance: Tag
    stopped: tuple[StoppedRow, ...]
    waits: tuple[WaitBar, ...]
    health: tuple[Health, ...]
    promises: tuple[Promise, ...]
    notice: str = ""


@dataclass(frozen=True)
class MessageRow:
    """One message of the log."""

    url: str
    at: str
    way: str
    partner: str
    kind: str
    case: str
    case_url: str
    state: Tag
    detail: str


@dataclass(frozen=True)
class MessagesPage:
    """The log, filtered."""

    title: str
    rows: tuple[MessageRow, ...]
    counted: str
    next_url: str = ""


@dataclass(frozen=True)
class MessagePage:
    """One message. `raw_url` answers its bytes, for those who may read them; `acts` are legal now."""

    title: str
    state: Tag
    facts: tuple[Fact, ...]
    cause: str
    raw_url: str
    acts: tuple[Act, ...]
    rejection_url: str = ""
    problem: str = ""
