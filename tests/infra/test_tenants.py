"""A clinic comes with its key, and goes without leaving a row or a key behind."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from activities.records.organization import Organization
from activities.records.ring import Unreadable
from activities.records.sessions import Context
from infra.bootstrap import Parts, build, connect_engine
from infra.keys import has_key
from infra.refusal import Refused
from infra.supervisor.store_urls import libpq
from infra.tenants import TABLES, add, is_known, shred
from tests import make
from tests.engine import skipping
from tests.own_home import own_home
from tests.postgres import Cluster
from tests.two_clinics import furnish
from web.client import Engine
from workflows.contracts import task


def rows_of(parts: Parts, name: str) -> dict[str, int]:
    """Counted past row security."""
    with psycopg.connect(libpq(parts.settings.admin_url)) as connection:
        tables = [row[0] for row in connection.execute(str(TABLES).encode())]
        return {
            table: row[0]
            for table in tables
            if (
                row := connection.execute(
                    f"select count(*) from {table} where tenant = %s".encode(), (name,)
                ).fetchone()
            )
            and row[0]
        }


def test_a_shredded_clinic_leaves_no_row_and_no_key_and_the_other_one_stays(cluster: Cluster, tmp_path: Path) -> None:
    with own_home(cluster, tmp_path) as parts:
        make.clinics(parts)
        furnish(parts, make.LARKMOOR, "Vailgood")
        furnish(parts, make.HERONFIELD, "Quenneville")
        stays = rows_of(parts, "heronfield")
        assert {"patient", "patient_history", "audit_event", "account", "decision"} <= set(rows_of(parts, "larkmoor"))
        sealed = parts.ring.seal("larkmoor", b"Terrence Vailgood", "p")

        async def work() -> tuple[dict[str, int], list[str]]:
            async with skipping(parts.ring) as environment:
                where = {
                    "temporal_address": environment.client.service_client.config.target_host,
                    "temporal_namespace": environment.client.namespace,
                }
                settings = parts.settings.model_copy(update=where)
                for tenant in ("larkmoor", "heronfield"):
                    state = task.State(f"{tenant}-1")
                    await environment.client.start_workflow(
                        task.WORKFLOW, task.Start(state), id=task.workflow_id(tenant, "1"), task_queue="nobody"
                    )
                engine = Engine(lambda: connect_engine(settings, parts.ring))
                left = await asyncio.to_thread(shred, parts, engine, "larkmoor")
                await asyncio.to_thread(engine.close)
                found = [one.id async for one in environment.client.list_workflows('ExecutionStatus = "Running"')]
                return left, found

        left, running = asyncio.run(work())
        assert left == {}
        assert running == [task.workflow_id("heronfield", "1")]
        assert rows_of(parts, "larkmoor") == {}
        assert rows_of(parts, "heronfield") == stays
        assert not is_known(parts.settings, parts.sessions, "larkmoor")
        afterwards = build(parts.settings, 1)
        with pytest.raises(Unreadable, match="not in the ring"):
            afterwards.ring.open(sealed, "p")
        afterwards.sessions.engine.dispose()


def test_a_new_clinic_has_its_key_and_its_entry_and_a_second_of_that_name_is_refused(
    cluster: Cluster, tmp_path: Path
) -> None:
    with own_home(cluster, tmp_path) as parts:
        add(parts, "birchmere", "Birchmere Clinic", "America/Chicago", "2000001018")
        assert has_key(parts.settings, "birchmere")
        with parts.sessions.begin(Context("birchmere", "system")) as session:
            own = session.scalars(select(Organization)).one()
        assert (own.name, own.partner) == ("Birchmere Clinic", False)
        with pytest.raises(Refused, match="a clinic birchmere already"):
            add(parts, "birchmere", "Birchmere Clinic", "America/Chicago")
        with pytest.raises(Refused, match="no time zone Boise"):
            add(parts, "ashwell", "Ashwell", "Boise")
