"""Who is signed in: one row per session of a browser, which holds nothing but a random token."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import LargeBinary, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.account import Account
from activities.records.base import Base

TOKEN_BYTES = 32
SEEN_AT_MOST_EVERY = timedelta(minutes=1)


class WebSession(Base):
    """`id` is the SHA-256 of the cookie's token: a copy of this table signs nobody in."""

    __tablename__ = "web_session"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    acr: Mapped[str] = mapped_column(default="")
    auth_time: Mapped[datetime | None]
    sid: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Proof:
    """What the identity provider said of how and when the person proved who she is."""

    auth_time: datetime
    acr: str = ""
    sid: str = ""


def digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def start(session: Session, account: Account, proof: Proof, now: datetime, lasts: timedelta) -> str:
    """A new session, always under a new token; answers the token, which is kept nowhere."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        WebSession(
            id=digest(token),
            account_id=account.id,
            created_at=now,
            seen_at=now,
            ends_at=now + lasts,
            acr=proof.acr,
            auth_time=proof.auth_time,
            sid=proof.sid,
        )
    )
    return token


def find(session: Session, token: str) -> tuple[WebSession, Account] | None:
    """The session of a token with its account, live or not."""
    found = session.execute(
        select(WebSession, Account)
        .join(Account, Account.id == WebSession.account_id)
        .where(WebSession.id == digest(token))
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def live(row: WebSession, now: datetime, idle: timedelta) -> bool:
    """Neither past its absolute end nor without activity for `idle`."""
    return now < row.ends_at and now - row.seen_at < idle


def touch(session: Session, row: WebSession, now: datetime) -> None:
    """Notes activity, at most once a minute and never backwards."""
    if now - row.seen_at >= SEEN_AT_MOST_EVERY:
        session.execute(update(WebSession).where(WebSession.id == row.id, WebSession.seen_at < now).values(seen_at=now))


def end(session: Session, token: str) -> None:
    """The session is over; its token opens nothing any more."""
    session.execute(delete(WebSession).where(WebSession.id == digest(token)))


def forget_ended(session: Session, before: datetime) -> None:
    """Removes sessions that ended before an instant; until then a page of theirs can name its owner."""
    session.execute(delete(WebSession).where(WebSession.ends_at < before))
