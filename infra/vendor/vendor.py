"""Copies the browser files Careloop serves out of installed npm packages, and lists them in a manifest.

Run it after `npm ci --ignore-scripts` in this folder:

    python infra/vendor/vendor.py

The files are checked in, so nobody needs node to run or test Careloop; only refreshing them does.
"""

import base64
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "web" / "static" / "vendor"
SVG = "http://www.w3.org/2000/svg"
STROKED = {
    "fill": "none",
    "stroke": "currentColor",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
}


@dataclass(frozen=True)
class Copy:
    """One file taken over unmodified: from a package's folder to a name below web/static/vendor."""

    package: str
    source: str
    target: str


COPIES = (
    Copy("@tabler/core", "dist/css/tabler.min.css", "tabler.min.css"),
    Copy("htmx.org", "dist/htmx.min.js", "htmx.min.js"),
    Copy("htmx.org", "dist/ext/hx-sse.min.js", "hx-sse.min.js"),
    Copy("htmx.org", "LICENSE", "htmx.LICENSE"),
    Copy("@fontsource-variable/inter", "files/inter-latin-wght-normal.woff2", "inter-latin.woff2"),
    Copy("@fontsource-variable/inter", "files/inter-latin-ext-wght-normal.woff2", "inter-latin-ext.woff2"),
    Copy("@fontsource-variable/inter", "LICENSE", "inter.LICENSE"),
    Copy("@tabler/icons", "LICENSE", "tabler-icons.LICENSE"),
)
ICONS_PACKAGE = "@tabler/icons"


def sha384(content: bytes) -> str:
    """The digest in the form browsers use for subresource integrity."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def sprite(icons_folder: Path, names: list[str]) -> bytes:
    """One SVG holding a symbol per name; `-filled` names come from the filled set."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.Element(f"{{{SVG}}}svg")
    for name in names:
        filled = name.endswith("-filled")
        folder, stem = ("filled", name.removesuffix("-filled")) if filled else ("outline", name)
        shape = ElementTree.parse(icons_folder / folder / f"{stem}.svg").getroot()  # noqa: S314 our own pinned package
        style = {"fill": "currentColor"} if filled else STROKED
        symbol = ElementTree.SubElement(root, f"{{{SVG}}}symbol", {"id": name, "viewBox": "0 0 24 24", **style})
        symbol.extend(part for part in shape if part.get("stroke") != "none")
    drawn: bytes = ElementTree.tostring(root, encoding="utf-8")
    return drawn + b"\n"


def entry(package: Path, content: bytes, origin: dict[str, str]) -> dict[str, str]:
    """One line of the manifest: where a file comes from, under which licence, and its digest."""
    about = json.loads((package / "package.json").read_text())
    return {
        "package": about["name"],
        "version": about["version"],
        "license": about["license"],
        **origin,
        "sha384": sha384(content),
    }


def refresh(packages: Path, target: Path) -> dict[str, dict[str, str]]:
    """Rewrites `target` from the installed packages and returns the manifest by file name."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    manifest = {}
    for copy in COPIES:
        content = (packages / copy.package / copy.source).read_bytes()
        (target / copy.target).write_bytes(content)
        manifest[copy.target] = entry(packages / copy.package, content, {"source": copy.source})
    content = sprite(packages / ICONS_PACKAGE / "icons", (HERE / "icons.txt").read_text().split())
    (target / "icons.svg").write_bytes(content)
    made = {"made_from": "icons/{outline,filled}/*.svg, the names in infra/vendor/icons.txt"}
    manifest["icons.svg"] = entry(packages / ICONS_PACKAGE, content, made)
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return manifest


if __name__ == "__main__":
    for name in sorted(refresh(HERE / "node_modules", TARGET)):
        print(name)
