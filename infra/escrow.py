"""All keys in one file that a passphrase opens, for a safe elsewhere: the way back when ring or master key is lost."""

import base64
import json
import os
from hashlib import scrypt, sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.records.ring import NONCE, Key, Unreadable
from infra.keys import open_keys, store_ring, write_secret
from infra.settings import Settings

SALT, SHORTEST = 16, 14
# About 128 MB and half a second for one guess (RFC 7914).
COST = {"n": 2**17, "r": 8, "p": 1}
MEMORY = 256 * 2**20
KIND = "careloop key escrow 1"


def export(settings: Settings, file: Path, passphrase: str) -> str:
    """Writes the keys sealed; gives the file's fingerprint. Refuses a short passphrase and a file that is there."""
    if len(passphrase) < SHORTEST:
        raise ValueError(f"the passphrase has {len(passphrase)} characters; take {SHORTEST} or more, or five words")
    if file.exists():
        raise FileExistsError(f"{file} is there already; name a new file")
    keys = [{"id": key.id.hex(), "owner": key.owner, "secret": key.secret.hex()} for key in open_keys(settings)]
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    sealed = AESGCM(_derived(passphrase, salt)).encrypt(nonce, json.dumps(keys).encode(), KIND.encode())
    whole = {"kind": KIND, "scrypt": COST, "salt": _text(salt), "nonce": _text(nonce), "sealed": _text(sealed)}
    write_secret(file, json.dumps(whole, indent=1) + "\n")
    return fingerprint(file)


def restore(settings: Settings, file: Path, passphrase: str) -> int:
    """Makes the ring from an export, wrapped by the master key there is; gives how many keys. Never replaces a ring."""
    keys = _opened(file, passphrase)
    store_ring(settings, keys)
    return len(keys)


def fingerprint(file: Path) -> str:
    """SHA-256 of the file in groups of four, to be written down beside it."""
    digest = sha256(file.read_bytes()).hexdigest()
    return " ".join(digest[at : at + 4] for at in range(0, 64, 4))


def _opened(file: Path, passphrase: str) -> list[Key]:
    try:
        whole = json.loads(file.read_text())
        kind, salt, nonce, sealed = whole["kind"], *(_bytes(whole[name]) for name in ("salt", "nonce", "sealed"))
    except (ValueError, KeyError, TypeError):
        raise Unreadable(f"{file} is not an escrow file") from None
    if kind != KIND or whole.get("scrypt") != COST:
        raise Unreadable(f"{file} was written by another release of Careloop ({kind})")
    try:
        plain = AESGCM(_derived(passphrase, salt)).decrypt(nonce, sealed, KIND.encode())
    except InvalidTag:
        raise Unreadable("the passphrase does not open this file, or the file was changed") from None
    return [Key(bytes.fromhex(one["id"]), one["owner"], bytes.fromhex(one["secret"])) for one in json.loads(plain)]


def _derived(passphrase: str, salt: bytes) -> bytes:
    return scrypt(passphrase.encode(), salt=salt, maxmem=MEMORY, dklen=32, **COST)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)
