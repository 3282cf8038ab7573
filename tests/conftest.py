"""One PostgreSQL for each test worker, a fresh database for each test that asks for a store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bootstrap import Parts, build
from tests.postgres import Cluster, running

SAMPLES = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("home")) as cluster:
        yield cluster


@pytest.fixture
def parts(cluster: Cluster) -> Iterator[Parts]:
    settings = cluster.fresh()
    parts = build(settings, 8)
    yield parts
    parts.sessions.engine.dispose()
    cluster.drop(settings)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without the sample data beside the checkout, its tests are deselected and counted in one line."""
    if SAMPLES.is_dir():
        return
    left_out = [item for item in items if item.get_closest_marker("samples")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        print(f"\nno sample data beside the checkout: {len(left_out)} tests marked `samples` are left out")
