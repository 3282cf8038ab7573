"""The same clinic on a PostgreSQL and a Temporal of somebody else, by two settings and nothing more."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from infra.supervisor.ports import listens
from infra.supervisor.store_urls import libpq, maintenance
from tests import postgres
from tests.engine import BINARY
from tests.journeys.acting import careloop
from tests.journeys.clinic import furnish, running, status

pytestmark = pytest.mark.xdist_group("journey-external")


@contextmanager
def temporal(folder: Path) -> Iterator[str]:
    """A server that no supervisor of ours knows; gives its address."""
    port = postgres.free_port()
    command = (str(BINARY), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port))
    server = subprocess.Popen(
        (*command, "--db-filename", str(folder / "outside.db"), "--log-level", "error"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while not listens(server.pid, port):
            assert time.monotonic() < until and server.poll() is None, "Temporal did not start"
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def test_a_referral_closes_its_loop_on_servers_of_somebody_else(tmp_path: Path) -> None:
    with postgres.running(tmp_path / "outside") as store, temporal(tmp_path) as engine:
        with psycopg.connect(maintenance(store.urls.admin), autocommit=True) as admin:
            admin.execute("create database clinic")
        url = make_url(store.urls.admin).set(database="clinic").render_as_string(hide_password=False)
        outside = {"CARELOOP_POSTGRES_URL": libpq(url), "CARELOOP_TEMPORAL_ADDRESS": engine}
        with running(tmp_path / "home", **outside) as clinic:
            furnish(clinic.parts)
            pids = {one["name"]: one["pid"] for one in status(clinic.home)["services"]}
            assert (pids["postgres"], pids["temporal"]) == (None, None)
            code, told = careloop(clinic, "scenario", "referral")
            assert (code, [one["closed"] for one in told]) == (0, [True]), told
            assert careloop(clinic, "verify")[1]["violations"] == []
