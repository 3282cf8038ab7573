"""A real PostgreSQL for one test worker: one cluster, one template, a fresh database for each test that asks."""

import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from infra.cli.db import migrate
from infra.keys import make_ring
from infra.settings import Settings
from infra.supervisor.home import Home
from infra.supervisor.postgres import make_cluster, own_service
from infra.supervisor.store_urls import StoreUrls, maintenance, own_urls

TEMPLATE = "careloop_template"
PATIENCE = 30


@dataclass
class Cluster:
    """A running server; `settings(name)` are those of one database on it."""

    home: Home
    urls: StoreUrls
    numbers: Iterator[int]

    def settings(self, database: str) -> Settings:
        def at(url: str) -> str:
            return make_url(url).set(database=database).render_as_string(hide_password=False)

        return Settings(
            home=self.home.folder,
            admin_url=at(self.urls.admin),
            owner_url=at(self.urls.owner),
            database_url=at(self.urls.application),
            public_url="http://127.0.0.1:1",
        )

    def fresh(self) -> Settings:
        """A new database copied from the migrated template."""
        name = f"test_{next(self.numbers)}"
        self._admin(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        return self.settings(name)

    def drop(self, settings: Settings) -> None:
        name = str(make_url(settings.database_url).database)
        self._admin(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(maintenance(self.urls.admin), autocommit=True) as admin:
            admin.execute(statement)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Starts a cluster under `folder`, migrates the template, and leaves nothing behind."""
    home = Home(folder)
    home.make()
    port = free_port()
    place = make_cluster(home)
    urls = own_urls(home, port)
    service = own_service(place, port, urls.admin)
    fast = ("-c", "fsync=off", "-c", "max_connections=200")
    server = subprocess.Popen(
        (*service.command, *fast),
        cwd=service.folder,
        env=dict(service.environment),
        user=None if place.account == "-" else place.account,
        group=None if place.account == "-" else _group(place.account),
        extra_groups=None if place.account == "-" else [],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(maintenance(urls.admin))
        cluster = Cluster(home, urls, count(1))
        template = cluster.settings(TEMPLATE)
        make_ring(template, ["larkmoor", "heronfield"])
        migrate(template)
        yield cluster
    finally:
        server.terminate()
        server.wait(PATIENCE)
        if place.account != "-":
            shutil.rmtree(place.data.parent)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid


def _await(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=1).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
