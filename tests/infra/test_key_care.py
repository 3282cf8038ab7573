"""Keys are exported and come back, are given successors, and are deleted by two people only, after a month."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from activities.records.ring import Unreadable
from activities.records.sessions import StoreRefused
from activities.records.tenant import Tenant
from infra import escrow, key_deletion
from infra.bootstrap import build
from infra.cli.main import assemble
from infra.keys import add_key, has_key, listing, load_ring, make_ring, next_master, rewrap
from infra.refusal import Refused
from infra.settings import Environment, Settings
from infra.supervisor.store_urls import libpq
from tests import make
from tests.own_home import own_home
from tests.postgres import Cluster

WORDS, PASSPHRASE = b"Terrence Vailgood", "five words in a safe"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    make_ring(made, ["larkmoor"])
    return made


def test_an_export_brings_every_key_back_in_another_home_under_another_master_key(
    settings: Settings, tmp_path: Path
) -> None:
    before = load_ring(settings).seal("larkmoor", WORDS, "p")
    add_key(settings, "larkmoor")
    ring = load_ring(settings)
    after, digest = ring.seal("larkmoor", WORDS, "p"), ring.digest("larkmoor", "ssn", WORDS)
    said = escrow.export(settings, tmp_path / "escrow.json", PASSPHRASE)
    assert said == escrow.fingerprint(tmp_path / "escrow.json")
    assert (tmp_path / "escrow.json").stat().st_mode & 0o777 == 0o600
    elsewhere = Settings(home=tmp_path / "elsewhere")
    assert escrow.restore(elsewhere, tmp_path / "escrow.json", PASSPHRASE) == 4
    assert elsewhere.master_file.read_text() != settings.master_file.read_text()
    back = load_ring(elsewhere)
    assert back.signing == ring.signing
    assert back.open(before, "p") == back.open(after, "p") == WORDS
    assert back.seal("larkmoor", WORDS, "p")[:8] == after[:8]
    assert back.digest("larkmoor", "ssn", WORDS) == digest


def test_an_export_opens_with_its_passphrase_only_and_holds_no_key_in_plain(settings: Settings, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "escrow.json", Settings(home=tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="has 5 characters"):
        escrow.export(settings, file, "short")
    escrow.export(settings, file, PASSPHRASE)
    with pytest.raises(FileExistsError, match="name a new file"):
        escrow.export(settings, file, PASSPHRASE)
    assert load_ring(settings).signing.hex() not in file.read_text()
    with pytest.raises(Unreadable, match="the passphrase does not open this file"):
        escrow.restore(elsewhere, file, PASSPHRASE + "!")
    assert not elsewhere.ring_file.exists()
    with pytest.raises(FileExistsError, match="is there already"):
        escrow.restore(settings, file, PASSPHRASE)
    changed = json.loads(file.read_text())
    file.write_text(json.dumps({**changed, "salt": changed["nonce"]}))
    with pytest.raises(Unreadable, match="or the file was changed"):
        escrow.restore(elsewhere, file, PASSPHRASE)
    for content in ("", "[]", "{}"):
        file.write_text(content)
        with pytest.raises(Unreadable, match="is not an escrow file"):
            escrow.restore(elsewhere, file, PASSPHRASE)


def test_a_new_master_key_makes_old_copies_of_the_ring_worthless(settings: Settings) -> None:
    sealed, copy = load_ring(settings).seal("larkmoor", WORDS, "p"), settings.ring_file.read_text()
    old, made = settings.master_file.read_text(), [one.made_at for one in listing(settings)]
    rewrap(settings)
    assert settings.master_file.read_text() != old
    assert load_ring(settings).open(sealed, "p") == WORDS
    assert [one.made_at for one in listing(settings)] == made
    assert not next_master(settings).exists()
    settings.ring_file.write_text(copy)
    with pytest.raises(Unreadable, match="the master key does not open the key ring"):
        load_ring(settings)


def test_a_rotation_that_was_cut_short_is_finished_by_whoever_opens_the_ring(settings: Settings) -> None:
    old = settings.master_file.read_text()
    rewrap(settings)
    new = settings.master_file.read_text()
    next_master(settings).write_text(new)
    settings.master_file.write_text(old)
    assert load_ring(settings).owners() == ["*", "larkmoor"]
    assert settings.master_file.read_text() == new
    # One that was left behind is no new key: the next rotation makes its own.
    next_master(settings).write_text(old)
    rewrap(settings)
    assert settings.master_file.read_text() not in (old, new)
    assert load_ring(settings).owners() == ["*", "larkmoor"]


def test_a_master_key_in_a_file_of_its_own_leaves_the_old_one_to_the_operator(
    settings: Settings, tmp_path: Path
) -> None:
    old = settings.master_file.read_text()
    rewrap(settings, tmp_path / "fresh.key")
    assert settings.master_file.read_text() == old
    moved = settings.model_copy(update={"master_key_file": tmp_path / "fresh.key"})
    assert load_ring(moved).owners() == ["*", "larkmoor"]


def test_deleting_keys_takes_two_people_and_thirty_days(settings: Settings) -> None:
    sealed = load_ring(settings).seal("larkmoor", WORDS, "p")
    key_deletion.ask(settings, "larkmoor", "a@x.example", "contract ended", NOW)
    for email, at, words in (
        ("A@x.example", NOW + timedelta(days=31), "somebody else has to confirm"),
        ("b@x.example", NOW + timedelta(days=29, hours=23), "confirm on 2026-12-23 or later"),
    ):
        with pytest.raises(Refused, match=words):
            key_deletion.confirm(settings, "larkmoor", email, at)
    assert has_key(settings, "larkmoor")
    assert key_deletion.confirm(settings, "larkmoor", "b@x.example", NOW + timedelta(days=30)) == 1
    assert not has_key(settings, "larkmoor")
    assert key_deletion.requests(settings) == []
    with pytest.raises(Unreadable, match="not in the ring"):
        load_ring(settings).open(sealed, "p")


def test_what_was_asked_for_can_be_taken_back_and_is_asked_for_once(settings: Settings) -> None:
    key_deletion.ask(settings, "larkmoor", "a@x.example", "why", NOW)
    with pytest.raises(Refused, match="asked for this already"):
        key_deletion.ask(settings, "larkmoor", "b@x.example", "why", NOW)
    assert key_deletion.take_back(settings, "larkmoor")
    with pytest.raises(Refused, match="Nobody has asked"):
        key_deletion.confirm(settings, "larkmoor", "b@x.example", NOW + timedelta(days=40))
    for owner, words in (("*", "belong to the whole platform"), ("nowhere", "has no key of nowhere")):
        with pytest.raises(Refused, match=words):
            key_deletion.ask(settings, owner, "a@x.example", "why", NOW)


def test_only_somebody_with_an_active_account_and_the_role_takes_part_and_a_new_signing_key_reaches_the_store(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_home(cluster, tmp_path) as parts:
        make.clinics(parts)
        make.account(parts, "ida", "it")
        make.account(parts, "nora", "nurse")
        make.account(parts, "gone", "it", active=False)
        assert key_deletion.person(parts.sessions, "IDA@larkmoor.example") == "ida@larkmoor.example"
        for name, words in (("nora", "one of the roles it"), ("gone", "Nobody with the address")):
            with pytest.raises(Refused, match=words):
                key_deletion.person(parts.sessions, f"{name}@larkmoor.example")
        for name in ("home", "database_url", "owner_url"):
            monkeypatch.setenv(f"CARELOOP_{name.upper()}", str(getattr(parts.settings, name)))
        run = CliRunner()
        asked = ("keys", "delete", "--owner", "larkmoor", "--by", "ida@larkmoor.example", "--reason", "contract ended")
        assert "Somebody else may confirm from" in run.invoke(assemble(), asked).output
        early = run.invoke(assemble(), [*asked[:-2], "--confirm"])
        assert (early.exit_code, "somebody else has to confirm" in early.output) == (1, True)
        done = run.invoke(assemble(), ["keys", "rotate", "--signing"])
        assert "A new key signs contexts" in done.output, done.output
        with pytest.raises(StoreRefused, match="does not accept this process's signature"), parts.sessions.platform():
            pass
        again = build(parts.settings, 1)
        with again.sessions.platform() as session:
            assert session.scalars(select(Tenant.id).order_by(Tenant.id)).all() == ["heronfield", "larkmoor"]
        again.sessions.engine.dispose()
        with psycopg.connect(libpq(parts.settings.admin_url)) as connection:
            assert connection.execute("select count(*) from app.signing_key").fetchone() == (1,)


def test_the_commands_make_list_export_and_bring_back(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, home = CliRunner(), ["--home", str(settings.home)]
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    secret = ["--passphrase-file", str(tmp_path / "passphrase")]
    assert "larkmoor" in run.invoke(assemble(), ["keys", "list", *home]).output
    assert run.invoke(assemble(), ["keys", "export", str(tmp_path / "e.json"), *secret, *home]).exit_code == 0
    settings.ring_file.unlink()
    back = run.invoke(assemble(), ["keys", "import", str(tmp_path / "e.json"), *secret, *home])
    assert "holds 3 keys again" in back.output
    again = run.invoke(assemble(), ["keys", "init", *home])
    assert (again.exit_code, "is there already" in again.output) == (1, True)
    assert "say which key" in run.invoke(assemble(), ["keys", "rotate", *home]).output
    assert "has no key of nowhere" in run.invoke(assemble(), ["keys", "rotate", "--owner", "nowhere", *home]).output
    assert "seals in every process" in run.invoke(assemble(), ["keys", "rotate", "--owner", "larkmoor", *home]).output
    monkeypatch.setenv("CARELOOP_ENV", Environment.PRODUCTION)
    lacking = run.invoke(assemble(), ["keys", "init", "--home", str(tmp_path / "new")])
    assert (lacking.exit_code, "CARELOOP_MASTER_KEY_FILE" in lacking.output) == (1, True)
