"""What is installed is exactly what was looked at: versions and hashes, no addresses; each direct one for a reason."""

import re
import tomllib
from collections.abc import Iterator

import pytest

from tests import tree

LOCKS = ("requirements.lock", "requirements-test.lock")
PROJECT = tree.ROOT / "pyproject.toml"
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;\\]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
DEPENDENCY = re.compile(r'^\s*"([a-zA-Z0-9_.-]+)(\[[a-z,]+\])?[=<>~!][^"]*",\s*(#.*)?$')


def entries(lock: str) -> dict[str, tuple[str, int]]:
    """Name → version and number of hashes."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (tree.ROOT / lock).read_text().splitlines():
        if pin := PIN.match(line):
            name = pin[1]
            assert name not in found or found[name][0] != pin[2], f"{name} is pinned twice"
            found[name] = (pin[2], 0)
        elif HASH.match(line):
            found[name] = (found[name][0], found[name][1] + 1)
        else:
            assert line.startswith("    #"), f"{lock}: what is this line? {line}"
    return found


def direct(*groups: str) -> set[str]:
    project = tomllib.loads(PROJECT.read_text())
    wanted = [
        *project["project"]["dependencies"],
        *(one for group in groups for one in project["dependency-groups"][group]),
    ]
    return {re.sub(r"[._]", "-", re.split(r"[\[=<>~! ]", one)[0]).lower() for one in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: str) -> None:
    found = entries(lock)
    assert len(found) > 30
    assert [name for name, (_, hashes) in found.items() if hashes == 0] == []
    text = (tree.ROOT / lock).read_text()
    assert not re.search(r"https?:|file:|git\+|--index|--find-links|/work|/tmp|/home", text)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    running, testing = (set(entries(lock)) for lock in LOCKS)
    assert direct() <= running
    assert direct("test", "check") <= testing
    assert not {"pytest", "mypy", "ruff", "playwright"} & running


def test_tests_run_with_the_versions_that_run_the_clinic() -> None:
    running, testing = (entries(lock) for lock in LOCKS)
    assert {name: version for name, (version, _) in running.items() if testing[name][0] != version} == {}


def lines_of_dependencies() -> Iterator[str]:
    inside = False
    for line in PROJECT.read_text().splitlines():
        if re.match(r"^(dependencies|[a-z]+) = \[$", line):
            inside = True
        elif line == "]":
            inside = False
        elif inside and re.match(r'^\s*"[a-zA-Z0-9_.-]+(\[[a-z,]+\])?==', line):
            yield line


def test_every_direct_dependency_says_why_it_is_there() -> None:
    lines = list(lines_of_dependencies())
    assert len(lines) == len(direct("test", "check"))
    for line in lines:
        found = DEPENDENCY.match(line)
        assert found, line
        assert len((found[3] or "").strip("# ")) >= 5, f"{found[1]}: for what?"


def test_no_dependency_brings_a_package_of_our_names() -> None:
    from importlib.metadata import packages_distributions

    assert {name: brings for name, brings in packages_distributions().items() if name in tree.PACKAGES} == {}
