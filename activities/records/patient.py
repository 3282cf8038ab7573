"""FHIR Patient."""

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class Patient(Versioned, Base):
    """Names, birth date and addresses are plain under row security, because they are searched.

    Here are those she goes by; others, and everything else of the chart, in tables of their own. `family` ends with
    the suffix, if there is one. `vip`: each look at her record is reviewed.
    """

    __tablename__ = "patient"
    mrn: Mapped[str]
    family: Mapped[str]
    given: Mapped[str]
    birth_date: Mapped[date]
    sex: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    interpreter: Mapped[bool] = mapped_column(default=False)
    site: Mapped[str] = mapped_column(default="")
    alerts: Mapped[list[str]] = mapped_column(default=list)
    vip: Mapped[bool] = mapped_column(default=False)
