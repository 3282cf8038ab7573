"""The key ring's file: keys wrapped by a master key that lies elsewhere. Losing either is losing the clinic."""

import base64
import binascii
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.records.ring import KEY_ID, NONCE, PLATFORM, Key, KeyRing, Unreadable
from infra.settings import Environment, Settings

SECRET = 32
SIGNING = "context-signing"
Entries = list[dict[str, str]]


def load_ring(settings: Settings) -> KeyRing:
    """Opens the ring; in development it is made on first start, in production its absence is an error."""
    if not settings.ring_file.exists():
        if settings.env is Environment.PRODUCTION:
            raise Unreadable(f"no key ring at {settings.ring_file}: restore it, or make one with `careloop keys init`")
        make_ring(settings, [])
    master = _master(settings)
    keys = [_unwrap(entry, master) for entry in _entries(settings)]
    signing = next((key.secret for key in keys if key.owner == SIGNING), None)
    if signing is None:
        raise Unreadable(f"the key ring {settings.ring_file} has no key that signs contexts: restore it")
    return KeyRing([key for key in keys if key.owner != SIGNING], signing)


def make_ring(settings: Settings, tenants: list[str]) -> None:
    """A new ring with the platform's keys and one for each tenant; refuses to replace one that is there.

    In development the master key is made with it; in production it must be there already.
    """
    with _locked(settings):
        if settings.ring_file.exists():
            raise FileExistsError(f"{settings.ring_file} is there already")
        if not settings.master_file.exists() and settings.env is Environment.DEVELOPMENT:
            _write(settings.master_file, base64.b64encode(os.urandom(SECRET)).decode())
        master = _master(settings)
        _store(settings, [_wrap(_new_key(owner), master) for owner in (SIGNING, PLATFORM, *tenants)])


def add_key(settings: Settings, owner: str) -> None:
    """A new current key for an owner; earlier ones stay and still open what they sealed."""
    with _locked(settings):
        _store(settings, [*_entries(settings), _wrap(_new_key(owner), _master(settings))])


def has_key(settings: Settings, owner: str) -> bool:
    """Whether the ring's file names this owner."""
    return any(entry["owner"] == owner for entry in _entries(settings))


def _new_key(owner: str) -> Key:
    return Key(os.urandom(KEY_ID), owner, os.urandom(SECRET))


def _entries(settings: Settings) -> Entries:
    try:
        entries: Entries = json.loads(settings.ring_file.read_text())["keys"]
    except (ValueError, KeyError, TypeError):
        raise Unreadable(f"{settings.ring_file} is not a key ring: restore it") from None
    return entries


def _store(settings: Settings, entries: Entries) -> None:
    _write(settings.ring_file, json.dumps({"keys": entries}, indent=1))


def _master(settings: Settings) -> bytes:
    if not settings.master_file.exists():
        raise Unreadable(f"no master key at {settings.master_file}: without it the key ring cannot be opened")
    try:
        master = base64.b64decode(settings.master_file.read_text().strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        master = b""
    if len(master) != SECRET:
        raise Unreadable(f"{settings.master_file} is not a master key: it holds {SECRET} bytes as base64")
    return master


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


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """Two that add a key at once: one waits, and neither key is lost."""
    folder = settings.ring_file.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, words: str) -> None:
    """Whole or not at all, on the disk when it returns, readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(words)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
