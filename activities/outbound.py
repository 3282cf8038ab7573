"""Sends stored messages: the store's side of the send protocol in `partners/base.py`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.acting import context
from activities.partners.base import Outbox, Parcel, Partner, PartnerError, Receipt, Standing, deliver
from activities.records.message_log import MessageLog
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.sessions import Context, Sessions
from workflows.contracts import outbound as contract

Directory = Callable[[Organization], Partner]


class OutboundActivities:
    """`directory` gives the connection to a partner of the directory."""

    def __init__(self, sessions: Sessions, ring: KeyRing, directory: Directory) -> None:
        self._sessions, self._ring, self._directory = sessions, ring, directory

    @activity.defn(name=contract.SEND.name)
    def send(self, sending: contract.Sending) -> contract.Sent:
        """A permanent refusal is an answer; a passing fault is raised and tried again."""
        outbox = StoredMessage(self._sessions, self._ring, context(), UUID(sending.message_id))
        try:
            deliver(self._directory(outbox.partner()), outbox)
        except PartnerError as failed:
            if failed.permanent:
                return contract.Sent(contract.Delivery.REFUSED, failed.words)
            raise _passing(failed) from None
        return contract.Sent(contract.Delivery.DELIVERED)


class StoredMessage(Outbox):
    """One row of `message_log`; each call is a transaction of its own."""

    def __init__(self, sessions: Sessions, ring: KeyRing, acting: Context, message_id: UUID) -> None:
        self._sessions, self._ring, self._context, self._id = sessions, ring, acting, message_id

    def partner(self) -> Organization:
        """The organization the message is for."""
        with self._sessions.begin(self._context) as session:
            return session.scalars(
                select(Organization)
                .join(MessageLog, MessageLog.interface_id == Organization.id)
                .where(MessageLog.id == self._id)
            ).one()

    def take(self) -> Parcel:
        with self._sessions.begin(self._context) as session:
            row = session.get_one(MessageLog, self._id, with_for_update=True)
            was = Standing(row.state)
            if was is Standing.READY:
                row.state = Standing.SENDING
            raw = self._ring.open(row.raw, self._place())
            receipt = Receipt("", b"") if was is Standing.SENT else None
            return Parcel(was, raw, row.external_id, receipt, row.detail)

    def settle(self, standing: Standing, receipt: Receipt | None = None, words: str = "") -> None:
        done = standing in (Standing.SENT, Standing.REFUSED)
        values: dict[str, object] = {"state": standing, "detail": words}
        if done:
            values["settled_at"] = datetime.now(UTC)
        if receipt and receipt.answer:
            values["answer"] = self._ring.seal(self._context.tenant, receipt.answer, self._place())
        with self._sessions.begin(self._context) as session:
            session.execute(update(MessageLog).where(MessageLog.id == self._id).values(values))

    def _place(self) -> str:
        return f"message:{self._id}"


def _passing(failed: PartnerError) -> ApplicationError:
    """The words may quote the partner: they travel as sealed details, never as the text that logs show."""
    delay = timedelta(seconds=failed.retry_after) if failed.retry_after else None
    return ApplicationError(failed.code, failed.words, type=failed.code, next_retry_delay=delay)
