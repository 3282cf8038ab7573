"""What each case waits for, and its whole State: enough to start it again on an empty engine."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base


class Process(Base):
    """One row per case; `state` is the workflow's State, sealed. An open one has a next action, owner and instant."""

    __tablename__ = "process"
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    kind: Mapped[str]
    case_id: Mapped[UUID]
    stage: Mapped[str]
    state: Mapped[bytes]
    version: Mapped[int]
    next_action: Mapped[str] = mapped_column(default="")
    next_owner: Mapped[str] = mapped_column(default="")
    next_due: Mapped[datetime | None] = mapped_column(default=None)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(default=None)


COLUMNS = tuple(column.key for column in Process.__table__.columns)
KEPT = ("workflow_id", "tenant", "kind", "case_id", "opened_at")
MADE = insert(Process.__table__)
SAVE = MADE.on_conflict_do_update(
    index_elements=["workflow_id"], set_={name: MADE.excluded[name] for name in COLUMNS if name not in KEPT}
)


def save(session: Session, row: Process) -> None:
    """Writes the case's process, made or replaced."""
    session.execute(SAVE, {name: getattr(row, name) for name in COLUMNS})
