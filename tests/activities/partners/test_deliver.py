"""A message reaches a partner once, whatever was interrupted."""

from dataclasses import dataclass, field

import pytest

from activities.partners import base
from activities.partners.base import (
    Found,
    Parcel,
    PartnerError,
    Reached,
    Receipt,
    Repeatable,
    Standing,
)

SETTLING = 30.0


def deliver(partner: "FakePartner", outbox: "FakeOutbox") -> Receipt:
    return base.deliver(partner, outbox, SETTLING)


def passing(reached: Reached) -> PartnerError:
    return PartnerError("Quillon", permanent=False, code="no-answer", words="It did not answer.", reached=reached)


def permanent() -> PartnerError:
    return PartnerError("Quillon", permanent=True, code="http-422", words="It refused.")


@dataclass
class FakePartner:
    """Counts what it took; `fails` are raised one by one, after taking it when nobody can tell."""

    repeatable: Repeatable = Repeatable.YES
    fails: list[PartnerError] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    asked: int = 0
    name: str = "Quillon"

    def send(self, message: bytes) -> Receipt:
        failure = self.fails.pop(0) if self.fails else None
        known = self.repeatable is Repeatable.YES and message in self.taken
        if not known and (failure is None or failure.reached is Reached.UNKNOWN):
            self.taken.append(message)
        if failure is not None:
            raise failure
        return Receipt("ServiceRequest/1", b"{}")

    def ask(self, message: bytes) -> Found:
        self.asked += 1
        return Found(message in self.taken, "ServiceRequest/1" if message in self.taken else "")


@dataclass
class FakeOutbox:
    standing: Standing = Standing.READY
    receipt: Receipt | None = None
    words: str = ""
    rested: float = SETTLING
    free: bool = True

    def take(self) -> Parcel:
        was = self.standing
        if was is Standing.READY:
            self.standing = Standing.SENDING
        return Parcel(was, b"bundle", "R-1", self.receipt, self.words, self.rested)

    def take_again(self) -> bool:
        if self.free:
            self.standing = Standing.SENDING
        return self.free

    def settle(self, standing: Standing, receipt: Receipt | None = None, words: str = "") -> None:
        self.standing, self.receipt, self.words = standing, receipt, words


def test_a_message_is_sent_and_settled() -> None:
    partner, outbox = FakePartner(), FakeOutbox()
    assert deliver(partner, outbox).external_id == "ServiceRequest/1"
    assert (outbox.standing, partner.taken) == (Standing.SENT, [b"bundle"])


def test_a_message_sent_before_is_not_sent_again() -> None:
    partner, outbox = FakePartner(), FakeOutbox()
    assert deliver(partner, outbox) == deliver(partner, outbox)
    assert partner.taken == [b"bundle"]


@pytest.mark.parametrize("repeatable", Repeatable)
@pytest.mark.parametrize("arrived", [True, False])
def test_a_send_that_was_killed_ends_in_one(repeatable: Repeatable, arrived: bool) -> None:
    partner = FakePartner(repeatable, taken=[b"bundle"] if arrived else [])
    outbox = FakeOutbox(Standing.SENDING)
    deliver(partner, outbox)
    assert (partner.taken, outbox.standing) == ([b"bundle"], Standing.SENT)
    assert partner.asked == (repeatable is Repeatable.NO)


@pytest.mark.parametrize("repeatable", Repeatable)
@pytest.mark.parametrize("reached", Reached)
def test_a_failed_send_tried_again_ends_in_one(repeatable: Repeatable, reached: Reached) -> None:
    partner, outbox = FakePartner(repeatable, [passing(reached)]), FakeOutbox()
    with pytest.raises(PartnerError):
        deliver(partner, outbox)
    deliver(partner, outbox)
    assert (partner.taken, outbox.standing) == ([b"bundle"], Standing.SENT)


def test_nobody_can_tell_is_kept_as_unknown_for_a_partner_that_must_be_asked() -> None:
    partner, outbox = FakePartner(Repeatable.NO, [passing(Reached.UNKNOWN)]), FakeOutbox()
    with pytest.raises(PartnerError):
        deliver(partner, outbox)
    assert outbox.standing is Standing.UNKNOWN


def test_a_refusal_is_final_and_keeps_its_words() -> None:
    partner, outbox = FakePartner(fails=[permanent()]), FakeOutbox()
    for _ in range(2):
        with pytest.raises(PartnerError) as refused:
            deliver(partner, outbox)
        assert (refused.value.permanent, refused.value.words) == (True, "It refused.")
    assert (outbox.standing, partner.taken) == (Standing.REFUSED, [])


def test_a_refusal_after_an_attempt_that_may_have_arrived_is_unknown() -> None:
    partner, outbox = FakePartner(fails=[permanent()]), FakeOutbox(Standing.SENDING)
    with pytest.raises(PartnerError):
        deliver(partner, outbox)
    assert outbox.standing is Standing.UNKNOWN


def test_the_text_of_an_error_holds_none_of_its_words() -> None:
    assert str(permanent()) == "Quillon: http-422"


def test_a_partner_that_must_be_asked_is_not_asked_before_our_own_attempt_has_come_to_rest() -> None:
    partner, outbox = FakePartner(Repeatable.NO, taken=[b"bundle"]), FakeOutbox(Standing.SENDING, rested=12.0)
    with pytest.raises(PartnerError) as early:
        deliver(partner, outbox)
    assert (early.value.permanent, early.value.retry_after, partner.asked) == (False, 18.0, 0)
    outbox.rested = 30.5
    deliver(partner, outbox)
    assert (partner.taken, partner.asked, outbox.standing) == ([b"bundle"], 1, Standing.SENT)


@pytest.mark.parametrize("repeatable", Repeatable)
def test_an_attempt_that_somebody_else_has_begun_is_left_to_him(repeatable: Repeatable) -> None:
    partner, outbox = FakePartner(repeatable), FakeOutbox(Standing.SENDING, free=False)
    with pytest.raises(PartnerError) as busy:
        deliver(partner, outbox)
    assert (busy.value.permanent, partner.taken) == (False, [])
