"""Names of a FHIR Patient beside the one she is called by: official, maiden, earlier ones, nicknames."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class PatientName(Versioned, Base):
    """`use` is FHIR's name-use; the suffix (Jr, Sr) may be all that tells two people apart."""

    __tablename__ = "patient_name"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    use: Mapped[str]
    family: Mapped[str] = mapped_column(default="")
    given: Mapped[str] = mapped_column(default="")
    suffix: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)

    @property
    def words(self) -> str:
        """`Wilhelm Straatmann Jr`."""
        return " ".join(part for part in (self.given, self.family, self.suffix) if part)
