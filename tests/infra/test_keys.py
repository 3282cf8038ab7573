"""The key ring's file: what opens it, what does not, and that no key is ever lost."""

import base64
import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from activities.records.ring import PLATFORM, Unreadable
from infra.keys import SIGNING, add_key, has_key, load_ring, make_ring
from infra.settings import Environment, Settings

WORDS = b"Terrence Vailgood"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_what_one_process_seals_another_opens(settings: Settings) -> None:
    make_ring(settings, ["larkmoor"])
    sealed = load_ring(settings).seal("larkmoor", WORDS, "patient:1")
    assert WORDS not in sealed
    assert load_ring(settings).open(sealed, "patient:1") == WORDS


def test_the_file_holds_no_key_in_plain(settings: Settings) -> None:
    make_ring(settings, ["larkmoor"])
    text = settings.ring_file.read_text()
    ring = load_ring(settings)
    assert base64.b64encode(ring.signing).decode() not in text
    assert ring.signing.hex() not in text
    assert base64.b64decode(settings.master_file.read_text()).hex() not in text


def test_a_new_ring_has_the_platforms_keys_and_each_clinics(settings: Settings) -> None:
    make_ring(settings, ["larkmoor", "heronfield"])
    assert load_ring(settings).owners() == [PLATFORM, "heronfield", "larkmoor"]
    assert has_key(settings, SIGNING)
    assert not has_key(settings, "elsewhere")
    assert len(load_ring(settings).signing) == 32


def test_both_files_are_ours_alone(settings: Settings) -> None:
    before = os.umask(0)
    try:
        make_ring(settings, ["larkmoor"])
        add_key(settings, "larkmoor")
    finally:
        os.umask(before)
    for file in (settings.ring_file, settings.master_file):
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert settings.ring_file.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in settings.ring_file.parent.iterdir()) == ["master.key", "ring.json"]


def test_a_draft_left_by_a_crash_gives_its_rights_to_nothing(settings: Settings) -> None:
    make_ring(settings, [])
    draft = settings.ring_file.with_suffix(".new")
    draft.write_text("half of a ring")
    draft.chmod(0o644)
    add_key(settings, "larkmoor")
    assert settings.ring_file.stat().st_mode & 0o777 == 0o600
    assert load_ring(settings).owners() == [PLATFORM, "larkmoor"]


def test_a_new_key_seals_and_the_earlier_one_still_opens(settings: Settings) -> None:
    make_ring(settings, ["larkmoor"])
    old = load_ring(settings)
    sealed_before, digest = old.seal("larkmoor", WORDS, "p"), old.digest("larkmoor", "ssn", WORDS)
    add_key(settings, "larkmoor")
    new = load_ring(settings)
    sealed_after = new.seal("larkmoor", WORDS, "p")
    assert sealed_after[:8] != sealed_before[:8]
    assert new.open(sealed_before, "p") == new.open(sealed_after, "p") == WORDS
    assert new.digest("larkmoor", "ssn", WORDS) == digest


def test_a_running_process_opens_what_a_key_made_later_sealed(settings: Settings) -> None:
    make_ring(settings, ["larkmoor"])
    running = load_ring(settings)
    add_key(settings, "larkmoor")
    add_key(settings, "heronfield")
    later = load_ring(settings)
    assert running.open(later.seal("larkmoor", WORDS, "p"), "p", "larkmoor") == WORDS
    assert running.owner_of(later.seal("heronfield", WORDS, "p")) == "heronfield"
    with pytest.raises(Unreadable, match="not in the ring"):
        running.open(b"\x00" * 60, "p")


def _add(place: tuple[str, str]) -> None:
    add_key(Settings(home=Path(place[0])), place[1])


def test_keys_added_by_several_processes_at_once_are_all_there(settings: Settings) -> None:
    make_ring(settings, [])
    owners = [f"clinic-{n}" for n in range(12)]
    with ProcessPoolExecutor(4, get_context("fork")) as pool:
        list(pool.map(_add, [(str(settings.home), owner) for owner in owners]))
    assert load_ring(settings).owners() == sorted([PLATFORM, *owners])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (base64.b64encode(b"\x01" * 32).decode(), "the master key does not open the key ring"),
        (base64.b64encode(b"short").decode(), "is not a master key: it holds 32 bytes as base64"),
        ("not base64 at all!", "is not a master key"),
        ("", "is not a master key"),
        (None, "no master key at"),
    ],
)
def test_a_wrong_master_key_is_told_in_plain_words(settings: Settings, content: str | None, words: str) -> None:
    make_ring(settings, ["larkmoor"])
    settings.master_file.unlink()
    if content is not None:
        settings.master_file.write_text(content)
    with pytest.raises(Unreadable, match=words):
        load_ring(settings)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": 3', "null"])
def test_a_damaged_ring_is_told_in_plain_words(settings: Settings, content: str) -> None:
    make_ring(settings, [])
    settings.ring_file.write_text(content)
    with pytest.raises(Unreadable, match="is not a key ring: restore it"):
        load_ring(settings)


def test_a_key_moved_to_another_owner_does_not_open(settings: Settings) -> None:
    make_ring(settings, ["larkmoor", "heronfield"])
    ring = json.loads(settings.ring_file.read_text())
    next(entry for entry in ring["keys"] if entry["owner"] == "larkmoor")["owner"] = "heronfield"
    settings.ring_file.write_text(json.dumps(ring))
    with pytest.raises(Unreadable, match="does not open"):
        load_ring(settings)


def test_a_ring_without_its_signing_key_is_told(settings: Settings) -> None:
    make_ring(settings, [])
    ring = json.loads(settings.ring_file.read_text())
    ring["keys"] = [entry for entry in ring["keys"] if entry["owner"] != SIGNING]
    settings.ring_file.write_text(json.dumps(ring))
    with pytest.raises(Unreadable, match="no key that signs contexts"):
        load_ring(settings)


def test_a_ring_that_is_there_is_never_replaced(settings: Settings) -> None:
    make_ring(settings, ["larkmoor"])
    before = settings.ring_file.read_bytes()
    with pytest.raises(FileExistsError, match="there already"):
        make_ring(settings, [])
    assert settings.ring_file.read_bytes() == before


def test_development_makes_a_ring_on_first_start(settings: Settings) -> None:
    assert load_ring(settings).signing == load_ring(settings).signing


def test_production_never_makes_a_ring_or_a_master_key_by_itself(tmp_path: Path) -> None:
    production = Settings(home=tmp_path / "home", env=Environment.PRODUCTION)
    with pytest.raises(Unreadable, match=r"no key ring at .*restore it"):
        load_ring(production)
    with pytest.raises(Unreadable, match="no master key at"):
        make_ring(production, ["larkmoor"])
    assert not production.ring_file.exists()
    assert not production.master_file.exists()


def test_production_wraps_its_ring_with_the_master_key_it_was_given(tmp_path: Path) -> None:
    master = tmp_path / "master"
    master.write_text(base64.b64encode(bytes(range(32))).decode() + "\n")
    production = Settings(home=tmp_path / "home", env=Environment.PRODUCTION, master_key_file=master)
    make_ring(production, ["larkmoor"])
    assert load_ring(production).owners() == [PLATFORM, "larkmoor"]
    assert not (tmp_path / "home" / "keys" / "master.key").exists()


@pytest.mark.parametrize(
    ("place", "owner"),
    [("patient:2", None), ("patient:1", "heronfield")],
)
def test_sealed_bytes_open_in_their_own_place_for_their_own_clinic_only(
    settings: Settings, place: str, owner: str | None
) -> None:
    make_ring(settings, ["larkmoor", "heronfield"])
    ring = load_ring(settings)
    sealed = ring.seal("larkmoor", WORDS, "patient:1")
    with pytest.raises(Unreadable):
        ring.open(sealed, place, owner)
    with pytest.raises(Unreadable, match="not sealed for this place"):
        ring.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "patient:1")
    assert ring.owner_of(sealed) == "larkmoor"
    assert ring.owner_of(b"\x00" * 40) is None


def test_a_clinic_whose_key_is_deleted_is_unreadable_and_the_others_are_not(settings: Settings) -> None:
    make_ring(settings, ["larkmoor", "heronfield"])
    ring = load_ring(settings)
    gone, kept = ring.seal("larkmoor", WORDS, "p"), ring.seal("heronfield", WORDS, "p")
    file = json.loads(settings.ring_file.read_text())
    file["keys"] = [entry for entry in file["keys"] if entry["owner"] != "larkmoor"]
    settings.ring_file.write_text(json.dumps(file))
    without = load_ring(settings)
    assert without.open(kept, "p") == WORDS
    with pytest.raises(Unreadable, match="not in the ring"):
        without.open(gone, "p")
    with pytest.raises(Unreadable, match="no key of larkmoor"):
        without.seal("larkmoor", WORDS, "p")
