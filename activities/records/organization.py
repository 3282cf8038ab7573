"""FHIR Organization: our own clinics and the partners in the directory."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Versioned


class Transport(StrEnum):
    FHIR = "fhir"
    PAPER = "paper"


class Organization(Versioned, Base):
    """`transport` says how it is reached; `repeatable` whether the same bytes may be sent it twice.

    `packet` lists by service what the specialist wants to be sent, `plans` which coverages are taken, `next_open_on`
    the first day with a free visit as last heard, `hours` when the office answers its phone.
    """

    __tablename__ = "organization"
    name: Mapped[str]
    npi: Mapped[str] = mapped_column(default="")
    partner: Mapped[bool] = mapped_column(default=True)
    transport: Mapped[str] = mapped_column(default=Transport.PAPER)
    fhir_address: Mapped[str] = mapped_column(default="")
    repeatable: Mapped[bool] = mapped_column(default=True)
    phone: Mapped[str] = mapped_column(default="")
    fax: Mapped[str] = mapped_column(default="")
    services: Mapped[list[str]] = mapped_column(default=list)
    packet: Mapped[dict[str, object]] = mapped_column(default=dict)
    plans: Mapped[list[str]] = mapped_column(default=list)
    next_open_on: Mapped[date | None] = mapped_column(default=None)
    hours: Mapped[str] = mapped_column(default="")


def change(session: Session, organization_id: UUID, version: int, values: Mapping[str, object]) -> bool:
    """Writes fields of the version somebody saw; False when there is a newer one."""
    done = session.execute(
        update(Organization)
        .where(Organization.id == organization_id, Organization.version == version)
        .values(dict(values))
        .returning(Organization.id)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None
