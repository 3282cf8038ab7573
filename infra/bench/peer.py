"""The peers' worker started beside a clinic, on its engine and its store."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from infra.bench.bare_worker import TABLES
from infra.bench.clinic import Clinic
from infra.readiness import READY_FILE
from infra.supervisor.clinic import CHECKOUT
from infra.supervisor.store_urls import libpq

START, STOP = 30.0, 20.0


def make_tables(clinic: Clinic) -> None:
    """The peers' plain tables."""
    with psycopg.connect(libpq(clinic.parts.settings.owner_url), autocommit=True) as owner:
        for statement in TABLES:
            owner.execute(statement)


@contextmanager
def working(clinic: Clinic, folder: Path, queue: str, sandbox: bool = True) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker of the peers on one queue, ready."""
    ready = folder / f"{queue}.ready"
    environment = {
        **os.environ,
        "CARELOOP_HOME": str(clinic.home.folder),
        "CARELOOP_SANDBOX": str(int(sandbox)),
        READY_FILE: str(ready),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as the supervisor does for ours
    command = (sys.executable, "-m", "infra.bench.bare_worker", queue)
    with (folder / f"{queue}.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  our own argument list
            command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _await(process, ready)
        yield process
    finally:
        process.terminate()
        process.wait(STOP)


def _await(process: "subprocess.Popen[bytes]", ready: Path) -> None:
    deadline = time.monotonic() + START
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the peers' worker did not start")
        time.sleep(0.05)
