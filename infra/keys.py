"""The key ring's file: keys wrapped by a master key that lies elsewhere. Losing either is losing the clinic."""

import base64
import binascii
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.records.ring import KEY_ID, NONCE, PLATFORM, Key, KeyRing, Unreadable
from infra.settings import Environment, Settings

SECRET = 32
SIGNING = "context-signing"
Entries = list[dict[str, str]]


@dataclass(frozen=True)
class Listed:
    """One line of `careloop keys list`: never the key itself."""

    owner: str
    id: str
    made_at: str
    current: bool


def load_ring(settings: Settings) -> KeyRing:
    """Opens the ring; in development it is made on first start, in production its absence is an error.

    What is given reads the file again when it meets a key that it does not know and the file has changed.
    """
    if not settings.ring_file.exists():
        if settings.env is Environment.PRODUCTION:
            raise Unreadable(f"no key ring at {settings.ring_file}: restore it, or make one with `careloop keys init`")
        make_ring(settings, [])
    again = _renewal(settings)
    keys = open_keys(settings)
    signing = next((key.secret for key in reversed(keys) if key.owner == SIGNING), None)
    if signing is None:
        raise Unreadable(f"the key ring {settings.ring_file} has no key that signs contexts: restore it")
    return KeyRing(_sealing(keys), signing, again)


def open_keys(settings: Settings) -> list[Key]:
    """Every key of the ring's file, the oldest first; the newest of those that sign contexts is in use."""
    master = read_master(settings)
    try:
        return [_unwrap(entry, master) for entry in _entries(settings)]
    except Unreadable:
        # A rotation of the master key was cut short after the ring had been written.
        if not next_master(settings).exists():
            raise
        keys = [_unwrap(entry, _read(next_master(settings))) for entry in _entries(settings)]
        next_master(settings).replace(settings.master_file)
        return keys


def make_ring(settings: Settings, tenants: list[str]) -> None:
    """A new ring with the platform's keys and one for each tenant; refuses to replace one that is there.

    In development the master key is made with it and the ring is marked; in production it must be there already.
    """
    store_ring(settings, [new_key(owner) for owner in (SIGNING, PLATFORM, *tenants)])


def store_ring(settings: Settings, keys: Sequence[Key]) -> None:
    """A ring of these keys, as `make_ring` makes one."""
    with _locked(settings):
        if settings.ring_file.exists():
            raise FileExistsError(f"{settings.ring_file} is there already")
        development = settings.env is Environment.DEVELOPMENT
        if not settings.master_file.exists() and development:
            write_secret(settings.master_file, new_master())
        master = read_master(settings)
        _store(settings, [_wrap(key, master) for key in keys], {"made_for": settings.env.value})


def add_key(settings: Settings, owner: str) -> None:
    """A new current key for an owner; earlier ones stay and still open what they sealed."""
    with _locked(settings):
        _store(settings, [*_entries(settings), _wrap(new_key(owner), read_master(settings))])


def remove_keys(settings: Settings, owner: str) -> int:
    """Takes every key of an owner out of the ring; gives how many. What they sealed can never be read again."""
    with _locked(settings):
        entries = _entries(settings)
        kept = [entry for entry in entries if entry["owner"] != owner]
        if len(kept) < len(entries):
            _store(settings, kept)
        return len(entries) - len(kept)


def rewrap(settings: Settings, into: Path | None = None) -> None:
    """Wraps the ring with a new master key, so that copies of it under the old one are worth nothing without that.

    The new one takes the old one's place; with `into` it is that file, which is made if it is missing, and the old one
    stays for the operator to destroy. Cut short at any point, the ring opens.
    """
    place = into or next_master(settings)
    if place == settings.master_file:
        raise ValueError(f"{place} is the master key there is: name another file")
    with _locked(settings):
        open_keys(settings)
        entries, old = _entries(settings), read_master(settings)
        if into is None or not place.exists():
            write_secret(place, new_master())
        fresh = _read(place)
        made = {entry["id"]: entry.get("made_at", "") for entry in entries}
        wrapped = [_wrap(_unwrap(entry, old), fresh) for entry in entries]
        _store(settings, [{**entry, "made_at": made[entry["id"]]} for entry in wrapped])
        if into is None:
            place.replace(settings.master_file)


def has_key(settings: Settings, owner: str) -> bool:
    """Whether the ring's file names this owner."""
    return any(entry["owner"] == owner for entry in _entries(settings))


def listing(settings: Settings) -> list[Listed]:
    """The ring without its secrets, the oldest key first."""
    entries = _entries(settings)
    current = {entry["owner"]: entry["id"] for entry in entries}
    return [
        Listed(one["owner"], one["id"], one.get("made_at", ""), current[one["owner"]] == one["id"]) for one in entries
    ]


def made_for_development(settings: Settings) -> bool:
    """Whether the ring was made by a start in development; its master key lay beside it."""
    return bool(_whole(settings).get("made_for") == Environment.DEVELOPMENT)


def next_master(settings: Settings) -> Path:
    """Where a new master key waits while the ring is wrapped with it."""
    return settings.master_file.with_name(f"{settings.master_file.name}.next")


def new_key(owner: str) -> Key:
    return Key(os.urandom(KEY_ID), owner, os.urandom(SECRET))


def new_master() -> str:
    """A master key as its file holds it."""
    return base64.b64encode(os.urandom(SECRET)).decode()


def read_master(settings: Settings) -> bytes:
    if not settings.master_file.exists():
        raise Unreadable(f"no master key at {settings.master_file}: without it the key ring cannot be opened")
    return _read(settings.master_file)


def _renewal(settings: Settings) -> Callable[[], Sequence[Key] | None]:
    """The keys once more, when the file is another one than at the last look."""

    def look() -> tuple[int, int]:
        now = settings.ring_file.stat()
        return now.st_ino, now.st_mtime_ns

    seen = look()

    def again() -> Sequence[Key] | None:
        nonlocal seen
        if not settings.ring_file.exists() or look() == seen:
            return None
        seen = look()
        return _sealing(open_keys(settings))

    return again


def _sealing(keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if key.owner != SIGNING]


def _whole(settings: Settings) -> dict[str, object]:
    try:
        whole: dict[str, object] = json.loads(settings.ring_file.read_text())
        _ = whole["keys"]
    except (ValueError, KeyError, TypeError):
        raise Unreadable(f"{settings.ring_file} is not a key ring: restore it") from None
    return whole


def _entries(settings: Settings) -> Entries:
    entries: Entries = _whole(settings)["keys"]  # type: ignore[assignment]  # as `_store` wrote it
    return entries


def _store(settings: Settings, entries: Entries, marks: dict[str, object] | None = None) -> None:
    kept = marks if marks is not None else _whole(settings)
    write_secret(settings.ring_file, json.dumps({**kept, "keys": entries}, indent=1))


def _read(file: Path) -> bytes:
    try:
        master = base64.b64decode(file.read_text().strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        master = b""
    if len(master) != SECRET:
        raise Unreadable(f"{file} is not a master key: it holds {SECRET} bytes as base64")
    return master


def _wrap(key: Key, master: bytes) -> dict[str, str]:
    nonce = os.urandom(NONCE)
    wrapped = nonce + AESGCM(master).encrypt(nonce, key.secret, key.id + key.owner.encode())
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "id": key.id.hex(),
        "owner": key.owner,
        "wrapped": base64.b64encode(wrapped).decode(),
        "made_at": made_at,
    }


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


def write_secret(path: Path, words: str) -> None:
    """Whole or not at all, on the disk when it returns, readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.new") if path.suffix == ".next" else path.with_suffix(".new")
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
