"""Who may sign in: the person behind a subject of the identity provider, her clinic, roles and sites."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, new_id


class Account(Base):
    """Belongs to one tenant for good; an account is switched off, never deleted (the audit names it)."""

    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant: Mapped[str]
    issuer: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    roles: Mapped[list[str]]
    title: Mapped[str] = mapped_column(default="")
    sites: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    npi: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Grant:
    """What an account says of a person; roles are those of `rules.access.Role`, sites those of the clinic."""

    tenant: str
    issuer: str
    subject: str
    name: str
    email: str
    roles: tuple[str, ...]
    title: str = ""
    sites: tuple[str, ...] = ()
    npi: str = ""


def grant(session: Session, given: Grant, account_id: UUID | None = None) -> UUID:
    """Makes the account or brings it up to date, and switches it on; answers its id.

    Found by (issuer, subject), or by `account_id` where the issuer's address has changed (development only).
    The tenant of an account never changes: a subject known at another clinic raises `ValueError`.
    """
    facts = {**vars(given), "roles": list(given.roles), "sites": list(given.sites), "active": True}
    known = by_subject(session, given.issuer, given.subject)
    if known is None and account_id is not None:
        known = session.get(Account, account_id)
    if known is not None:
        if known.tenant != given.tenant:
            raise ValueError(f"{given.subject} already belongs to {known.tenant}")
        for field, value in facts.items():
            setattr(known, field, value)
        session.flush()
        return known.id
    made = insert(Account).values(id=account_id or new_id(), **facts).returning(Account.id)
    return session.execute(made).scalar_one()


def by_subject(session: Session, issuer: str, subject: str) -> Account | None:
    """The account of a subject of an issuer, also when it is switched off."""
    return session.scalar(select(Account).where(Account.issuer == issuer, Account.subject == subject))
