"""The key ring's file: keys wrapped by a master key that lies elsewhere. Losing either is losing the clinic."""

import base64
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.records.ring import KEY_ID, NONCE, PLATFORM, Key, KeyRing, Unreadable
from infra.settings import Environment, Settings

SECRET = 32
SIGNING = "context-signing"


def load_ring(settings: Settings) -> KeyRing:
    """Opens the ring; in development it is made on first start, in production its absence is an error."""
    if not settings.ring_file.exists():
        if settings.env is Environment.PRODUCTION:
            raise Unreadable(f"no key ring at {settings.ring_file}: restore it, or make one with `careloop keys init`")
        make_ring(settings, [])
    master = _master(settings)
    entries = [_unwrap(entry, master) for entry in json.loads(settings.ring_file.read_text())["keys"]]
    signing = next(key.secret for key in entries if key.owner == SIGNING)
    return KeyRing([key for key in entries if key.owner != SIGNING], signing)


def make_ring(settings: Settings, tenants: list[str]) -> None:
    """A new ring with the platform's keys and one for each tenant; refuses to replace one that is there."""
    if settings.ring_file.exists():
        raise FileExistsError(f"{settings.ring_file} is there already")
    if not settings.master_file.exists():
        _write(settings.master_file, base64.b64encode(os.urandom(SECRET)).decode())
    _write(settings.ring_file, json.dumps({"keys": []}))
    for owner in (SIGNING, PLATFORM, *tenants):
        add_key(settings, owner)


def add_key(settings: Settings, owner: str) -> None:
    """A new current key for an owner; earlier ones stay and still open what they sealed."""
    ring = json.loads(settings.ring_file.read_text())
    key = Key(os.urandom(KEY_ID), owner, os.urandom(SECRET))
    ring["keys"].append(_wrap(key, _master(settings)))
    _write(settings.ring_file, json.dumps(ring, indent=1))


def has_key(settings: Settings, owner: str) -> bool:
    """Whether the ring's file names this owner."""
    return any(entry["owner"] == owner for entry in json.loads(settings.ring_file.read_text())["keys"])


def _master(settings: Settings) -> bytes:
    return base64.b64decode(settings.master_file.read_text())


def _wrap(key: Key, master: bytes) -> dict[str, str]:
    nonce = os.urandom(NONCE)
    wrapped = nonce + AESGCM(master).encrypt(nonce, key.secret, key.id + key.owner.encode())
    return {"id": key.id.hex(), "owner": key.owner, "wrapped": base64.b64encode(wrapped).decode()}


def _unwrap(entry: dict[str, str], master: bytes) -> Key:
    identity, wrapped = bytes.fromhex(entry["id"]), base64.b64decode(entry["wrapped"])
    try:
        secret = AESGCM(master).decrypt(wrapped[:NONCE], wrapped[NONCE:], identity + entry["owner"].encode())
    except InvalidTag:
        raise Unreadable("the master key does not open the key ring") from None
    return Key(identity, entry["owner"], secret)


def _write(path: Path, words: str) -> None:
    """Whole or not at all, readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(words)
    draft.replace(path)
