"""FHIR Task as people's work: one row is one thing somebody must do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned, new_id
from activities.records.people import climbed_holder, holder
from activities.records.sessions import Context
from rules.task import Holder, Ladder, rung_at


class TaskStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Task(Versioned, Base):
    """The row is the truth of who and when; the owning workflow of what it means. `rank` orders by harm.

    `rung` is how far it has climbed its `ladder`; `table_…` name the version that gave `due_at`; `act_token` is that
    of the last claim, release, assignment or snooze.
    """

    __tablename__ = "task"
    workflow_id: Mapped[str]
    case_id: Mapped[UUID]
    patient_id: Mapped[UUID | None] = mapped_column(default=None)
    kind: Mapped[str]
    number: Mapped[str]
    action: Mapped[str]
    why: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    stage: Mapped[str]
    outcomes: Mapped[list[str]] = mapped_column(default=list)
    priority: Mapped[str]
    rank: Mapped[int]
    pool: Mapped[str]
    site: Mapped[str] = mapped_column(default="")
    owner: Mapped[UUID | None] = mapped_column(default=None)
    due_at: Mapped[datetime]
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(default=TaskStatus.OPEN)
    opened_at: Mapped[datetime]
    opened_key: Mapped[str]
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    done_by: Mapped[str] = mapped_column(default="")
    done_key: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str] = mapped_column(default="")
    act_token: Mapped[str] = mapped_column(default="")
    ladder: Mapped[str] = mapped_column(default=Ladder.STANDARD)
    rung: Mapped[int] = mapped_column(default=0)
    table_name: Mapped[str] = mapped_column(default="")
    table_version: Mapped[int] = mapped_column(default=0)
    table_hash: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Assignment:
    """The task a case needs now; `preferred` is whose it is where nobody keeps it, `rung` how late the case is."""

    workflow_id: str
    patient_id: UUID | None
    number: str
    action: str
    why: str
    subject: str
    stage: str
    outcomes: tuple[str, ...]
    priority: str
    rank: int
    pool: str
    site: str
    due_at: datetime
    ladder: str = Ladder.STANDARD
    rung: int = 0
    table_name: str = ""
    table_version: int = 0
    table_hash: str = ""
    preferred: UUID | None = None

    def columns(self) -> dict[str, object]:
        """What the row says of it."""
        fields = {name: value for name, value in vars(self).items() if name != "preferred"}
        return fields | {"outcomes": list(self.outcomes)}


@dataclass(frozen=True)
class Assigned:
    """Who holds a case's task: nobody without one. `escalated_from` had it until it climbed (account id or pool)."""

    holder: Holder | None
    escalated_from: str = ""

    @property
    def words(self) -> str:
        """The holder as `process.next_owner` and the events name her: an account id or a pool."""
        return _name(self.holder) if self.holder else ""


REFRESHED = ("why", "subject", "stage", "priority", "rank", "due_at", "table_name", "table_version", "table_hash")


def reassign(
    session: Session,
    context: Context,
    case_id: UUID,
    kind: str,
    wanted: Assignment | None,
    key: str,
    at: datetime,
    now: datetime,
) -> Assigned:
    """Leaves a case with exactly the task it needs of this kind; gives who holds it.

    The same need keeps its row: late, it climbs, and its due time stays. Another need ends the row, and its holder
    keeps the case while the pool stays the same. Who is away or has left at `now` is stood in for.
    """
    held = (
        session.execute(
            select(Task)
            .where(Task.case_id == case_id, Task.kind == kind, Task.status == TaskStatus.OPEN)
            .with_for_update()
        )
        .scalars()
        .all()
    )
    same = next((row for row in held if wanted and _is_same(row, wanted)), None)
    if wanted and same:
        return _keep(session, context, same, wanted, now)
    for row in held:
        row.status, row.done_at, row.done_by, row.done_key = TaskStatus.DONE, at, context.actor, key
    session.flush()
    if wanted is None:
        return Assigned(None)
    keeper = next((row.owner for row in held if row.owner and row.pool == wanted.pool), wanted.preferred)
    goes_to = holder(session, context.tenant, Holder(wanted.pool, keeper), now, wanted.site)
    row = Task(
        id=new_id(),
        tenant=context.tenant,
        case_id=case_id,
        kind=kind,
        opened_at=at,
        opened_key=key,
        **(wanted.columns() | {"pool": goes_to.pool, "owner": goes_to.owner}),
    )
    session.add(row)
    session.flush()
    return Assigned(goes_to)


def climb(session: Session, tenant: str, task_id: UUID, rung: int, now: datetime, pool: str = "") -> Assigned | None:
    """Hands an overdue open task up to a rung, once: None when it is closed or as high already.

    `pool` is the pool whose work it is (the one it lies in, when empty). The due time stays: age counts from the event.
    """
    row = session.scalar(
        select(Task)
        .where(Task.id == task_id, Task.status == TaskStatus.OPEN, Task.rung < rung)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    holds = Holder(row.pool, row.owner)
    step = rung_at(row.ladder, rung)
    goes_to = climbed_holder(session, tenant, step, holds, pool or row.pool, now, row.site)
    row.rung, row.pool, row.owner = rung, goes_to.pool, goes_to.owner
    row.snoozed_until, row.act_token = None, ""
    session.flush()
    return Assigned(goes_to, _name(holds) if goes_to != holds else "")


def _is_same(row: Task, wanted: Assignment) -> bool:
    """One that has climbed may lie in another pool by now."""
    return row.action == wanted.action and (row.pool == wanted.pool or row.rung > 0)


def _keep(session: Session, context: Context, row: Task, wanted: Assignment, now: datetime) -> Assigned:
    if wanted.rung:
        climbed = climb(session, context.tenant, row.id, wanted.rung, now, wanted.pool)
        return climbed or Assigned(Holder(row.pool, row.owner))
    if wanted.due_at > row.due_at:
        row.rung = 0
    for name in REFRESHED:
        setattr(row, name, getattr(wanted, name))
    session.flush()
    return Assigned(Holder(row.pool, row.owner))


def _name(holder: Holder) -> str:
    return str(holder.owner) if holder.owner else holder.pool
