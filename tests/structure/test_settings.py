"""Every setting is documented, and nothing reads one that does not exist."""

import re
from pathlib import Path

import pytest

from infra.settings import Settings, load, runtime_file
from tests import tree

# Told to a child by the supervisor, never set by a person: infra/readiness.py documents it.
BETWEEN_PROCESSES = {"CARELOOP_READY_FILE"}
# `CARELOOP_{name.upper()}` and the like.
NAME = re.compile(r"CARELOOP_[A-Z][A-Z_]*[A-Z]")
PLACES = (".py", ".md", ".toml", ".html", ".yaml", ".sh")


def known() -> set[str]:
    return {f"CARELOOP_{field.upper()}" for field in Settings.model_fields}


def test_every_setting_says_what_it_does() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 15, name


def test_a_setting_is_frozen_and_has_a_default_that_is_no_secret() -> None:
    assert Settings.model_config["frozen"]
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), f"{name} must have a default: one command starts the clinic"
        if re.search("secret|key|password|token", name):
            assert field.default is None, f"{name} must come from a file"


def test_every_name_used_in_the_tree_is_a_setting() -> None:
    used: dict[str, list[str]] = {}
    for path in [file for suffix in PLACES for file in tree.files(suffix)] + [
        tree.ROOT / "Makefile",
        *tree.documents(),
    ]:
        for name in NAME.findall(path.read_text(encoding="utf-8")):
            used.setdefault(name, []).append(tree.name(path))
    assert {"CARELOOP_HOME", "CARELOOP_ENV"} <= set(used)
    assert {name: places for name, places in used.items() if name not in known() | BETWEEN_PROCESSES} == {}


def test_the_environment_is_read_in_one_place_only() -> None:
    readers = {
        tree.name(path)
        for path in tree.files(".py", *tree.PACKAGES)
        if re.search(r"os\.environ|getenv", path.read_text(encoding="utf-8"))
    }
    # Supervisor and benchmark hand their children an environment; readiness is told its file by the supervisor.
    parents = ("infra/supervisor/", "infra/bench/")
    assert {name for name in readers if not name.startswith(parents)} == {"infra/readiness.py"}


def test_what_the_supervisor_found_out_is_read_where_the_environment_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime_file(tmp_path).write_text('{"temporal_address": "127.0.0.1:7", "log_level": "debug"}')
    monkeypatch.setenv("CARELOOP_HOME", str(tmp_path))
    monkeypatch.setenv("CARELOOP_LOG_LEVEL", "error")
    settings = load()
    assert settings.temporal_address == "127.0.0.1:7"
    assert settings.log_level == "error"
