"""`careloop backup` and `careloop restore`: the store and the wrapped keys in a folder, and back from it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.up import HomeOption
from infra.refusal import Refused, said
from infra.settings import Settings, load

if TYPE_CHECKING:
    from infra.backup.restore import Restored
    from infra.supervisor.home import Home

commands = typer.Typer()


@commands.command("backup")
def backup_command(
    folder: Annotated[Path, typer.Argument(help="a new folder, on a disk that is encrypted")], home: HomeOption = None
) -> None:
    """Write the store and the wrapped key ring to a folder while the clinic runs. The master key is not in it."""
    from infra.backup.make import backup

    settings = load(home)
    if not settings.admin_url:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it, or set CARELOOP_ADMIN_URL.")
    with said():
        manifest = backup(settings, folder, datetime.now(UTC))
    rows = sum(manifest.counts.values())
    print(
        f"{folder}: {rows} rows of {len(manifest.counts)} tables, audit anchored for {len(manifest.anchors)} clinics."
    )
    print(f"It opens only with the master key in {settings.master_file}: keep that elsewhere.")


@commands.command("restore")
def restore_command(folder: Annotated[Path, typer.Argument(help="a backup")], home: HomeOption = None) -> None:
    """Bring a backup back into an empty home or database. The engine starts empty; `reconcile` restarts the cases."""
    settings = load(home)
    with said():
        restored = _restore(settings, folder)
    _say(restored, settings)


def _restore(settings: Settings, folder: Path) -> "Restored":
    """Into the database that is named by a setting, else into our own server in the home."""
    from infra.backup import manifest
    from infra.backup.restore import restore, take_ring
    from infra.supervisor.home import Home

    home = Home(settings.home)
    with home.locked():
        if home.postgres_where.exists():
            raise Refused(f"{home.folder} has a store already. Restore into another --home, or `careloop reset` it.")
        manifest.read(folder)
        take_ring(settings, folder)
        _empty_engine(home.temporal)
        if settings.postgres_url or settings.admin_url:
            return restore(_addressed(settings, home), folder)
        return _restore_home(settings, home, folder)


def _restore_home(settings: Settings, home: "Home", folder: Path) -> "Restored":
    from infra.backup.own_server import standing
    from infra.backup.restore import restore
    from infra.supervisor.remove import remove_store

    try:
        with standing(settings, home) as found:
            return restore(found, folder)
    except BaseException:
        remove_store(home)
        raise


def _addressed(settings: Settings, home: "Home") -> Settings:
    from infra.supervisor.store_urls import external_urls

    urls = external_urls(home, settings.postgres_url or settings.admin_url)
    addresses = {
        "admin_url": settings.admin_url or urls.admin,
        "owner_url": settings.owner_url or urls.owner,
        "database_url": settings.database_url or urls.application,
    }
    return settings.model_copy(update=addresses)


def _empty_engine(folder: Path) -> None:
    """Our own engine's file; what it knew comes back from the store."""
    for file in folder.glob("engine.db*"):
        file.unlink()


def _say(restored: "Restored", settings: Settings) -> None:
    print(f"The store is as of {restored.manifest.made_at}. {restored.open_cases} cases are open.")
    for tenant in restored.keyless:
        print(f"The key ring has no key of {tenant}: nothing sealed of it opens. `careloop tenant shred {tenant}`.")
    if settings.temporal_address:
        print(
            f"The engine at {settings.temporal_address} must be empty: name a namespace that was never used, such as "
            f"CARELOOP_TEMPORAL_NAMESPACE={settings.temporal_namespace}-{datetime.now(UTC):%Y%m%d}."
        )
    print("Start the clinic, then `careloop reconcile` starts each open case, and `careloop verify` checks all of it.")
    if restored.findings:
        sys.exit("careloop: the audit is not as it was anchored.\n" + "\n".join(restored.findings))
