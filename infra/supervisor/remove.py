"""Takes a home away, with what lies outside it."""

import os
import shutil
from pathlib import Path

from infra.supervisor.home import SHARED, Home, read_json, shared


def remove(home: Home) -> None:
    """Removes the home and its PostgreSQL folder; nothing of it may run. Raises OSError."""
    outside = read_json(home.postgres_where).get("sockets")
    shutil.rmtree(home.folder)
    if outside and Path(outside).exists():
        shutil.rmtree(outside)
    if os.getuid() == 0:
        _remove_unused_binaries()


def remove_store(home: Home) -> None:
    """Removes a PostgreSQL that was made and holds nothing worth keeping; the rest of the home stays."""
    known = read_json(home.postgres_where)
    for folder in {Path(known["data"]).parent, Path(known["sockets"])} if known else set():
        shutil.rmtree(folder, ignore_errors=True)
    home.postgres_where.unlink(missing_ok=True)


def _remove_unused_binaries() -> None:
    """The copy of PostgreSQL is shared by all homes of root: it goes with the last one."""
    with shared():
        left = list(SHARED.iterdir())
        if all(path.name.startswith("postgres-") for path in left):
            for path in left:
                shutil.rmtree(path)
