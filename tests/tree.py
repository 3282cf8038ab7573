"""The project's own files, as the tests about the code itself read them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("rules", "workflows", "activities", "web", "infra")


def files(suffix: str, *folders: str) -> list[Path]:
    """Ours with that suffix, by default in all packages and the tests; nothing vendored or generated."""
    found = (path for folder in folders or (*PACKAGES, "tests") for path in (ROOT / folder).rglob(f"*{suffix}"))
    return sorted(path for path in found if "vendor" not in path.parts and "__pycache__" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def strings(path: Path) -> Iterator[str]:
    """Every string a Python file may show to somebody: its constants without its documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def documents() -> list[Path]:
    """What people read at the top of the tree."""
    return sorted(ROOT.glob("*.md"))
