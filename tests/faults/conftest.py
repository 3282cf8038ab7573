"""One platform for all that is broken here: to be broken, and to be found whole again."""

from collections.abc import Iterator

import pytest

from tests.faults.world import World, standing
from tests.postgres import Cluster


@pytest.fixture(scope="session")
def world(cluster: Cluster) -> Iterator[World]:
    with standing(cluster) as world:
        yield world
