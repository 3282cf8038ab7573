"""Seals over the audit: a chain of batches that shows what was changed, taken away or slipped in afterwards.

A batch takes the events of finished transactions only, in the order (xid, id): none can later come to lie before it.
A restored store counts its transactions anew; a new segment of the order, in the upper bits of `xid`, follows the old.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import DateTime, func, select, text, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.audit_event import AuditEvent, said
from activities.records.base import Base
from activities.records.ring import KeyRing
from activities.records.sessions import Context, Purpose, Sessions
from workflows.contracts.people import SYSTEM

BATCH = 2000
SEALS_AT_ONCE = 20  # verified in one transaction, so that each ends long before its signature does
TAIL = timedelta(seconds=10)
LOCK = text("select pg_advisory_xact_lock(hashtextextended('audit_seal:' || :tenant, 0))")
FINISHED = text("audit_event.xid < (app.audit_segment() << 48) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
Place = tuple[int, UUID]
START: Place = (-(2**63), UUID(int=0))  # before every event, a forged one too


class AuditSeal(Base):
    """`digest` is an HMAC of the clinic's key over the batch and over `previous`, the digest before it."""

    __tablename__ = "audit_seal"
    tenant: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    first: Mapped[UUID]
    last: Mapped[UUID]
    last_xid: Mapped[int]
    digest: Mapped[bytes]
    previous: Mapped[bytes]
    sealed_at: Mapped[datetime]

    @property
    def end(self) -> Place:
        """Where the batch ends in the order of events."""
        return self.last_xid, self.last


@dataclass(frozen=True)
class Link:
    """What a seal says of one event: its place in the order, and its own HMAC."""

    xid: int
    id: UUID
    seal: bytes


@dataclass(frozen=True)
class Head:
    """The newest seal of a clinic, to be kept where nobody who can write the store can write."""

    n: int
    digest: bytes


def seal(sessions: Sessions, ring: KeyRing, tenant: str) -> int:
    """Seals what is finished and unsealed; gives how many events. Two at once seal each event once."""
    total = 0
    while sealed := _seal_batch(sessions, ring, tenant):
        total += sealed
    return total


def head(sessions: Sessions, tenant: str) -> Head | None:
    """The newest seal; None before the first."""
    with sessions.begin(_sealer(tenant)) as session:
        latest = _newest(session)
        return Head(latest.n, latest.digest) if latest else None


def verify(
    sessions: Sessions, ring: KeyRing, tenant: str, anchor: Head | None = None, tail: timedelta = TAIL
) -> list[str]:
    """What is wrong with a clinic's audit, one sentence each; empty when nothing is.

    `anchor` is a head kept elsewhere: without it, events and seals taken off the end together are not noticed.
    An event that nobody has sealed for longer than `tail` is a violation too.
    """
    return list(_violations(sessions, ring, tenant, anchor, tail))


def _seal_batch(sessions: Sessions, ring: KeyRing, tenant: str) -> int:
    with sessions.begin(_sealer(tenant)) as session:
        session.execute(LOCK, {"tenant": tenant})
        before = _newest(session)
        links = _unsealed(session, before.end if before else START)
        if not links:
            return 0
        row = AuditSeal(
            tenant=tenant,
            n=before.n + 1 if before else 1,
            count=len(links),
            first=links[0].id,
            last=links[-1].id,
            last_xid=links[-1].xid,
            previous=before.digest if before else b"",
            sealed_at=datetime.now(UTC),
        )
        row.digest = _digest(ring, row, links)
        session.add(row)
        return row.count


def _unsealed(session: Session, end: Place) -> list[Link]:
    rows = session.execute(
        select(AuditEvent.xid, AuditEvent.id, AuditEvent.seal)
        .where(tuple_(AuditEvent.xid, AuditEvent.id) > tuple_(*end), FINISHED)
        .order_by(AuditEvent.xid, AuditEvent.id)
        .limit(BATCH)
    )
    return [Link(*row) for row in rows]


def _sealer(tenant: str) -> Context:
    """In whose name the audit is sealed and verified."""
    return Context(tenant, SYSTEM, Purpose.OPERATIONS)


def _newest(session: Session) -> AuditSeal | None:
    return session.scalar(select(AuditSeal).order_by(AuditSeal.n.desc()).limit(1))


def _digest(ring: KeyRing, row: AuditSeal, links: list[Link]) -> bytes:
    """What the seal's digest must be over these events."""
    batch = sha256(b"".join(f"{link.xid}|{link.id}|".encode() + link.seal for link in links))
    at = row.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    words = f"{row.n}|{row.count}|{row.first}|{row.last}|{row.last_xid}|{at}|"
    return ring.digest(row.tenant, "audit-seal", words.encode() + batch.digest() + row.previous)


def _violations(sessions: Sessions, ring: KeyRing, tenant: str, anchor: Head | None, tail: timedelta) -> Iterator[str]:
    last: AuditSeal | None = None
    while True:
        with sessions.begin(_sealer(tenant)) as session:
            seals = _after(session, last)
            yield from _changed(ring, session, last, seals)
            yield from _broken(session, ring, last, seals, anchor)
        if not seals:
            break
        last = seals[-1]
    if anchor and (last is None or last.n < anchor.n):
        yield f"Seal {anchor.n} was anchored, but the seals end at {last.n if last else 0}: the end was taken off."
    with sessions.begin(_sealer(tenant)) as session:
        yield from _left_open(session, tail)


def _after(session: Session, last: AuditSeal | None) -> Sequence[AuditSeal]:
    n = last.n if last else 0
    return session.scalars(select(AuditSeal).where(AuditSeal.n > n).order_by(AuditSeal.n).limit(SEALS_AT_ONCE)).all()


def _broken(
    session: Session, ring: KeyRing, last: AuditSeal | None, seals: Sequence[AuditSeal], anchor: Head | None
) -> Iterator[str]:
    """The chain itself, and whether each seal still covers what it covered."""
    for row in seals:
        if row.n != (last.n if last else 0) + 1:
            yield f"Seals {last.n + 1 if last else 1} to {row.n - 1} are missing."
        elif row.previous != (last.digest if last else b""):
            yield f"Seal {row.n} does not follow the one before it."
        else:
            yield from _uncovered(row, ring, _links(session, last.end if last else START, row.end))
        if anchor and row.n == anchor.n and row.digest != anchor.digest:
            yield f"Seal {row.n} is not the one that was anchored."
        last = row


def _uncovered(row: AuditSeal, ring: KeyRing, links: list[Link]) -> Iterator[str]:
    if len(links) < row.count:
        yield f"Seal {row.n} covers {row.count} events, and {row.count - len(links)} of them are missing."
    elif len(links) > row.count:
        yield f"Seal {row.n} covers {row.count} events, and {len(links) - row.count} were slipped in behind it."
    elif _digest(ring, row, links) != row.digest:
        yield f"Seal {row.n} of {row.sealed_at:%Y-%m-%d %H:%M:%S} or what it covers was changed."


def _changed(ring: KeyRing, session: Session, last: AuditSeal | None, seals: Sequence[AuditSeal]) -> Iterator[str]:
    """Events whose own HMAC does not fit what they say; with the last seals come the unsealed ones too."""
    order = tuple_(AuditEvent.xid, AuditEvent.id)
    query = select(AuditEvent).where(order > tuple_(*(last.end if last else START)))
    if seals:
        query = query.where(order <= tuple_(*seals[-1].end))
    for event in session.scalars(query.order_by(AuditEvent.xid, AuditEvent.id).execution_options(yield_per=1000)):
        if ring.digest(event.tenant, "audit", said(event)) != event.seal:
            yield f"Audit event {event.id} is not as it was written."


def _links(session: Session, begin: Place, end: Place) -> list[Link]:
    order = tuple_(AuditEvent.xid, AuditEvent.id)
    rows = session.execute(
        select(AuditEvent.xid, AuditEvent.id, AuditEvent.seal)
        .where(order > tuple_(*begin), order <= tuple_(*end))
        .order_by(AuditEvent.xid, AuditEvent.id)
    )
    return [Link(*row) for row in rows]


def _left_open(session: Session, tail: timedelta) -> Iterator[str]:
    latest = _newest(session)
    now = func.clock_timestamp(type_=DateTime(timezone=True))
    count, oldest, asked = session.execute(
        select(func.count(), func.min(AuditEvent.recorded_at), now).where(
            tuple_(AuditEvent.xid, AuditEvent.id) > tuple_(*(latest.end if latest else START)),
            AuditEvent.recorded_at < now - tail,
        )
    ).one()
    if count:
        seconds = int((asked - oldest).total_seconds())
        yield f"{count} audit events are not sealed; the oldest for {seconds} s. Is the sweeper running?"
