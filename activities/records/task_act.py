"""Who holds a task, changed by people: claim, release, assign and snooze write the row only, and can be undone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, column, func, select, table, update
from sqlalchemy.orm import Session

from activities.records.people import holder
from activities.records.sessions import Context
from activities.records.task import Task, TaskStatus
from rules.task import Holder

UNDO = timedelta(seconds=10)
UNDONE = "undone:"
EARLIER = table("task_history", *(column(name) for name in ("tenant", "id", "version", "owner", "snoozed_until")))


@dataclass(frozen=True)
class Act:
    """What became of an act. `won`: it holds, also when the same token asks again.

    Otherwise `holder` has the task (None: its pool), or `done_by` closed it at `done_at`.
    """

    won: bool
    holder: UUID | None = None
    done_by: str = ""
    done_at: datetime | None = None


def claim(session: Session, task_id: UUID, account: UUID, token: str) -> Act:
    """Takes an open task nobody holds; one guarded statement decides between fifty at once."""
    return _act(session, task_id, token, {"owner": account}, Task.owner.is_(None))


def release(session: Session, task_id: UUID, account: UUID, token: str) -> Act:
    """Gives back to its pool what this account holds."""
    return _act(session, task_id, token, {"owner": None, "snoozed_until": None}, Task.owner == account)


def assign(session: Session, context: Context, task_id: UUID, owner: UUID, token: str, now: datetime) -> Act:
    """Gives an open task to somebody, whoever has it; `holder` says who has it now.

    For somebody who is away that is who stands in, and for somebody who has left the pool.
    """
    row = session.execute(select(Task.pool, Task.site).where(Task.id == task_id)).one_or_none()
    if row is None:
        return Act(False)
    goes_to = holder(session, context.tenant, Holder(row.pool, owner), now, row.site)
    return _act(session, task_id, token, {"owner": goes_to.owner, "snoozed_until": None})


def snooze(session: Session, task_id: UUID, until: datetime, token: str) -> Act:
    """Hides an open task until an instant; its due time stays."""
    return _act(session, task_id, token, {"snoozed_until": until})


def undo(session: Session, token: str, within: timedelta = UNDO) -> tuple[UUID, ...]:
    """Puts back what the acts of this token changed, where nothing has happened since; gives the tasks.

    Only for as long as `within` after the act; asked again, it gives the same tasks.
    """
    if not token:
        return ()
    undone = session.scalars(
        update(Task)
        .where(
            Task.act_token == token,
            Task.status == TaskStatus.OPEN,
            Task.recorded_at > func.clock_timestamp() - within,
            EARLIER.c.tenant == Task.tenant,
            EARLIER.c.id == Task.id,
            EARLIER.c.version == Task.version - 1,
        )
        .values(owner=EARLIER.c.owner, snoozed_until=EARLIER.c.snoozed_until, act_token=UNDONE + token)
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    again = select(Task.id).where(Task.act_token == UNDONE + token, Task.status == TaskStatus.OPEN)
    return tuple(undone) or tuple(session.scalars(again))


def _act(session: Session, task_id: UUID, token: str, values: dict[str, object], *guards: ColumnElement[bool]) -> Act:
    """One guarded statement; a token that has acted on this row already changes nothing more."""
    fresh = (Task.act_token != token,) if token else ()
    done = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.status == TaskStatus.OPEN, *guards, *fresh)
        .values(values | {"act_token": token})
        .returning(Task.owner)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return Act(True, done.owner) if done else _standing(session, task_id, token)


def _standing(session: Session, task_id: UUID, token: str) -> Act:
    row = session.execute(
        select(Task.owner, Task.act_token, Task.done_by, Task.done_at, Task.status).where(Task.id == task_id)
    ).one_or_none()
    if row is None:
        return Act(False)
    again = row.status == TaskStatus.OPEN and bool(token) and row.act_token == token
    return Act(again, row.owner, row.done_by, row.done_at)
