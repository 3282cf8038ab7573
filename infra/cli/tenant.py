"""`careloop tenant add` and `tenant shred`: a clinic comes, and a clinic goes without leaving anything readable."""

import re
import sys
from typing import Annotated

import typer

from infra.cli.up import HomeOption
from infra.settings import load

app = typer.Typer(help="The clinics on this platform.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="its short name, such as larkmoor")]


@app.callback()
def _group() -> None:
    """Commands on clinics."""


@app.command("add")
def add_command(
    name: NameArgument,
    zone: Annotated[str, typer.Option(help="time zone of its main site, such as America/Boise")],
    title: Annotated[str, typer.Option("--name", help="as partners know it; default: the short name")] = "",
    npi: Annotated[str, typer.Option(help="its National Provider Identifier")] = "",
    home: HomeOption = None,
) -> None:
    """Make a clinic with its own key."""
    from infra import tenants
    from infra.bootstrap import build
    from infra.refusal import said

    settings = load(home)
    if not settings.database_url:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it with `careloop up`.")
    if not re.fullmatch(tenants.NAME, name):
        sys.exit(f"careloop: {name!r} is no short name: two to 31 small letters, digits and hyphens, a letter first.")
    parts = build(settings, 1)
    with said():
        tenants.add(parts, name, title or name, zone, npi)
    parts.sessions.engine.dispose()
    print(f"{name} is there. Export the keys again (`careloop keys export`), then `careloop user grant` its people.")


@app.command("shred")
def shred_command(
    name: NameArgument,
    by: Annotated[list[str], typer.Option(help="e-mail of a person who answers for it; twice, for two people")],
    typed: Annotated[str, typer.Option("--yes-shred", help="the clinic's name again; default: ask")] = "",
    home: HomeOption = None,
) -> None:
    """Delete a clinic for good: its processes, its keys, its rows with history and audit. There is no way back."""
    from infra import tenants
    from infra.key_deletion import person
    from infra.operate import operating
    from infra.refusal import said

    with said(), operating(home) as clinic:
        sessions, settings = clinic.parts.sessions, clinic.parts.settings
        people = sorted({person(sessions, one) for one in by})
        if len(people) < 2:
            sys.exit("careloop: two different people answer for this: give --by twice.")
        if not tenants.is_known(settings, sessions, name):
            sys.exit(f"careloop: there is no clinic {name}.")
        if not settings.owner_url:
            sys.exit("careloop: the store's owner is not known: set CARELOOP_OWNER_URL.")
        print(f"{' and '.join(people)} shred {name}: its patients, cases, documents, history, audit and keys.")
        if (typed or typer.prompt("Type the clinic's name to go on")) != name:
            sys.exit("careloop: that is another name; nothing is done.")
        left = tenants.shred(clinic.parts, clinic.engine, name)
    if left:
        sys.exit(f"careloop: something of {name} is left ({left}). Stop the workers, then run this again.")
    print(f"Nothing of {name} is left in the store, and its keys are gone. {AFTER}")


AFTER = (
    "To make copies in backups worthless too: `careloop keys rotate --master`, destroy the old master key and earlier "
    "escrow files, and start every process again."
)
