"""A backup brought back into an empty store: whole or not at all, with a new segment of the audit and no engine."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from activities.records import audit_seal
from activities.records.audit_event import Action
from activities.records.audit_seal import Head
from activities.records.sessions import Context, Purpose
from infra.backup import client
from infra.backup.make import Connection, counts, require_sight
from infra.backup.manifest import RING, STORE, Manifest, read
from infra.bootstrap import Parts, build
from infra.keys import has_key, load_ring, write_secret
from infra.migrations.upgrade import prepare, upgrade
from infra.refusal import Refused
from infra.settings import Settings
from infra.supervisor.store_urls import libpq, maintenance
from workflows.contracts.people import SYSTEM

ANY_AGE = timedelta(days=36_500)
SEGMENT = "create or replace function app.audit_segment() returns bigint language sql immutable "
SEGMENT += "set search_path = pg_catalog, pg_temp as {}"
# What was ready when the backup was made may have gone out since: it counts as interrupted while it was sent.
MAYBE_SENT = "update message_log set state = 'sending', taken_at = clock_timestamp() where direction = 'out' "
MAYBE_SENT += "and state = 'ready'"


@dataclass(frozen=True)
class Restored:
    """`open_cases` wait for `careloop reconcile`; of the clinics in `keyless` the ring has no key any more.

    `findings` say what is wrong with the audit that came back; empty when nothing is.
    """

    manifest: Manifest
    open_cases: int
    keyless: tuple[str, ...]
    findings: tuple[str, ...]


def restore(settings: Settings, folder: Path) -> Restored:
    """Raises Refused where anything is in the way; then the store is left empty."""
    manifest = read(folder)
    _require_empty(settings)
    take_ring(settings, folder)
    ring = load_ring(settings)
    prepare(settings.admin_url, settings.owner_url, settings.database_url)
    client.load(settings.admin_url, folder / STORE)
    with psycopg.connect(libpq(settings.admin_url)) as connection:
        require_sight(connection)
        _compare(connection, manifest)
        connection.execute(sql.SQL(SEGMENT).format(sql.Literal(f"select {manifest.segment + 1}::bigint")))
        connection.execute(MAYBE_SENT)
        waiting = connection.execute("select count(*) from process where closed_at is null").fetchone()
        tenants = [name for (name,) in connection.execute("select id from tenant order by id")]
    upgrade(settings.owner_url, ring.signing)
    keyless = tuple(one for one in tenants if not has_key(settings, one))
    findings = _tell(settings, manifest, [one for one in tenants if one not in keyless])
    return Restored(manifest, waiting[0] if waiting else 0, keyless, findings)


def take_ring(settings: Settings, folder: Path) -> None:
    """The ring that is there stays; else the backup's takes its place, if the master key opens it."""
    if settings.ring_file.exists():
        load_ring(settings)
        return
    if not settings.master_file.exists():
        raise Refused(f"Put the master key at {settings.master_file} first (CARELOOP_MASTER_KEY_FILE).")
    write_secret(settings.ring_file, (folder / RING).read_text())
    try:
        load_ring(settings)
    except BaseException:
        settings.ring_file.unlink()
        raise


def _require_empty(settings: Settings) -> None:
    name = str(make_url(settings.owner_url).database)
    try:
        with psycopg.connect(maintenance(settings.admin_url)) as server:
            if server.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
                return
        with psycopg.connect(libpq(settings.admin_url)) as connection:
            rows = connection.execute("select count(*) from pg_tables where schemaname in ('public', 'app')").fetchone()
    except psycopg.OperationalError as why:
        raise Refused(f"PostgreSQL does not answer: {str(why).splitlines()[-1]}") from None
    if rows and rows[0]:
        raise Refused(f"The database {name} is not empty: a backup is brought back into an empty one only.")


def _compare(connection: Connection, manifest: Manifest) -> None:
    found = counts(connection)
    if wrong := [name for name, count in manifest.counts.items() if found.get(name) != count]:
        raise Refused(f"Not all rows came back ({', '.join(wrong)}): empty the database and take another backup.")


def _tell(settings: Settings, manifest: Manifest, tenants: list[str]) -> tuple[str, ...]:
    """Each clinic's audit is compared with its anchor, and told of the restore as the first of its new segment."""
    parts = build(settings, 1)
    try:
        findings = [f"{one}: {words}" for one in tenants for words in _differences(parts, manifest, one)]
        for one in tenants:
            context = Context(one, SYSTEM, Purpose.OPERATIONS)
            detail: dict[str, object] = {"backup_of": manifest.made_at, "segment": manifest.segment + 1}
            with parts.sessions.begin(context) as session:
                parts.auditor.write(session, context, Action.EXECUTE, "Restore", detail=detail)
        return tuple(findings)
    finally:
        parts.sessions.engine.dispose()


def _differences(parts: Parts, manifest: Manifest, tenant: str) -> list[str]:
    known = manifest.anchors.get(tenant)
    anchor = Head(known.n, bytes.fromhex(known.digest)) if known else None
    return audit_seal.verify(parts.sessions, parts.ring, tenant, anchor, ANY_AGE)
