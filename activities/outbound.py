"""Sends stored messages: the store's side of the send protocol in `partners/base.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.acting import context
from activities.beating import beating
from activities.case_review import CaseReview
from activities.partners.base import Outbox, Parcel, Partner, PartnerError, Receipt, Standing, deliver
from activities.records.message_log import Direction, MessageLog
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.sessions import Context, Sessions
from activities.referral.outgoing import ANSWER, UPDATE
from workflows.contracts import outbound as contract

Directory = Callable[[Organization, str], Partner]
# Longer than one attempt may last, and time for a slow partner to take in what it has got.
SETTLING = 45.0
UNDER_WAY = (Standing.SENDING, Standing.UNKNOWN)
WORD = frozenset([ANSWER, UPDATE])
IN_LINE = "in-line"
NEXT = timedelta(seconds=1)


@dataclass(frozen=True)
class Addressed:
    """To whom a stored message goes; `behind` one about the same Task that is still under way."""

    message_id: UUID
    partner: Organization
    kind: str
    case_id: UUID
    behind: bool


class OutboundActivities:
    """`directory` gives the connection for a kind of message to a partner of the directory; `settling` are the seconds
    that lie between an attempt nobody knows the end of and the question what became of it."""

    def __init__(
        self,
        sessions: Sessions,
        ring: KeyRing,
        directory: Directory,
        review: CaseReview,
        settling: float = SETTLING,
    ) -> None:
        self._sessions, self._ring, self._directory = sessions, ring, directory
        self._review, self._settling = review, settling

    @activity.defn(name=contract.SEND.name)
    def send(self, sending: contract.Sending) -> contract.Sent:
        """A permanent refusal is an answer; a passing fault is raised and tried again."""
        outbox = StoredMessage(self._sessions, self._ring, context(), UUID(sending.message_id))
        addressed = outbox.addressed()
        if addressed.behind:
            raise ApplicationError("An earlier message comes first.", type=IN_LINE, next_retry_delay=NEXT)
        try:
            with beating():
                deliver(self._directory(addressed.partner, addressed.kind), outbox, self._settling)
        except PartnerError as failed:
            if failed.permanent:
                return self._so(addressed, contract.Sent(contract.Delivery.REFUSED, failed.words))
            raise _passing(failed) from None
        return self._so(addressed, contract.Sent(contract.Delivery.DELIVERED))

    @activity.defn(name=contract.GIVE_UP.name)
    def give_up(self, giving_up: contract.GivingUp) -> contract.Sent:
        """Settles a message that nobody tries any longer, unless it has arrived after all."""
        outbox = StoredMessage(self._sessions, self._ring, context(), UUID(giving_up.message_id))
        return self._so(outbox.addressed(), outbox.give_up(giving_up.words))

    def _so(self, addressed: Addressed, sent: contract.Sent) -> contract.Sent:
        """Word of a change that did not arrive is a task by itself: its case may have ended with it."""
        if addressed.kind not in WORD:
            return sent
        if sent.delivery is not contract.Delivery.DELIVERED:
            action = f"Tell {addressed.partner.name} by phone what was decided: the message did not arrive"
            key, now = f"told:{addressed.message_id}", datetime.now(UTC)
            with self._sessions.begin(context()) as session:
                self._review(session, context(), addressed.case_id, key, action, sent.words, now)
        return contract.Sent(contract.Delivery.TOLD)


class StoredMessage(Outbox):
    """One row of `message_log`; each call is a transaction of its own. Its attempts are numbered: one that was
    overtaken changes nothing any more."""

    def __init__(self, sessions: Sessions, ring: KeyRing, acting: Context, message_id: UUID) -> None:
        self._sessions, self._ring, self._context, self._id = sessions, ring, acting, message_id
        self._attempt = 0

    def addressed(self) -> Addressed:
        """The organization the message is for, and whether it is its turn."""
        with self._sessions.begin(self._context) as session:
            row = session.get_one(MessageLog, self._id)
            assert row.case_id is not None
            partner = session.get_one(Organization, row.interface_id)
            return Addressed(row.id, partner, row.kind, row.case_id, _behind(session, row))

    def take(self) -> Parcel:
        with self._sessions.begin(self._context) as session:
            row = session.get_one(MessageLog, self._id, with_for_update=True)
            now = session.scalars(select(func.clock_timestamp())).one()
            was, rested = Standing(row.state), (now - row.taken_at).total_seconds() if row.taken_at else 0.0
            if was is Standing.READY:
                row.state, row.attempts, row.taken_at = Standing.SENDING, row.attempts + 1, now
            self._attempt = row.attempts
            raw = self._ring.open(row.raw, self._place())
            receipt = Receipt("", b"") if was is Standing.SENT else None
            return Parcel(was, raw, row.external_id, receipt, row.detail, rested)

    def take_again(self) -> bool:
        values = {"state": Standing.SENDING, "attempts": self._attempt + 1, "taken_at": func.clock_timestamp()}
        taken = self._change(values)
        self._attempt += taken
        return taken

    def settle(self, standing: Standing, receipt: Receipt | None = None, words: str = "") -> None:
        values: dict[str, object] = {"state": standing, "detail": words}
        if standing in (Standing.SENT, Standing.REFUSED):
            values["settled_at"] = func.clock_timestamp()
        if receipt and receipt.answer:
            values["answer"] = self._ring.seal(self._context.tenant, receipt.answer, self._place())
        self._change(values)

    def give_up(self, words: str) -> contract.Sent:
        """What is known of a message when patience has run out; that is how it stays until a person acts."""
        with self._sessions.begin(self._context) as session:
            row = session.get_one(MessageLog, self._id, with_for_update=True)
            if row.state == Standing.SENT:
                return contract.Sent(contract.Delivery.DELIVERED)
            reached = row.state in UNDER_WAY
            row.state = Standing.UNKNOWN if reached else Standing.REFUSED
            row.detail, row.attempts = words, row.attempts + 1
            # One that may have arrived stays open until a person says what became of it.
            row.settled_at = None if reached else datetime.now(UTC)
            return contract.Sent(contract.Delivery(row.state), words)

    def _change(self, values: dict[str, object]) -> bool:
        """False where the message is done or another attempt has begun."""
        with self._sessions.begin(self._context) as session:
            changed = session.execute(
                update(MessageLog)
                .where(
                    MessageLog.id == self._id,
                    MessageLog.attempts == self._attempt,
                    MessageLog.state.in_(UNDER_WAY),
                )
                .values(values)
                .returning(MessageLog.id)
            ).one_or_none()
        return changed is not None

    def _place(self) -> str:
        return f"message:{self._id}"


def _behind(session: Session, row: MessageLog) -> bool:
    earlier = select(MessageLog.id).where(
        MessageLog.case_id == row.case_id,
        MessageLog.subject_id == row.subject_id,
        MessageLog.direction == Direction.OUT,
        MessageLog.seq < row.seq,
        MessageLog.settled_at.is_(None),
    )
    return session.scalar(earlier.limit(1)) is not None


def _passing(failed: PartnerError) -> ApplicationError:
    """The words may quote the partner: they travel as sealed details, never as the text that logs show."""
    delay = timedelta(seconds=failed.retry_after) if failed.retry_after else None
    return ApplicationError(failed.code, failed.words, type=failed.code, next_retry_delay=delay)
