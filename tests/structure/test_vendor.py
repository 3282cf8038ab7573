"""The browser files are what the manifest says, and nothing asks for one that is not there."""

import base64
import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from web.present import STATUS_TAGS

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "web" / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())
LOCK = json.loads((ROOT / "infra" / "vendor" / "package-lock.json").read_text())
ICON = re.compile(r"""ui\.icon\("([a-z0-9-]+)\"""")


def drawn() -> set[str]:
    root = ElementTree.parse(VENDOR / "icons.svg").getroot()
    return {symbol.attrib["id"] for symbol in root}


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_a_vendored_file_has_the_digest_of_its_manifest(name: str) -> None:
    digest = hashlib.sha384((VENDOR / name).read_bytes()).digest()
    assert MANIFEST[name]["sha384"] == "sha384-" + base64.b64encode(digest).decode()


def test_no_vendored_file_is_missing_from_the_manifest() -> None:
    assert {path.name for path in VENDOR.iterdir()} - {"manifest.json"} == set(MANIFEST)


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_a_vendored_file_is_of_the_locked_version_and_names_its_licence(name: str) -> None:
    line = MANIFEST[name]
    assert line["version"] == LOCK["packages"][f"node_modules/{line['package']}"]["version"]
    assert line["license"]


def test_the_lock_names_no_address_to_fetch_from() -> None:
    assert not [name for name, package in LOCK["packages"].items() if "resolved" in package]


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    used = {name for page in (ROOT / "web").rglob("*.html") for name in ICON.findall(page.read_text())}
    assert used
    assert used <= drawn()


def test_every_status_has_its_icon_in_the_sprite() -> None:
    assert {tag.icon for tag in STATUS_TAGS.values() if tag.icon} <= drawn()
