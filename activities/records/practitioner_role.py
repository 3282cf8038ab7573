"""FHIR PractitionerRole: where a practitioner works, as what, and since when."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned


class PractitionerRole(Versioned, Base):
    """`starts_on` and `ends_on` are both included; None is open."""

    __tablename__ = "practitioner_role"
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), default=None)
    specialty: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)


def roles_of(session: Session, practitioner_id: UUID, on: date) -> list[PractitionerRole]:
    """Where somebody works on a day."""
    query = select(PractitionerRole).where(
        PractitionerRole.practitioner_id == practitioner_id,
        or_(PractitionerRole.starts_on.is_(None), PractitionerRole.starts_on <= on),
        or_(PractitionerRole.ends_on.is_(None), PractitionerRole.ends_on >= on),
    )
    return list(session.scalars(query.order_by(PractitionerRole.specialty, PractitionerRole.id)))
