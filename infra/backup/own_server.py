"""Our own PostgreSQL without the rest of the clinic, for the time of a restore."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from infra.refusal import Refused
from infra.settings import Settings
from infra.supervisor.child import LAUNCH
from infra.supervisor.home import Home
from infra.supervisor.ports import choose
from infra.supervisor.postgres import make_cluster, own_service
from infra.supervisor.service import Service
from infra.supervisor.store_urls import maintenance, own_urls

PATIENCE = 60.0


@contextmanager
def standing(settings: Settings, home: Home) -> Iterator[Settings]:
    """Makes the cluster and starts it; gives the settings with its addresses. It stops at the end."""
    place = make_cluster(home)
    port = choose(home, ("postgres",))["postgres"]
    urls = own_urls(home, port)
    service = own_service(place, port, urls.admin)
    process = _start(service)
    try:
        _await(maintenance(urls.admin), process)
        addresses = {"admin_url": urls.admin, "owner_url": urls.owner, "database_url": urls.application}
        yield settings.model_copy(update=addresses)
    finally:
        process.send_signal(service.stop)
        process.wait(PATIENCE)


def _start(service: Service) -> "subprocess.Popen[bytes]":
    """As the supervisor starts it: it stops when this process dies."""
    launch = (sys.executable, str(LAUNCH), str(os.getpid()), str(int(service.stop)), service.account)
    return subprocess.Popen(  # noqa: S603  our own argument list
        (*launch, *service.command),
        cwd=service.folder,
        env=dict(service.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError as why:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Refused(f"PostgreSQL does not start: {str(why).splitlines()[-1]}") from None
            time.sleep(0.1)
        else:
            return
