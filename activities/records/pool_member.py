"""Who covers a pool of work, in which order, and who leads it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class PoolMember(Versioned, Base):
    """`pool` is a role; everybody with the role works in it, and these cover for those away, lowest position first."""

    __tablename__ = "pool_member"
    pool: Mapped[str]
    account_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(default=0)
    leads: Mapped[bool] = mapped_column(default=False)
    active_from: Mapped[datetime]
    active_until: Mapped[datetime | None] = mapped_column(default=None)
