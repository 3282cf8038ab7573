"""What every partner shares: how a message is sent once, how a failure is told, what is logged of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Repeatable(StrEnum):
    """Whether a partner makes one of a message that comes twice with the same bytes."""

    YES = "repeatable"
    NO = "ask-first"


class Reached(StrEnum):
    """What is known of a failed attempt: it did not reach the partner, or nobody can tell."""

    NO = "no"
    UNKNOWN = "unknown"


class PartnerError(Exception):
    """A partner did not take a message.

    `permanent`: the same bytes will fail again. `words`: cause and remedy in plain words, for the task; they may
    quote the partner and so hold patient data, therefore `str()` is the code only. `retry_after`: seconds.
    """

    def __init__(
        self,
        partner: str,
        *,
        permanent: bool,
        code: str,
        words: str,
        reached: Reached = Reached.NO,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{partner}: {code}")
        self.partner = partner
        self.permanent = permanent
        self.code = code
        self.words = words
        self.reached = reached
        self.retry_after = retry_after


@dataclass(frozen=True)
class Receipt:
    """The partner has it: `external_id` is its name there, `answer` what it replied, as it came."""

    external_id: str
    answer: bytes


@dataclass(frozen=True)
class Found:
    """What `ask` learnt; `external_id` is empty when the partner does not have it."""

    present: bool
    external_id: str = ""


class Partner(Protocol):
    """One outside system. Both calls block for at most the partner's time-outs and raise PartnerError."""

    @property
    def name(self) -> str: ...

    @property
    def repeatable(self) -> Repeatable: ...

    def send(self, message: bytes) -> Receipt: ...

    def ask(self, message: bytes) -> Found:
        """Whether the partner holds what this message would make."""
        ...


class Standing(StrEnum):
    """Where an outgoing message stands in the store; the values are those of `message_log.state`."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True)
class Parcel:
    """A stored message. `was` is how it stood before it was taken, `key` its name in our log.

    `receipt` is there when it was SENT; `words` tell why it was REFUSED. `rested` are the seconds since the last
    attempt began, by the store's clock; 0 where there was none.
    """

    was: Standing
    message: bytes
    key: str
    receipt: Receipt | None = None
    words: str = ""
    rested: float = 0.0


class Outbox(Protocol):
    """The store's side of one outgoing message; each call is a transaction of its own, none is open while sending."""

    def take(self) -> Parcel:
        """READY becomes SENDING and is committed: an attempt begins. Any other standing is left as it is."""
        ...

    def take_again(self) -> bool:
        """Begins another attempt at what was taken as SENDING or UNKNOWN; False when somebody else has begun one."""
        ...

    def settle(self, standing: Standing, receipt: Receipt | None = None, words: str = "") -> None:
        """How the attempt ended. Without effect where another attempt has begun since, or the message is done."""
        ...


def deliver(partner: Partner, outbox: Outbox, settling: float) -> Receipt:
    """Sends the message so that the partner has it once; calling again after any crash is safe.

    A message found SENDING or UNKNOWN may have arrived: a repeatable partner gets the same bytes again, any other
    is asked first, once `settling` seconds have passed in which an attempt of ours may still reach it. Raises
    PartnerError; a passing one leaves the message to be tried again.
    """
    parcel = outbox.take()
    match parcel.was:
        case Standing.READY:
            return _send(partner, outbox, parcel)
        case Standing.SENT:
            return parcel.receipt or Receipt("", b"")
        case Standing.REFUSED:
            raise PartnerError(partner.name, permanent=True, code="refused-before", words=parcel.words)
    if partner.repeatable is Repeatable.NO:
        _let_settle(partner, parcel, settling)
        found = partner.ask(parcel.message)
        if found.present:
            return _sent(outbox, Receipt(found.external_id, b""))
    if not outbox.take_again():
        raise _later(partner, "another-attempt", settling)
    return _send(partner, outbox, parcel)


def _let_settle(partner: Partner, parcel: Parcel, settling: float) -> None:
    """Asked too early, the partner would not know what it is about to take."""
    if parcel.rested < settling:
        raise _later(partner, "settling", settling - parcel.rested)


def _later(partner: Partner, code: str, seconds: float) -> PartnerError:
    words = f"Whether {partner.name} has it is not known yet. We ask by ourselves in a moment."
    return PartnerError(
        partner.name, permanent=False, code=code, words=words, reached=Reached.UNKNOWN, retry_after=seconds
    )


def _send(partner: Partner, outbox: Outbox, parcel: Parcel) -> Receipt:
    try:
        receipt = partner.send(parcel.message)
    except PartnerError as failed:
        again = parcel.was is not Standing.READY and partner.repeatable is Repeatable.YES
        outbox.settle(_after(failed, partner.repeatable, again), words=failed.words)
        raise
    return _sent(outbox, receipt)


def _sent(outbox: Outbox, receipt: Receipt) -> Receipt:
    outbox.settle(Standing.SENT, receipt)
    return receipt


def _after(failed: PartnerError, repeatable: Repeatable, again: bool) -> Standing:
    if failed.permanent:
        # An earlier attempt may have arrived before this refusal: "refused" would be a claim we cannot make.
        return Standing.UNKNOWN if again else Standing.REFUSED
    if failed.reached is Reached.NO or repeatable is Repeatable.YES:
        return Standing.READY
    return Standing.UNKNOWN


@contextmanager
def timed(partner: str, act: str, clock: Callable[[], float]) -> Iterator[None]:
    """Logs one line per call: partner, act, how it ended, milliseconds. Nothing of what was sent or answered."""
    started, outcome = clock(), "stopped"
    try:
        yield
        outcome = "done"
    except PartnerError as failed:
        outcome = failed.code
        raise
    finally:
        log.info("partner", partner=partner, act=act, outcome=outcome, ms=round((clock() - started) * 1000))
