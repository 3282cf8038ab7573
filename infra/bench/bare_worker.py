"""The peers' worker process, set up as ours is; the sandbox by `CARELOOP_SANDBOX`, as there."""

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from psycopg_pool import ConnectionPool
from temporalio import activity

from activities.beating import beating
from activities.partners.base import Partner
from activities.records.organization import Organization, Transport
from infra.bench.bare import INSERT, SEND, Approval, BareInbound, BareReferral, Kept, Said
from infra.bootstrap import connect_engine
from infra.directory import make_directory
from infra.keys import load_ring
from infra.readiness import announce_ready
from infra.settings import Settings, load
from infra.supervisor.store_urls import libpq
from infra.telemetry import set_up_logging
from infra.worker import SLOTS, make_worker

TABLES = (
    "create table bare_step (case_id text, step_key text, primary key (case_id, step_key))",
    "create table bare_message (case_id text primary key, body bytea)",
    "grant select, insert on bare_step, bare_message to careloop_app",
)


class BareActivities:
    """Each a statement of its own, committed."""

    def __init__(self, pool: ConnectionPool, partner: Partner) -> None:
        self._pool, self._partner = pool, partner

    @activity.defn(name=INSERT.name)
    def insert(self, said: Said) -> Kept:
        with self._pool.connection() as connection:
            connection.execute("insert into bare_step values (%s, %s) on conflict do nothing", (said.case, said.key))
        return Kept(1)

    @activity.defn(name=SEND.name)
    def send(self, said: Said) -> Kept:
        with self._pool.connection() as connection:
            row = connection.execute("select body from bare_message where case_id = %s", (said.case,)).fetchone()
        assert row is not None
        with beating():
            self._partner.send(bytes(row[0]))
        return Kept(1)


def specialist(settings: Settings) -> Partner:
    """The connection that our own worker makes."""
    address = f"http://127.0.0.1:{settings.simulator_specialist_port}"
    row = Organization(
        tenant="larkmoor", name="Quillon", transport=Transport.FHIR, fhir_address=address, repeatable=True
    )
    return make_directory(settings)(row)


async def serve(queue: str) -> None:
    """Works until SIGTERM."""
    settings = load()
    set_up_logging(settings.log_level)
    client = await connect_engine(settings, load_ring(settings))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    url = libpq(settings.database_url)
    with ConnectionPool(url, min_size=SLOTS, kwargs={"autocommit": True}) as pool, ThreadPoolExecutor(SLOTS) as threads:
        bare = BareActivities(pool, specialist(settings))
        workflows = (BareReferral, BareInbound, Approval)
        async with make_worker(client, queue, [bare.insert, bare.send], settings.sandbox, threads, workflows):
            announce_ready()
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
