"""`careloop user`: who may sign in and as what. Passwords are the identity provider's affair."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.cli.up import HomeOption
from infra.settings import load

if TYPE_CHECKING:
    from infra.bootstrap import Parts

app = typer.Typer(help="Who may sign in.", no_args_is_help=True)
EmailArgument = Annotated[str, typer.Argument(help="her e-mail address")]


@app.command("grant")
def grant_command(
    email: EmailArgument,
    tenant: Annotated[str, typer.Option(help="her clinic")],
    role: Annotated[list[str], typer.Option(help="may be given several times; these replace the ones she had")],
    name: Annotated[str, typer.Option(help="as others see her; default: the address")] = "",
    title: Annotated[str, typer.Option(help="what she is called")] = "",
    site: Annotated[list[str] | None, typer.Option(help="where she works; may be given several times")] = None,
    npi: Annotated[str, typer.Option(help="a clinician's National Provider Identifier")] = "",
    subject: Annotated[str, typer.Option(help="the identity provider's `sub` of her; default: the address")] = "",
    issuer: Annotated[str, typer.Option(help="default: CARELOOP_OIDC_ISSUER")] = "",
    home: HomeOption = None,
) -> None:
    """Let somebody sign in with these roles, or change what she may do."""
    from activities.records.account import Grant
    from infra.accounts import grant_roles

    with _opened(home) as parts:
        given = Grant(
            tenant=tenant,
            issuer=issuer or parts.settings.oidc_issuer,
            subject=subject or email,
            name=name or email,
            email=email,
            roles=tuple(role),
            title=title,
            sites=tuple(site or ()),
            npi=npi,
        )
        new = grant_roles(parts, _operator(), given)
    print(f"{email} {'may sign in' if new else 'now has these roles'} at {tenant}: {', '.join(role)}.")


@app.command("list")
def list_command(tenant: Annotated[str, typer.Option(help="one clinic only")] = "", home: HomeOption = None) -> None:
    """Show who may sign in, and who could."""
    from infra.accounts import accounts

    table = Table("Clinic", "E-mail", "Name", "Roles", "")
    with _opened(home) as parts:
        for one in accounts(parts, tenant):
            table.add_row(one.tenant, one.email, one.name, ", ".join(one.roles), "" if one.active else "has left")
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@app.command("leave")
def leave_command(email: EmailArgument, home: HomeOption = None) -> None:
    """Somebody leaves: her sessions end now, and her open tasks go back to their pools."""
    from infra.accounts import leave

    with _opened(home) as parts:
        left = leave(parts, _operator(), email)
    print(f"{email} may not sign in any more: {left.sessions} sessions ended, {left.tasks} tasks went back to pools.")


def _operator() -> str:
    return f"operator:{getpass.getuser()}"


@contextmanager
def _opened(home: Path | None) -> "Iterator[Parts]":
    from infra.bootstrap import build
    from infra.refusal import said

    settings = load(home)
    if not settings.database_url:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it with `careloop up`.")
    parts = build(settings, 1)
    try:
        with said():
            yield parts
    finally:
        parts.sessions.engine.dispose()
