"""How a FHIR Patient is reached: numbers and addresses in the order she wants them used."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class PatientTelecom(Versioned, Base):
    """`rank` 1 is tried first. `sms_ok`: she takes texts there; `voice_only`: never a text.

    `shared`: somebody else answers it too; `confidential`: the only one for visits kept from her guardian;
    `wrong`: somebody else's number, not to be used again.
    """

    __tablename__ = "patient_telecom"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    system: Mapped[str]
    value: Mapped[str]
    use: Mapped[str] = mapped_column(default="")
    rank: Mapped[int] = mapped_column(default=1)
    sms_ok: Mapped[bool] = mapped_column(default=False)
    voice_only: Mapped[bool] = mapped_column(default=False)
    shared: Mapped[bool] = mapped_column(default=False)
    confidential: Mapped[bool] = mapped_column(default=False)
    wrong: Mapped[bool] = mapped_column(default=False)
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)
