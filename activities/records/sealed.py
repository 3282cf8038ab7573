"""Sealed fields of a record: the value under the clinic's key, and a keyed digest that finds it (a blind index)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from activities.records.ring import KeyRing


class SealedField(StrEnum):
    """What may be looked for; each has digests of its own, so that equal values of two kinds do not meet."""

    SSN = "ssn"
    MEMBER_ID = "member-id"


@dataclass(frozen=True)
class Sealed:
    """`value` opens at the row it was sealed for only; `blind` is the same for the same value of a clinic."""

    value: bytes
    blind: bytes


def seal_field(ring: KeyRing, tenant: str, field: SealedField, row_id: UUID, plain: str) -> Sealed:
    return Sealed(ring.seal(tenant, plain.encode(), _place(field, row_id)), blind_index(ring, tenant, field, plain))


def open_field(ring: KeyRing, tenant: str, field: SealedField, row_id: UUID, sealed: bytes) -> str:
    """The value as it was typed; raises `Unreadable` for bytes of another row or another clinic."""
    return ring.open(sealed, _place(field, row_id), tenant).decode()


def blind_index(ring: KeyRing, tenant: str, field: SealedField, plain: str) -> bytes:
    """32 bytes; spaces, hyphens and case make no difference."""
    letters = re.sub(r"[^0-9A-Z]", "", plain.upper())
    return ring.digest(tenant, f"blind {field}", letters.encode())


def _place(field: SealedField, row_id: UUID) -> str:
    return f"{field}:{row_id}"
