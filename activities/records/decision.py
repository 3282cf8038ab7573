"""What a person decided, committed before the engine hears of it and kept until it is settled."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Tenanted


class Outcome(StrEnum):
    APPLIED = "applied"
    REFUSED = "refused"
    PARKED = "parked"


class Decision(Tenanted, Base):
    """The id is the form's one-time token; `arguments` are sealed; without `outcome` it is unsettled."""

    __tablename__ = "decision"
    workflow_id: Mapped[str]
    case_id: Mapped[UUID]
    name: Mapped[str]
    arguments: Mapped[bytes]
    actor: Mapped[str]
    by: Mapped[str]
    made_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(default=None)
    answer: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
