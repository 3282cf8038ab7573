"""Runs benchmarks one after the other and leaves what they found, as a table and as a file."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from os import getloadavg
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.bench.result import Result

RESULTS = Path("bench-results") / "latest.json"
QUIET = 0.5  # load per minute above which somebody else is at work


@dataclass(frozen=True)
class Benchmark:
    """`run` measures in an empty folder of its own; `seconds` is what that takes on a quiet two-core machine.

    A large one runs only when it is asked for by name.
    """

    name: str
    about: str
    seconds: int
    run: Callable[[Path], Sequence[Result]]
    large: bool = False


class Unknown(Exception):
    """No benchmark has this name; the text says which there are."""


def chosen(benchmarks: Sequence[Benchmark], only: str = "") -> list[Benchmark]:
    """The one asked for, or all but the large ones. Raises Unknown."""
    if not only:
        return [one for one in benchmarks if not one.large]
    found = [one for one in benchmarks if one.name == only]
    if not found:
        raise Unknown(f"There is no benchmark called {only}. There are: {', '.join(one.name for one in benchmarks)}.")
    return found


def run(benchmarks: Sequence[Benchmark], results: Path, console: Console) -> list[Result]:
    """Measures, shows each as it comes, and writes them all to `results`, as a list."""
    if (load := getloadavg()[0]) > QUIET:
        console.print(f"The machine is at work (load {load:.1f}): times below are longer than on a quiet one.")
    found: list[Result] = []
    for one in benchmarks:
        console.print(f"{one.name}: {one.about} (about {one.seconds} s)", highlight=False)
        began = time.monotonic()
        with _folder() as folder:
            found += one.run(folder)
        console.print(f"{one.name}: took {time.monotonic() - began:.0f} s", highlight=False)
        _write(results, found)
    console.print(table(found))
    return found


def table(results: Sequence[Result]) -> Table:
    """The figures as people read them."""
    shown = Table("Benchmark", "Figure", "Beside", "Ratio", "Bound", "")
    for one in results:
        beside = one.against if one.against_value is None else f"{one.against}: {one.against_value:g} {one.unit}"
        verdict = {True: "met", False: "[bold red]missed", None: ""}[one.met]
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        shown.add_row(one.name, f"{one.value:g} {one.unit}", beside, ratio, one.bound, verdict)
    return shown


def listing(benchmarks: Sequence[Benchmark]) -> Table:
    """What there is to run, and how long it takes."""
    shown = Table("Benchmark", "What it measures", "Seconds", "")
    for one in benchmarks:
        shown.add_row(one.name, one.about, str(one.seconds), "only by name" if one.large else "")
    return shown


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="careloop-bench-") as folder:
        yield Path(folder)


def _write(path: Path, results: Sequence[Result]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in results], indent=2, ensure_ascii=False) + "\n")
