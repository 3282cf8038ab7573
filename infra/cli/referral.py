"""`careloop referral import`: the open referrals of a clinic that begins with us, from a spreadsheet's CSV file."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.up import HomeOption

app = typer.Typer(help="Referrals from elsewhere.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Commands on referrals."""


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="a CSV file; infra/docs/import.md lists the columns")],
    tenant: Annotated[str, typer.Option(help="the clinic whose referrals they are")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen; change nothing")] = False,
    alias: Annotated[list[str] | None, typer.Option(help="'what the list says=the partner's name'; repeatable")] = None,
    home: HomeOption = None,
) -> None:
    """Open referrals where they stand, with their true dates; nothing is sent. Exit code 1 when a row is left over."""
    from infra.importer.referrals import Importer, lines_of
    from infra.importer.table import read
    from infra.operate import operating
    from infra.refusal import said

    with said(), operating(home) as clinic:
        table = read(file.read_bytes())
        importer = Importer(clinic.parts, tenant, datetime.now(UTC), _aliases(alias or []))
        report = importer.run(table, None if dry_run else clinic.engine)
    if dry_run:
        print("Nothing is changed. With this list:")
    for line in lines_of(report):
        print(line)
    sys.exit(1 if report.problems else 0)


def _aliases(pairs: list[str]) -> dict[str, str]:
    wrong = [one for one in pairs if "=" not in one]
    if wrong:
        sys.exit(f"careloop: write --alias 'what the list says=the partner's name', not {wrong[0]!r}.")
    return dict(one.split("=", 1) for one in pairs)
