"""Which peer or client speaks for which clinic: read before any tenant is known."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, new_id


class Interface(Base):
    """`client_id` is the partner's name at the identity provider; `organization_id` who it is in the directory."""

    __tablename__ = "interface"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant: Mapped[str]
    kind: Mapped[str]
    client_id: Mapped[str]
    organization_id: Mapped[UUID]
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
