"""`careloop up`, `status`, `down` and `reset`: the clinic on this machine."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from infra.settings import Settings
from infra.supervisor import report
from infra.supervisor.home import AlreadyRunning, Home
from infra.supervisor.processes import stop_strays, wait_gone
from infra.supervisor.remove import remove

STOPS_WITHIN = 120  # seconds for `down`

commands = typer.Typer()
HomeOption = Annotated[Path | None, typer.Option(help="folder of the clinic's state; default: CARELOOP_HOME")]


@commands.command()
def up(home: HomeOption = None, no_simulators: Annotated[bool, typer.Option("--no-simulators")] = False) -> None:
    """Start the clinic and keep it running until Ctrl-C or `careloop down`."""
    settings = _settings(home)
    if no_simulators:
        settings = settings.model_copy(update={"simulators": False})
    # Here, so that the other commands answer at once: these bring the engine's and the store's clients.
    from infra.supervisor.clinic import Programs
    from infra.supervisor.run import run

    sys.exit(run(settings, Programs()))


@commands.command()
def status(home: HomeOption = None, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Show what runs. Exit code 1 while the clinic is not ready."""
    now = report.read(Home(_settings(home).home))
    if as_json:
        print(json.dumps(asdict(now)))
    else:
        _print_report(now)
    sys.exit(0 if now.ready else 1)


@commands.command()
def down(home: HomeOption = None) -> None:
    """Stop the clinic and wait until nothing of it runs."""
    place = Home(_settings(home).home)
    who = report.supervisor_of(place)
    if who is not None:
        os.kill(who.pid, signal.SIGTERM)
        if not wait_gone(who, STOPS_WITHIN):
            sys.exit(f"The supervisor (process {who.pid}) has not stopped after {STOPS_WITHIN} s.")
    elif place.ports.exists():
        with _held(place):
            stop_strays(place.processes, print)
    print(f"Nothing of {place.folder} runs now.")


@commands.command()
def reset(home: HomeOption = None, yes: Annotated[bool, typer.Option(help="do not ask")] = False) -> None:
    """Remove everything the clinic has stored. There is no way back."""
    place = Home(_settings(home).home)
    if not place.ports.exists():
        sys.exit(f"{place.folder} is not the home of a clinic: nothing is removed.")
    if not yes:
        typer.confirm(f"Remove all patients, cases and keys in {place.folder}?", abort=True)
    with _held(place):
        stop_strays(place.processes, print)
        remove(place)
    print(f"{place.folder} is removed.")


def _settings(home: Path | None) -> Settings:
    try:
        return Settings() if home is None else Settings(home=home)
    except ValidationError as wrong:
        reasons = (f"CARELOOP_{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in wrong.errors())
        sys.exit("careloop: " + "; ".join(reasons))


@contextmanager
def _held(place: Home) -> Iterator[None]:
    try:
        with place.locked():
            yield
    except AlreadyRunning as why:
        sys.exit(str(why))


def _print_report(now: report.Report) -> None:
    if not now.services:
        print("The clinic does not run. `careloop up` starts it.")
        return
    table = Table("Service", "Process", "Address", "State")
    for each in now.services:
        table.add_row(each.name, str(each.pid or "–"), each.address, "healthy" if each.healthy else "not ready")
    Console().print(table)
