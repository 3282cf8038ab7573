"""What every table of ours shares: who it belongs to, its version, and since when this version holds."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import uuid_utils
from sqlalchemy import BigInteger, DateTime, FetchedValue, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    __table__: ClassVar[Table]
    type_annotation_map = {  # noqa: RUF012 SQLAlchemy reads it from the class
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text()),
        dict[str, object]: JSONB(),
    }


def new_id() -> UUID:
    """A time-ordered id (RFC 9562, version 7): neighbours in time are neighbours in the index."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


class Tenanted:
    """Rows of one clinic, kept apart by row security."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant: Mapped[str]


class Versioned(Tenanted):
    """A trigger counts `version` up and keeps each earlier row in `<table>_history`."""

    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
