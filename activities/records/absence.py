"""When somebody is away, and who stands in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class Absence(Versioned, Base):
    """From `starts_at` until before `ends_at`; without a surrogate the pool takes over."""

    __tablename__ = "absence"
    account_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    surrogate_id: Mapped[UUID | None] = mapped_column(default=None)
