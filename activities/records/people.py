"""The staff as the ladder needs them: who is here at an instant, who stands in, who covers and who leads."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from activities.records.absence import Absence
from activities.records.account import Account
from activities.records.pool_member import PoolMember
from rules.task import Holder, People, Rung, next_holder, present_holder


def holder(session: Session, tenant: str, meant: Holder, at: datetime, site: str = "") -> Holder:
    """Whom a task meant for `meant` goes to at an instant: the same, or who stands in."""
    if meant.owner is None or _is_here(session, meant.owner, at):
        return meant
    return present_holder(meant, people_at(session, tenant, at, site))


def climbed_holder(
    session: Session, tenant: str, rung: Rung, holds: Holder, pool: str, at: datetime, site: str = ""
) -> Holder:
    """Who holds an overdue task on a rung; `pool` is the pool whose work it is."""
    return next_holder(rung, holds, people_at(session, tenant, at, site), pool)


def people_at(session: Session, tenant: str, at: datetime, site: str = "") -> People:
    """Everybody of a clinic at an instant; those of the site are asked before the others."""
    accounts = session.execute(
        select(Account.id, Account.roles, Account.sites).where(Account.tenant == tenant, Account.active)
    ).all()
    local = {row.id for row in accounts if site in row.sites}
    members = list(session.scalars(select(PoolMember).where(*_in_force(at)).order_by(PoolMember.position)))
    members.sort(key=lambda member: member.account_id not in local)
    return People(
        roles={row.id: frozenset(row.roles) for row in accounts},
        away=_away(session, at),
        rotation=_by_pool(member for member in members if not member.leads),
        leads=_by_pool(member for member in members if member.leads),
    )


def account_of(session: Session, tenant: str, npi: str) -> UUID | None:
    """The account of a clinician of ours, also when it is switched off."""
    found = select(Account.id).where(Account.tenant == tenant, Account.npi == npi).order_by(Account.active.desc())
    return session.scalar(found.limit(1)) if npi else None


def _is_here(session: Session, account: UUID, at: datetime) -> bool:
    away = exists().where(Absence.account_id == account, Absence.starts_at <= at, Absence.ends_at > at)
    return session.scalar(select(Account.id).where(Account.id == account, Account.active, ~away)) is not None


def _away(session: Session, at: datetime) -> dict[UUID, UUID | None]:
    """Of absences that overlap the one that began last counts."""
    rows = session.execute(
        select(Absence.account_id, Absence.surrogate_id)
        .where(Absence.starts_at <= at, Absence.ends_at > at)
        .order_by(Absence.starts_at, Absence.id)
    )
    return {row.account_id: row.surrogate_id for row in rows}


def _in_force(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return PoolMember.active_from <= at, or_(PoolMember.active_until.is_(None), PoolMember.active_until > at)


def _by_pool(members: Iterable[PoolMember]) -> dict[str, tuple[UUID, ...]]:
    pools: dict[str, tuple[UUID, ...]] = {}
    for member in members:
        pools[member.pool] = (*pools.get(member.pool, ()), member.account_id)
    return pools
