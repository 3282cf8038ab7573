"""A backup: the store as of one instant, the key ring still wrapped, and what both must look like when they are back.

The engine is not in it: every case starts again from its State.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from infra.backup import client
from infra.backup.manifest import RING, STORE, Anchor, Manifest, hash_of, keep, write
from infra.refusal import Refused
from infra.settings import Settings
from infra.supervisor.store_urls import libpq

Connection = psycopg.Connection[tuple[Any, ...]]
ANCHORS = "select distinct on (tenant) tenant, n, encode(digest, 'hex') from audit_seal order by tenant, n desc"
TABLES = "select tablename from pg_tables where schemaname = 'public' order by tablename"
SEES_ALL = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
LEFT_OUT = {"web_session", "rate_limit"}


def backup(settings: Settings, folder: Path, now: datetime) -> Manifest:
    """Writes a backup into a new or empty folder while the clinic runs; raises Refused.

    The store's rows are in it as they are: names and dates in the clear, what is sealed sealed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty: name a new folder for each backup.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep(folder / STORE, b"")
    try:
        with psycopg.connect(libpq(settings.admin_url)) as connection:
            manifest = _dump(connection, settings, folder, now)
    except psycopg.OperationalError as why:
        raise Refused(f"PostgreSQL does not answer: {str(why).splitlines()[-1]}") from None
    write(folder, manifest)
    return manifest


def counts(connection: Connection) -> dict[str, int]:
    """Rows by table, of every clinic; nothing that a restore leaves out."""
    names = [name for (name,) in connection.execute(TABLES).fetchall() if name not in LEFT_OUT]
    return {name: _one(connection, sql.SQL("select count(*) from {}").format(sql.Identifier(name))) for name in names}


def require_sight(connection: Connection) -> None:
    """Row security shows a role without this right an empty store."""
    if not _one(connection, SEES_ALL):
        raise Refused("The role of CARELOOP_ADMIN_URL does not see past row security: give it BYPASSRLS.")


def _dump(connection: Connection, settings: Settings, folder: Path, now: datetime) -> Manifest:
    connection.execute("set transaction isolation level repeatable read, read only")
    require_sight(connection)
    client.dump(settings.admin_url, folder / STORE, str(_one(connection, "select pg_export_snapshot()")))
    # After the dump: a key made meanwhile is in it, so that whatever the dump holds can be opened.
    keep(folder / RING, settings.ring_file.read_bytes())
    return Manifest(
        made_at=now.isoformat(timespec="seconds"),
        migration=str(_one(connection, "select version_num from alembic_version")),
        postgres=str(_one(connection, "show server_version")),
        segment=_one(connection, "select app.audit_segment()"),
        counts=counts(connection),
        anchors={tenant: Anchor(n, digest) for tenant, n, digest in connection.execute(ANCHORS)},
        files={name: hash_of(folder / name) for name in (STORE, RING)},
    )


def _one(connection: Connection, statement: str | sql.Composed) -> Any:
    row = connection.execute(statement.encode() if isinstance(statement, str) else statement).fetchone()
    assert row is not None
    return row[0]
