"""FHIR Location: a site of the clinic, with its hours."""

from datetime import time

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from activities.records.base import Base, Versioned


class Location(Versioned, Base):
    """`site` is the key that cases and accounts carry; hours are in the site's own zone, Monday is weekday 0.

    `state` is the two-letter state whose public holidays are imported.
    """

    __tablename__ = "location"
    site: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="")
    zone: Mapped[str]
    opens: Mapped[time] = mapped_column(default=time(8))
    closes: Mapped[time] = mapped_column(default=time(17))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()), default=lambda: [0, 1, 2, 3, 4])
    phone: Mapped[str] = mapped_column(default="")
