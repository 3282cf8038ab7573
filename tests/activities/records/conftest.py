"""One database for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.postgres import Cluster
from tests.two_clinics import Store, furnished


@pytest.fixture(scope="module")
def store(cluster: Cluster) -> Iterator[Store]:
    with furnished(cluster) as store:
        yield store
