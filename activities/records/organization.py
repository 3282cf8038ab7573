"""FHIR Organization: our own clinics and the partners in the directory."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class Transport(StrEnum):
    FHIR = "fhir"
    PAPER = "paper"


class Organization(Versioned, Base):
    """`transport` says how it is reached; `repeatable` whether the same bytes may be sent it twice."""

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
