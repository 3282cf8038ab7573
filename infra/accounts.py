"""Who may sign in, as an operator changes it: people are granted roles, listed, and leave."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from activities.records.account import Account, Grant, by_subject, grant
from activities.records.audit_event import Action
from activities.records.pool_member import PoolMember
from activities.records.sessions import Context, Purpose
from activities.records.task import Task, TaskStatus
from activities.records.tenant import Tenant
from activities.records.web_session import WebSession
from infra.bootstrap import Parts
from infra.refusal import Refused
from rules.access import Role


@dataclass(frozen=True)
class Left:
    """What a person leaves behind: sessions that ended, tasks that went back to their pools, pools she covered."""

    sessions: int
    tasks: int
    pools: int


def grant_roles(parts: Parts, operator: str, given: Grant) -> bool:
    """Makes the account or brings it up to date; whether it is new. Raises Refused in words."""
    if wrong := [role for role in given.roles if role not in list(Role)]:
        raise Refused(f"There is no role {', '.join(wrong)}. The roles are: {', '.join(Role)}.")
    if not given.issuer:
        raise Refused("The identity provider is not known: set CARELOOP_OIDC_ISSUER or give --issuer.")
    context = Context(given.tenant, operator, Purpose.OPERATIONS)
    # An identity is looked up among all clinics: it belongs to one of them.
    with parts.sessions.platform() as session:
        if session.get(Tenant, given.tenant) is None:
            raise Refused(f"There is no clinic {given.tenant}. `careloop tenant add` makes one.")
        known = by_subject(session, given.issuer, given.subject)
        if known and known.tenant != given.tenant:
            raise Refused(f"{given.email} belongs to {known.tenant} already; an account has one clinic.")
    with parts.sessions.begin(context) as session:
        account = grant(session, given)
        action = Action.UPDATE if known else Action.CREATE
        parts.auditor.write(
            session, context, action, "Account", str(account), detail={"roles": list(given.roles), "active": True}
        )
    return known is None


def accounts(parts: Parts, tenant: str = "") -> Sequence[Account]:
    """Everybody, also those who have left, by clinic and name."""
    query = select(Account).order_by(Account.tenant, Account.name)
    with parts.sessions.platform() as session:
        return session.scalars(query.where(Account.tenant == tenant) if tenant else query).all()


def leave(parts: Parts, operator: str, email: str) -> Left:
    """Switches an account off for good: nobody is signed in with it, and its open tasks go back to their pools."""
    with parts.sessions.platform() as session:
        rows = session.scalars(select(Account).where(func.lower(Account.email) == email.casefold())).all()
    if not rows:
        raise Refused(f"Nobody here has the address {email}.")
    if len(rows) > 1:
        raise Refused(f"{len(rows)} accounts have the address {email}: correct it first with `careloop user grant`.")
    account = rows[0]
    context = Context(account.tenant, operator, Purpose.OPERATIONS)
    with parts.sessions.begin(context) as session:
        left = _release(session, account)
        parts.auditor.write(
            session, context, Action.UPDATE, "Account", str(account.id), detail={"active": False, **vars(left)}
        )
    return left


def _release(session: Session, account: Account) -> Left:
    session.execute(update(Account).where(Account.id == account.id).values(active=False))
    ended = session.scalars(
        delete(WebSession).where(WebSession.account_id == account.id).returning(WebSession.id)
    ).all()
    returned = session.scalars(
        update(Task)
        .where(Task.owner == account.id, Task.status == TaskStatus.OPEN)
        .values(owner=None, snoozed_until=None, act_token="")
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    ).all()
    covered = session.scalars(
        update(PoolMember)
        .where(PoolMember.account_id == account.id, PoolMember.active_until.is_(None))
        .values(active_until=func.clock_timestamp())
        .returning(PoolMember.id)
        .execution_options(synchronize_session=False)
    ).all()
    return Left(len(ended), len(returned), len(covered))
