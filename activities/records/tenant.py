"""The clinics on this platform."""

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base


class Tenant(Base):
    """`id` is the short name that begins every workflow id; `zone` the main site's time zone."""

    __tablename__ = "tenant"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    zone: Mapped[str]
