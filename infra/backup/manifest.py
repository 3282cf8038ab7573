"""What a backup says of itself: when, of which release, how many rows, and where the audit stood."""

import json
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from infra.refusal import Refused

FORMAT = "careloop backup 1"
STORE, RING, MANIFEST = "store.dump", "ring.json", "manifest.json"


@dataclass(frozen=True)
class Anchor:
    """The newest seal of a clinic's audit: its number and digest (hexadecimal)."""

    n: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    """`migration` is the newest in the store, `files` SHA-256 by name, `counts` rows by table, `anchors` by clinic."""

    made_at: str
    migration: str
    postgres: str
    segment: int
    counts: dict[str, int]
    anchors: dict[str, Anchor]
    files: dict[str, str]
    format: str = FORMAT


def write(folder: Path, manifest: Manifest) -> None:
    """Last of all: a folder without it is no backup."""
    _write(folder / MANIFEST, json.dumps(asdict(manifest), indent=1).encode() + b"\n")
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(folder: Path) -> Manifest:
    """Raises Refused where the folder is no backup, or a file of it was changed."""
    try:
        whole = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise Refused(f"{folder} is no backup, or one that was cut short: it has no {MANIFEST}.") from None
    except ValueError:
        raise Refused(f"{folder / MANIFEST} cannot be read: take another backup.") from None
    if whole.get("format") != FORMAT:
        raise Refused(f"{folder} was made by another release ({whole.get('format', 'unnamed')}).")
    anchors = {tenant: Anchor(**one) for tenant, one in whole["anchors"].items()}
    manifest = Manifest(**{**whole, "anchors": anchors})
    for name, digest in manifest.files.items():
        if not (folder / name).exists():
            raise Refused(f"{folder / name} is missing: take another backup.")
        if hash_of(folder / name) != digest:
            raise Refused(f"{folder / name} is not as it was written: take another backup.")
    return manifest


def hash_of(file: Path) -> str:
    digest = sha256()
    with file.open("rb") as content:
        while block := content.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def keep(file: Path, content: bytes) -> None:
    """A new file, readable by us alone."""
    _write(file, content)


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
