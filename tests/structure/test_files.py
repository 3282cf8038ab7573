"""Files and functions stay small enough to be read at one go, and are called what they are."""

import ast
from pathlib import Path
from statistics import median

import pytest

from tests import tree

# Names under which anything may hide.
VAGUE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "services",
    "service_layer",
    "models",
    "misc",
    "shared",
    "tools",
}
CODE = tree.files(".py", *tree.PACKAGES)
ALL = tree.files(".py")


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def share(sizes: list[int], percent: int) -> int:
    return sorted(sizes)[len(sizes) * percent // 100]


def functions() -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Ours, at any depth, in code that runs."""
    return [
        node
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of its body without its documentation."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_half_of_the_files_are_under_ninety_lines_and_nearly_all_under_three_hundred() -> None:
    sizes = [lines(path) for path in CODE]
    assert median(sizes) < 90
    assert share(sizes, 95) < 300


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    assert [tree.name(path) for path in ALL if lines(path) > 500] == []


def test_half_of_the_functions_are_under_nine_lines_and_nearly_all_under_forty() -> None:
    sizes = [length(function) for function in functions()]
    assert median(sizes) < 9
    assert share(sizes, 95) < 40


def test_every_package_file_is_empty() -> None:
    assert [tree.name(path) for path in ALL if path.name == "__init__.py" and path.stat().st_size] == []


def test_no_file_has_a_name_under_which_anything_may_hide() -> None:
    assert [tree.name(path) for path in ALL if path.stem in VAGUE or path.parent.name in VAGUE] == []


@pytest.mark.parametrize("package", tree.PACKAGES)
def test_every_folder_of_a_package_is_a_package(package: str) -> None:
    """A folder without the file is not found by everything that looks for our code."""
    folders = {path.parent for path in tree.files(".py", package)}
    assert [tree.name(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        tree.name(path)
        for path in CODE
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
