"""Clinics made and unmade: a new one with its key, and one shredded so that nothing of it can be read or found."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.records.audit_event import Action
from activities.records.organization import Organization
from activities.records.sessions import Context, Purpose, Sessions, connect
from activities.records.tenant import Tenant
from infra.bootstrap import Parts
from infra.keys import add_key, has_key, remove_keys
from infra.refusal import Refused
from infra.settings import Settings
from web.client import Engine
from workflows.contracts.people import SYSTEM

SECONDS = 300.0
NAME = r"[a-z][a-z0-9-]{1,30}"
TABLES = text(
    "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant' "
    "where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname"
)
REFERRED = text(
    "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f' "
    "and connamespace = 'public'::regnamespace and conrelid <> confrelid"
)


def add(parts: Parts, name: str, title: str, zone: str, npi: str = "") -> None:
    """A clinic with its key, its row and its own entry in its directory; raises Refused."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Refused(f"There is no time zone {zone}: write it like America/Boise.") from None
    context = Context(name, SYSTEM, Purpose.OPERATIONS)
    with parts.sessions.platform() as session:
        if session.get(Tenant, name):
            raise Refused(f"There is a clinic {name} already.")
    if not has_key(parts.settings, name):
        add_key(parts.settings, name)
    with parts.sessions.begin(context) as session:
        session.add(Tenant(id=name, name=title, zone=zone))
        session.flush()
        session.add(Organization(tenant=name, name=title, npi=npi, partner=False))
        parts.auditor.write(session, context, Action.CREATE, "Tenant", name, detail={"zone": zone})


def shred(parts: Parts, engine: Engine, name: str) -> dict[str, int]:
    """Ends a clinic's processes, deletes its keys and every row of it; gives what is left by table, so {}.

    Safe to repeat after it was cut short. What other processes hold in memory goes when they are started again.
    """
    engine.run(lambda client: _terminate(client, name), SECONDS)
    removed = remove_keys(parts.settings, name)
    owner = connect(parts.settings.owner_url, 1)
    sessions = Sessions(owner, parts.ring.signing)
    try:
        order = _order(sessions, name)
        for table in order:
            _delete(sessions, name, table)
        engine.run(lambda client: _terminate(client, name), SECONDS)
        left = {table: count for table in order if (count := _count(sessions, name, table))}
        return left | ({} if not has_key(parts.settings, name) else {"key ring": removed})
    finally:
        owner.dispose()


def is_known(settings: Settings, sessions: Sessions, name: str) -> bool:
    """Whether the store or the ring has anything under this name."""
    with sessions.platform() as session:
        return session.get(Tenant, name) is not None or has_key(settings, name)


async def _terminate(client: Client, name: str) -> None:
    query = f'ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "{name}:"'
    async for one in client.list_workflows(query, page_size=1000):
        try:
            await client.get_workflow_handle(one.id).terminate("the clinic is shredded")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def _order(sessions: Sessions, name: str) -> list[str]:
    """Every table with rows of clinics: who refers first, then who is referred to, the versions kept of both last.

    Deleting a row keeps its last version, so its history goes after it.
    """
    with _signed(sessions, name) as session:
        connection = session.connection()
        tables = [row[0] for row in connection.execute(TABLES)]
        sorter = TopologicalSorter({table: set(_referring(connection, table)) for table in (*tables, "tenant")})
    ordered = [table for table in sorter.static_order() if table not in ("tenant",)]
    now = [table for table in ordered if not table.endswith("_history")]
    return [*now, *(table for table in ordered if table.endswith("_history")), "tenant"]


def _referring(connection: Connection, table: str) -> Iterator[str]:
    return (one for one, other in connection.execute(REFERRED).tuples() if other == table)


def _delete(sessions: Sessions, name: str, table: str) -> None:
    """One transaction a table: a signature lasts a minute. The owner is bound by row security as everybody is."""
    with _signed(sessions, name) as session:
        session.execute(text(f'delete from "{table}" where {_column(table)} = :name'), {"name": name})  # noqa: S608


def _count(sessions: Sessions, name: str, table: str) -> int:
    with _signed(sessions, name) as session:
        counted = text(f'select count(*) from "{table}" where {_column(table)} = :name')  # noqa: S608
        return session.scalar(counted, {"name": name}) or 0


def _column(table: str) -> str:
    return "id" if table == "tenant" else "tenant"


def _signed(sessions: Sessions, name: str) -> AbstractContextManager[Session]:
    return sessions.begin(Context(name, SYSTEM, Purpose.OPERATIONS))
