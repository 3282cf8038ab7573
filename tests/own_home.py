"""A fresh database with a copy of the keys in a home of its own, for tests that take keys away or add some."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.bootstrap import Parts, build
from tests.postgres import Cluster


@contextmanager
def own_home(cluster: Cluster, folder: Path) -> Iterator[Parts]:
    settings = cluster.fresh()
    shutil.copytree(settings.home / "keys", folder / "own" / "keys")
    parts = build(settings.model_copy(update={"home": folder / "own"}), 8)
    yield parts
    parts.sessions.engine.dispose()
    cluster.drop(settings)
