"""`careloop keys`: the ring is made, listed, exported for a safe and brought back; keys are added and deleted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.cli.up import HomeOption
from infra.refusal import said
from infra.settings import Environment, Settings, load

if TYPE_CHECKING:
    from activities.records.sessions import Sessions

app = typer.Typer(help="The keys that seal what the clinics keep.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(help="the escrow file")]
PassphraseOption = Annotated[
    Path | None, typer.Option("--passphrase-file", help="read the passphrase here; default: ask")
]


@app.command("init")
def init_command(home: HomeOption = None) -> None:
    """Make a key ring where there is none. In production the master key's file must be there first."""
    from infra.keys import make_ring

    settings = load(home)
    with said():
        if settings.env is Environment.PRODUCTION and not settings.master_file.exists():
            sys.exit(
                f"careloop: there is no master key at {settings.master_file} (CARELOOP_MASTER_KEY_FILE). It holds 32 "
                "random bytes as base64, readable by us alone; `openssl rand -base64 32` makes one."
            )
        make_ring(settings, [])
    print(f"The key ring is {settings.ring_file}. Export it now with `careloop keys export` and keep that elsewhere.")


@app.command("list")
def list_command(home: HomeOption = None) -> None:
    """Show whose keys there are, and since when; never a key itself."""
    from infra.key_deletion import requests
    from infra.keys import listing

    settings = load(home)
    table = Table("Owner", "Key", "Made", "")
    with said():
        for one in listing(settings):
            table.add_row(one.owner, one.id, one.made_at[:10], "seals" if one.current else "opens only")
        Console().print(table)
        for request in requests(settings):
            print(
                f"{request.asked_by} asked to delete {request.owner}; to be confirmed from {request.ripe_at:%Y-%m-%d}."
            )


@app.command("export")
def export_command(file: FileArgument, home: HomeOption = None, passphrase_file: PassphraseOption = None) -> None:
    """Write all keys to one file that a passphrase opens. Keep file and passphrase in two places."""
    from infra import escrow

    settings = load(home)
    with said():
        print(f"{file} holds all keys. Its fingerprint:")
        print(escrow.export(settings, file, _passphrase(passphrase_file, confirm=True)))


@app.command("import")
def import_command(file: FileArgument, home: HomeOption = None, passphrase_file: PassphraseOption = None) -> None:
    """Make the key ring anew from an export, wrapped by the present master key."""
    from infra import escrow

    settings = load(home)
    with said():
        print(f"Fingerprint: {escrow.fingerprint(file)}")
        count = escrow.restore(settings, file, _passphrase(passphrase_file, confirm=False))
    print(f"{settings.ring_file} holds {count} keys again.")


@app.command("rotate")
def rotate_command(
    owner: Annotated[str, typer.Option(help="a clinic, or `*` for the platform: a new key seals from now on")] = "",
    signing: Annotated[bool, typer.Option("--signing", help="a new key signs every transaction's clinic")] = False,
    master: Annotated[bool, typer.Option("--master", help="a new master key wraps the ring")] = False,
    into: Annotated[Path | None, typer.Option(help="with --master: the new master key's own file")] = None,
    home: HomeOption = None,
) -> None:
    """Give one owner a new key. What older keys sealed still opens."""
    from infra.keys import add_key, has_key, rewrap

    settings = load(home)
    if [bool(owner), signing, master].count(True) != 1:
        sys.exit("careloop: say which key: --owner NAME, --signing or --master.")
    with said():
        if signing:
            _rotate_signing(settings)
        elif master:
            rewrap(settings, into)
            place = into or settings.master_file
            print(f"{settings.ring_file} is wrapped by the new master key in {place}.")
            if into:
                print(f"Set CARELOOP_MASTER_KEY_FILE to {into}, then destroy {settings.master_file} and its copies.")
        elif not has_key(settings, owner):
            sys.exit(
                f"careloop: the key ring has no key of {owner}. `careloop tenant add` makes a clinic with its key."
            )
        else:
            add_key(settings, owner)
            print(f"A new key of {owner} seals in every process that starts from now on; all of them open it at once.")


@app.command("delete")
def delete_command(
    owner: Annotated[str, typer.Option(help="the clinic whose keys go")],
    by: Annotated[str, typer.Option(help="e-mail of the account in whose name this is done")],
    reason: Annotated[str, typer.Option(help="why; asked for the first time")] = "",
    confirm: Annotated[bool, typer.Option("--confirm", help="as the second person, after 30 days")] = False,
    take_back: Annotated[bool, typer.Option("--take-back", help="forget what was asked for")] = False,
    home: HomeOption = None,
) -> None:
    """Ask for a clinic's keys to be deleted, or confirm it as somebody else 30 days later. There is no way back."""
    from infra import key_deletion

    settings, now = load(home), datetime.now(UTC)
    with said(), _store(settings) as sessions:
        email = key_deletion.person(sessions, by)
        if take_back:
            done = key_deletion.take_back(settings, owner)
            print(f"The keys of {owner} stay." if done else f"Nobody had asked for the keys of {owner} to be deleted.")
        elif confirm:
            count = key_deletion.confirm(settings, owner, email, now)
            print(f"{count} keys of {owner} are deleted. {LEFT}")
        elif not reason:
            sys.exit("careloop: say why with --reason.")
        else:
            request = key_deletion.ask(settings, owner, email, reason, now)
            print(f"Asked for. Somebody else may confirm from {request.ripe_at:%Y-%m-%d}; until then nothing changes.")


LEFT = (
    "Copies of the ring in backups still hold them: rotate the master key (`careloop keys rotate --master`), destroy "
    "the old one and earlier escrow files, and restart every process."
)


def _rotate_signing(settings: Settings) -> None:
    """The ring first: should this end in between, `careloop db migrate` lays the new key down."""
    from infra.keys import SIGNING, add_key, load_ring
    from infra.migrations.upgrade import lay_down

    if not settings.owner_url:
        sys.exit("careloop: the store's owner is not known. Start the clinic first, or set CARELOOP_OWNER_URL.")
    add_key(settings, SIGNING)
    lay_down(settings.owner_url, load_ring(settings).signing)
    print("A new key signs contexts. Processes that run now are refused by the store until they are started again.")


@contextmanager
def _store(settings: Settings) -> "Iterator[Sessions]":
    from infra.bootstrap import build

    if not settings.database_url:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it with `careloop up`.")
    parts = build(settings, 1)
    try:
        yield parts.sessions
    finally:
        parts.sessions.engine.dispose()


def _passphrase(file: Path | None, confirm: bool) -> str:
    if file is not None:
        return file.read_text().strip()
    words: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)
    return words
