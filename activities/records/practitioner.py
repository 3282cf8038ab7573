"""FHIR Practitioner: a clinician of ours or of a partner; who of them signs in is linked to an account."""

from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned


class Practitioner(Versioned, Base):
    """`npi` has ten digits or is empty; a clinic has one practitioner for each."""

    __tablename__ = "practitioner"
    family: Mapped[str]
    given: Mapped[str]
    credentials: Mapped[str] = mapped_column(default="")
    npi: Mapped[str] = mapped_column(default="")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), default=None)
    active: Mapped[bool] = mapped_column(default=True)


def by_npi(session: Session, npi: str) -> Practitioner | None:
    """The clinician of that number; None for an empty or unknown one."""
    return session.scalar(select(Practitioner).where(Practitioner.npi == npi)) if npi else None
