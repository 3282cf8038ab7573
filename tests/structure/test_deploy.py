"""What runs in containers names settings, commands and files that are there."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from infra.cli.main import assemble
from infra.production import refusals
from infra.readiness import READY_FILE
from infra.settings import Environment, Settings
from tests import deployment, tree

FOLDER = tree.ROOT / "infra" / "deploy"
MANIFESTS = sorted(FOLDER.rglob("*.yaml"))
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
COMMANDS = {"python", "sh"}


def documents() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in deployment.read(path)]


def containers() -> list[dict[str, Any]]:
    """Ours, of both kinds of manifest, each with `environment` as a mapping."""
    (compose,) = deployment.read(FOLDER / "compose.yaml")
    found = [one for one in compose["services"].values() if one["image"] == "careloop"]
    for one in documents():
        spec = one.get("spec", {}).get("template", {}).get("spec", {})
        for each in (*spec.get("initContainers", ()), *spec.get("containers", ())):
            found.append({**each, "environment": {item["name"]: item["value"] for item in each["env"]}})
    return found


def words(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield str(key)
                yield from words(inner)
        case list():
            for inner in value:
                yield from words(inner)
        case _:
            yield str(value)


def argument_lists() -> list[list[str]]:
    told = [one["command"] for one in containers()]
    split = [part.split() for one in told if one[0] == "sh" for part in one[2].split("&&")]
    return [*(one for one in told if one[0] != "sh"), *split]


def test_there_is_a_manifest_for_every_process() -> None:
    kinds = [(one["kind"], one["metadata"]["name"]) for one in documents() if "kind" in one]
    assert {("Deployment", f"careloop-{name}") for name in ("web", "worker", "sweeper")} <= set(kinds)
    assert ("Job", "careloop-migrate") in kinds
    assert len(containers()) == 9


def test_every_setting_that_is_named_exists() -> None:
    known = {f"CARELOOP_{name.upper()}" for name in Settings.model_fields} | {READY_FILE}
    text = "\n".join(path.read_text(encoding="utf-8") for path in (*MANIFESTS, FOLDER / "Dockerfile"))
    named = set(re.findall(r"CARELOOP_[A-Z_]+[A-Z]", text))
    assert named - known == set()
    assert len(named) > 10


@pytest.mark.parametrize("command", argument_lists(), ids=" ".join)
def test_every_command_exists(command: list[str]) -> None:
    program, flag, module, *rest = command
    assert (program, flag) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None
    if module == "infra.cli.main":
        group: Any = get_command(assemble())
        for word in rest:
            group = group.commands[word]
    if module == "gunicorn":
        assert (tree.ROOT / rest[1]).exists()
        assert importlib.util.find_spec(rest[2].split(":")[0]) is not None


def test_the_image_holds_what_the_processes_import_and_no_more() -> None:
    copied = {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("COPY")}
    assert copied == {"requirements.lock", *tree.PACKAGES}
    assert all((tree.ROOT / name).exists() for name in copied)
    assert "USER careloop" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE


def test_images_are_named_without_a_host_or_an_account_elsewhere() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images += [one["image"] for one in deployment.read(FOLDER / "compose.yaml")[0]["services"].values()]
    images += [one["image"] for one in containers()]
    assert len(images) > 8
    assert [one for one in images if "." in one.split("/")[0] and "/" in one] == []


@pytest.mark.parametrize("number", range(len(containers())))
def test_each_container_would_be_let_into_production(number: int, tmp_path: Path) -> None:
    given = containers()[number]["environment"]
    ours = {name.removeprefix("CARELOOP_").lower(): value for name, value in given.items() if name != READY_FILE}
    master = tmp_path / "master"
    master.touch()
    settings = Settings(
        **{"public_url": "https://c.example", "oidc_issuer": "https://i.example", **ours, "master_key_file": master}
    )
    assert settings.env is Environment.PRODUCTION
    assert refusals(settings) == []


def test_the_administrators_address_reaches_the_migration_only() -> None:
    (compose,) = deployment.read(FOLDER / "compose.yaml")
    holders = {name for name, one in compose["services"].items() if "migrate.env" in one.get("env_file", [])}
    assert holders == {"migrate"}
    admins = [one["metadata"]["name"] for one in documents() if "careloop-store-admin" in set(words(one))]
    assert admins == ["careloop-migrate"]


def test_every_secret_and_volume_that_is_used_is_declared() -> None:
    (compose,) = deployment.read(FOLDER / "compose.yaml")
    used = {name for one in compose["services"].values() for name in one.get("secrets", ())}
    assert used == set(compose["secrets"])
    for one in documents():
        spec = one.get("spec", {}).get("template", {}).get("spec", {})
        mounted = {
            mount["name"]
            for each in (*spec.get("initContainers", ()), *spec.get("containers", ()))
            for mount in each["volumeMounts"]
        }
        assert mounted == {volume["name"] for volume in spec.get("volumes", ())}


@pytest.mark.parametrize("text", ["a: &b c", "a:\n\t- b", "a: b\na: c", "a: 'b'", "a: |\n  b"])
def test_what_our_reader_does_not_know_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"tab|second time|more of YAML|no pair|otherwise"):
        deployment.read(tmp_path / "x.yaml")
