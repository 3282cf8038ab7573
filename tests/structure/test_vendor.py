"""The browser files are what the manifest says, and nothing asks for one that is not there."""

import ast
import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

import pytest

from web.fields import FormView
from web.frame import NavItem
from web.present import Act, EmptyState, Tag
from web.referrals.present import DocumentLine, TimelineEntry
from web.tasks.present import BulkAct

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


def position_of_icon(view: type) -> int:
    return [field.name for field in fields(view)].index("icon")


WITH_ICON = {
    view.__name__: position_of_icon(view)
    for view in (Act, BulkAct, DocumentLine, EmptyState, FormView, NavItem, Tag, TimelineEntry)
}


def named_in(source: str) -> Iterator[str]:
    """The icons that calls of the view classes name, by position or by keyword."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        given = [keyword.value for keyword in call.keywords if keyword.arg == "icon"]
        if name in WITH_ICON:
            given += call.args[WITH_ICON[name] : WITH_ICON[name] + 1]
        yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    used = {name for page in (ROOT / "web").rglob("*.html") for name in ICON.findall(page.read_text())}
    assert used
    assert used <= drawn()


def test_every_icon_the_code_names_is_in_the_sprite() -> None:
    used = {name for path in (ROOT / "web").rglob("*.py") for name in named_in(path.read_text())} - {""}
    assert "list-check" in used
    assert used <= drawn()
