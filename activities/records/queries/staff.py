"""The people of a clinic, to hand work to."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.account import Account
from rules.access import Permission, may


def workers(session: Session, tenant: str) -> list[Account]:
    """Everybody who may hold a task, by name."""
    query = select(Account).where(Account.tenant == tenant, Account.active.is_(True)).order_by(Account.name)
    return [one for one in session.scalars(query) if may(one.roles, Permission.TASK_CLAIM)]


def worker(session: Session, tenant: str, account: UUID) -> Account | None:
    """One of them; None for anybody else."""
    return next((one for one in workers(session, tenant) if one.id == account), None)
