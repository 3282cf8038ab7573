"""Sealing with a clinic's own key: fields, documents and the engine's payloads.

Sealed bytes are `key id (8) | nonce (12) | AES-256-GCM ciphertext and tag`; the place they belong to is the
associated data, so a value cut out of one row opens in no other.
"""

import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PLATFORM = "*"
KEY_ID, NONCE = 8, 12


class Unreadable(Exception):
    """The key is gone, or the bytes are not what was sealed here."""


@dataclass(frozen=True)
class Key:
    """32 bytes of one owner (a tenant, or the platform), with the id that names them in sealed bytes."""

    id: bytes
    owner: str
    secret: bytes


class KeyRing:
    """All keys in memory. The newest key of an owner seals; every key opens.

    `again` gives the keys as they are kept now, or None where nothing has changed: it is asked when a key is met that
    is not known yet, so that a process opens what was sealed with a key made after its start.
    """

    def __init__(
        self, keys: Sequence[Key], signing: bytes, again: Callable[[], Sequence[Key] | None] | None = None
    ) -> None:
        self.signing, self._again = signing, again
        self._hold(keys)

    def _hold(self, keys: Sequence[Key]) -> None:
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._by_id = {key.id: key for key in keys}
        self._current = {key.owner: key for key in keys}

    def owners(self) -> list[str]:
        return sorted(self._current)

    def seal(self, owner: str, plain: bytes, place: str) -> bytes:
        """Seals for a tenant; `place` must be given again to open."""
        key = self._key_of(owner)
        nonce = os.urandom(NONCE)
        return key.id + nonce + self._ciphers[key.id].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str, owner: str | None = None) -> bytes:
        """The plain bytes; `Unreadable` when the key is gone, another owner's, or the place is another."""
        key = self._named(sealed[:KEY_ID])
        if key is None or (owner is not None and key.owner != owner):
            raise Unreadable("the key that sealed this is not in the ring")
        nonce, body = sealed[KEY_ID : KEY_ID + NONCE], sealed[KEY_ID + NONCE :]
        try:
            return self._ciphers[key.id].decrypt(nonce, body, place.encode())
        except InvalidTag:
            raise Unreadable("these bytes were not sealed for this place") from None

    def owner_of(self, sealed: bytes) -> str | None:
        """Whose key sealed these bytes; None when it is not in the ring."""
        key = self._named(sealed[:KEY_ID])
        return key.owner if key else None

    def digest(self, owner: str, purpose: str, value: bytes) -> bytes:
        """A keyed digest (HMAC-SHA-256) for blind indexes and chains; stable over key rotation."""
        self._key_of(owner)
        first = next(key for key in self._by_id.values() if key.owner == owner)
        derived = hmac.new(first.secret, b"careloop digest " + purpose.encode(), sha256).digest()
        return hmac.new(derived, value, sha256).digest()

    def _key_of(self, owner: str) -> Key:
        key = self._current.get(owner)
        if key is None and self._renewed():
            key = self._current.get(owner)
        if key is None:
            raise Unreadable(f"the ring has no key of {owner}")
        return key

    def _named(self, key_id: bytes) -> Key | None:
        key = self._by_id.get(key_id)
        return self._by_id.get(key_id) if key is None and self._renewed() else key

    def _renewed(self) -> bool:
        keys = self._again() if self._again else None
        if keys is not None:
            self._hold(keys)
        return keys is not None
