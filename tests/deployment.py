"""The part of YAML that our manifests keep to: mappings, lists, plain and quoted words, lists in brackets.

Anything else (anchors, tags, blocks of text, tabs) raises ValueError, so that a slip is not read as something else.
"""

import json
import re
from pathlib import Path
from typing import Any

PAIR = re.compile(r"(?P<key>[A-Za-z_][\w./-]*):(?: +(?P<value>.+))?")


def read(path: Path) -> list[Any]:
    """Every document of a file."""
    parts = re.split(r"^---$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [_block(_lines(part)) for part in parts if _lines(part)]


def _lines(text: str) -> list[tuple[int, str]]:
    kept = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in kept:
        if "\t" in line or line != line.rstrip():
            raise ValueError(f"a tab or a blank at the end: {line!r}")
    return [(len(line) - len(line.lstrip()), line.strip()) for line in kept]


def _block(lines: list[tuple[int, str]]) -> Any:
    indent, first = lines[0]
    value = _sequence(lines, indent) if first.startswith("- ") else _mapping(lines, indent)
    if lines:
        raise ValueError(f"indented otherwise than its neighbours: {lines[0][1]!r}")
    return value


def _mapping(lines: list[tuple[int, str]], indent: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
        _, words = lines.pop(0)
        pair = PAIR.fullmatch(words)
        if pair is None or pair["key"] in found:
            raise ValueError(f"no pair, or its key a second time: {words!r}")
        found[pair["key"]] = _scalar(pair["value"]) if pair["value"] else _below(lines, indent)
    return found


def _below(lines: list[tuple[int, str]], indent: int) -> Any:
    if not lines or lines[0][0] <= indent:
        return None
    deeper = lines[0][0]
    return _sequence(lines, deeper) if lines[0][1].startswith("- ") else _mapping(lines, deeper)


def _sequence(lines: list[tuple[int, str]], indent: int) -> list[Any]:
    found = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        words = lines[0][1][2:]
        if PAIR.fullmatch(words):
            lines[0] = (indent + 2, words)
            found.append(_mapping(lines, indent + 2))
        else:
            lines.pop(0)
            found.append(_scalar(words))
    return found


def _scalar(words: str) -> Any:
    if words[0] in '[{"':
        return json.loads(words)
    if words[0] in "&*!|>%@`'" or ": " in words or " #" in words:
        raise ValueError(f"more of YAML than our manifests use: {words!r}")
    return int(words) if re.fullmatch(r"\d+", words) else words
