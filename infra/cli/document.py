"""`careloop document import FOLDER`: faxes and scans of a folder into a clinic's inbox."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Faxes, scans and other documents.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Commands on documents."""


@app.command("import")
def import_command(
    folder: Annotated[Path, typer.Argument(help="files that are whole: a dropper renames them when they are")],
    tenant: Annotated[str, typer.Option(help="whose inbox, for example larkmoor")],
    scans: Annotated[bool, typer.Option("--scans", help="scanned here, not faxed")] = False,
) -> None:
    """Takes each file in once; then it lies in FOLDER/done under its hash, or in FOLDER/refused."""
    # Here, so that the other commands answer at once: these bring the store's client and the readers of scans.
    from activities.records.document_reference import Source
    from activities.records.sessions import Context
    from infra.bootstrap import build
    from infra.fax_folder import import_folder
    from infra.settings import load
    from workflows.contracts.people import SYSTEM

    if not folder.is_dir():
        sys.exit(f"{folder} is not a folder.")
    parts = build(load(), 1)
    if tenant not in parts.ring.owners():
        sys.exit(
            f"There is no clinic {tenant}. Clinics: {', '.join(one for one in parts.ring.owners() if one != '*')}."
        )
    source = Source.UPLOAD if scans else Source.FAX
    taken = import_folder(parts, Context(tenant, SYSTEM), folder, source)
    print(f"{taken.new} new, {taken.known} known already, {taken.unreadable} could not be read.")
