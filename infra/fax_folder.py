"""Faxes and scans that a fax server or a scanner drops into a folder: received once, then moved aside by their hash.

A program that drops a file writes it under a name that begins with a dot or ends in `.part` or `.tmp`, and renames it
when it is whole. A number of ten digits in its name is taken as the fax number it came from.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import structlog

from activities.formats.scan import MAX_BYTES
from activities.records.document_inbox import Incoming, Received, receive_file
from activities.records.document_reference import Source
from activities.records.sessions import Context
from infra.bootstrap import Parts
from infra.settings import Settings

log = structlog.get_logger(__name__)
DONE, REFUSED = "done", "refused"
UNFINISHED = (".part", ".tmp")
NUMBER = re.compile(r"(?<!\d)1?(\d{10})(?!\d)")
MOST = 100


@dataclass(frozen=True)
class Imported:
    """How many files were new, were known already, and could not be read (they are in the inbox all the same)."""

    new: int = 0
    known: int = 0
    unreadable: int = 0

    @property
    def total(self) -> int:
        return self.new + self.known + self.unreadable


def drop_folder(settings: Settings, tenant: str) -> Path:
    """Where the faxes of a clinic are dropped; made, for its owner only, when it is not there."""
    folder = settings.home / "faxes" / tenant
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def take_faxes(parts: Parts, context: Context) -> int:
    """One round of the sweeper for one clinic: how many files were taken out of its drop folder."""
    taken = import_folder(parts, context, drop_folder(parts.settings, context.tenant), Source.FAX)
    if taken.total:
        log.info("faxes taken", tenant=context.tenant, **vars(taken))
    return taken.total


def import_folder(parts: Parts, context: Context, folder: Path, source: Source) -> Imported:
    """Receives up to 100 whole files of a folder, the oldest first.

    A file is moved to `done/` (or `refused/` when it cannot be read) only after its row is committed; killed in
    between, the same bytes are recognised the next time.
    """
    counts = {"new": 0, "known": 0, "unreadable": 0}
    for path in _whole_files(folder)[:MOST]:
        try:
            received = _take(parts, context, folder, path, source)
        except OSError as error:  # one that may not be read or moved must not keep back the others
            log.warning("fax not taken", tenant=context.tenant, cause=type(error).__name__)
            continue
        counts["unreadable" if received.problem else "known" if received.known else "new"] += 1
    return Imported(**counts)


def sender_number(name: str) -> str:
    """The last number of ten digits (or eleven with the 1) in a file's name; empty when there is none."""
    found = NUMBER.findall(Path(name).stem)
    return found[-1] if found else ""


def _whole_files(folder: Path) -> list[Path]:
    """Ordinary files that nobody is still writing, by when they came; a link could lead anywhere and is left."""
    files = [
        path
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        if path.suffix.lower() not in UNFINISHED
    ]
    return sorted(files, key=lambda path: (path.stat().st_mtime, path.name))


def _take(parts: Parts, context: Context, folder: Path, path: Path, source: Source) -> Received:
    with path.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    received = _receive(parts, context, path, source, data)
    _put_aside(path, folder / (REFUSED if received.problem else DONE), data)
    return received


def _receive(parts: Parts, context: Context, path: Path, source: Source, data: bytes) -> Received:
    came = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    incoming = Incoming(source, min(came, datetime.now(UTC)), sender_number(path.name), path.name[-120:])
    with parts.sessions.begin(context) as session:
        return receive_file(session, parts.ring, context, incoming, data)


def _put_aside(path: Path, folder: Path, data: bytes) -> None:
    """Its name may hold a person's; the hash does not."""
    folder.mkdir(exist_ok=True, mode=0o700)
    aside = folder / f"{sha256(data).hexdigest()}{path.suffix.lower()}"
    path.replace(aside)
    aside.chmod(0o600)
