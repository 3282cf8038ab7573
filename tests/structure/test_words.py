"""Words that tell nobody anything are never shown."""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests import tree

# "pending" is allowed where it says for whom.
NEVER = re.compile(
    r"(?<!aria-)\binvalid\b|\berror occurred\b|\bN/A\b|\bpending\b(?! (for|with|by|at|from)\b)", re.IGNORECASE
)
SHOWN = ("title", "alt", "placeholder", "aria-label", "content", "value")
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
# Codes of a standard or of a protocol, sent to programs.
CODES = ("web/fhir/", "activities/formats/", "infra/simulators/", "web/provider.py", "infra/migrations/")


class Text(HTMLParser):
    """What a page says: its text and the attributes that are read out or shown."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [value for name, value in attrs if name in SHOWN and value]


def said(template: Path) -> Iterator[str]:
    """The page's own words, and those that its expressions hold."""
    source = template.read_text(encoding="utf-8")
    for expression in JINJA.findall(source):
        yield from (one or other for one, other in QUOTED.findall(expression))
    reader = Text()
    reader.feed(JINJA.sub(" ", source))
    yield from reader.said


def found(words: Iterable[str]) -> list[str]:
    return [text.strip() for text in words if NEVER.search(text)]


def for_people(texts: Iterable[str]) -> Iterator[str]:
    """A single word without a capital is a code."""
    return (text for text in texts if " " in text.strip() or text[:1].isupper())


@pytest.mark.parametrize("text", ["Invalid date", "An error occurred.", "Phone: N/A", "Pending", "pending review"])
def test_the_words_are_recognised(text: str) -> None:
    assert NEVER.search(text)


@pytest.mark.parametrize("text", ["pending with Dr Eskild's office", "invalidates", 'aria-invalid="true"', "N/AB"])
def test_other_words_are_left_alone(text: str) -> None:
    assert not NEVER.search(text)


def test_no_page_says_them() -> None:
    pages = tree.files(".html")
    assert len(pages) > 10
    assert {tree.name(page): words for page in pages if (words := found(said(page)))} == {}


def test_no_letter_says_them() -> None:
    letters = tree.files(".typ")
    assert {tree.name(one): words for one in letters if (words := found([one.read_text("utf-8")]))} == {}


def test_no_refusal_error_or_label_says_them() -> None:
    sources = [path for path in tree.files(".py", *tree.PACKAGES) if not tree.name(path).startswith(CODES)]
    assert {tree.name(path): words for path in sources if (words := found(for_people(tree.strings(path))))} == {}


def test_no_script_says_them() -> None:
    scripts = [path for path in tree.files(".js", "web") if "vendor" not in path.parts]
    quoted = {path: [one or other for one, other in QUOTED.findall(path.read_text("utf-8"))] for path in scripts}
    assert {tree.name(path): words for path, texts in quoted.items() if (words := found(for_people(texts)))} == {}
