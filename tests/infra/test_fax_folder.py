"""A fax server's folder: each file is received once, whoever dies in between."""

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from activities.records.document_inbox import DocumentInbox, Ledger, ledger
from activities.records.document_reference import Source
from infra.bootstrap import Parts
from infra.cli.document import app
from infra.fax_folder import Imported, drop_folder, import_folder, sender_number, take_faxes
from tests import make
from tests.scans import fax, scanned

CAME = datetime(2026, 11, 23, 14, 42, tzinfo=UTC)


class Folder:
    def __init__(self, parts: Parts, path: Path) -> None:
        self.parts, self.path = parts, path
        make.clinics(parts)

    def drop(self, name: str, data: bytes) -> Path:
        path = self.path / name
        path.write_bytes(data)
        os.utime(path, (CAME.timestamp(), CAME.timestamp()))
        return path

    def take(self) -> Imported:
        return import_folder(self.parts, make.LARKMOOR, self.path, Source.FAX)

    def inbox(self) -> list[DocumentInbox]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(session.scalars(select(DocumentInbox).order_by(DocumentInbox.id)))

    def ledger(self) -> Ledger:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return ledger(session)


@pytest.fixture
def folder(parts: Parts, tmp_path: Path) -> Folder:
    return Folder(parts, tmp_path)


def test_a_dropped_fax_is_received_with_its_sender_and_moved_aside_by_its_hash(folder: Folder) -> None:
    folder.drop("20261123-074200_12085550190_Achterbeek.tif", fax(2))
    assert folder.take() == Imported(new=1)
    (row,) = folder.inbox()
    assert (row.received_from, row.received_at, row.pages) == ("2085550190", CAME, 2)
    aside = folder.path / "done" / f"{sha256(fax(2)).hexdigest()}.tif"
    assert [path for path in folder.path.rglob("*") if path.is_file()] == [aside]
    assert aside.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_still_written_is_left_alone(folder: Folder) -> None:
    for name in (".hidden.tif", "fax.tif.part", "fax.tmp"):
        folder.drop(name, fax(1))
    (folder.path / "link.tif").symlink_to("/etc/passwd")
    assert folder.take() == Imported()
    assert folder.inbox() == []


def test_the_same_bytes_again_are_not_received_twice(folder: Folder) -> None:
    folder.drop("a.tif", fax(1))
    folder.take()
    folder.drop("b.tif", fax(1))
    assert folder.take() == Imported(known=1)
    assert folder.ledger() == Ledger(1, 0, 1, 0)


def test_a_crash_after_the_row_and_before_the_move_changes_nothing(folder: Folder) -> None:
    folder.drop("a.tif", fax(1))
    folder.take()
    (folder.path / "done" / f"{sha256(fax(1)).hexdigest()}.tif").rename(folder.path / "a.tif")
    assert folder.take() == Imported(known=1)
    assert folder.ledger() == Ledger(1, 0, 1, 0)


def test_a_file_that_cannot_be_read_waits_for_a_person_and_holds_up_no_other(folder: Folder) -> None:
    folder.drop("a.docx", b"PK\x03\x04 a letter")
    folder.drop("b.pdf", scanned(1))
    assert folder.take() == Imported(new=1, unreadable=1)
    assert "Save it as PDF" in folder.inbox()[0].problem
    assert (folder.path / "refused" / f"{sha256(b'PK' + bytes([3, 4]) + b' a letter').hexdigest()}.docx").exists()


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("20261123-074200_12085550190.tif", "2085550190"),
        ("+1 2085550190 job 20261123074200.pdf", "2085550190"),
        ("from 2085550101 to 2085550109.tif", "2085550109"),
        ("scan0001.pdf", ""),
        ("20261123074200.pdf", ""),
    ],
)
def test_the_sender_s_number_is_read_from_the_name(name: str, number: str) -> None:
    assert sender_number(name) == number


def test_the_sweeper_takes_each_clinic_s_own_folder(folder: Folder) -> None:
    place = drop_folder(folder.parts.settings, "larkmoor")
    drop_folder(folder.parts.settings, "heronfield").joinpath("theirs.tif").write_bytes(fax(1, "Theirs"))
    (place / "ours.tif").write_bytes(fax(1, "Ours"))
    assert take_faxes(folder.parts, make.LARKMOOR) == 1
    assert len(folder.inbox()) == 1
    assert take_faxes(folder.parts, make.LARKMOOR) == 0


def test_the_command_takes_a_folder_into_the_inbox_of_the_clinic_it_names(folder: Folder) -> None:
    folder.drop("a.tif", fax(1))
    settings = folder.parts.settings
    environment = {"CARELOOP_HOME": str(settings.home), "CARELOOP_DATABASE_URL": settings.database_url}
    run = CliRunner(env=environment)
    unknown = run.invoke(app, ["import", str(folder.path), "--tenant", "nowhere"])
    assert unknown.exit_code == 1
    taken = run.invoke(app, ["import", str(folder.path), "--tenant", "larkmoor"])
    assert taken.output == "1 new, 0 known already, 0 could not be read.\n"
    assert len(folder.inbox()) == 1
