"""One database for all tests of a file."""

from collections.abc import Iterator

import pytest

from infra.bootstrap import Parts
from tests.postgres import Cluster
from tests.two_clinics import Store, furnished


@pytest.fixture(scope="module")
def store(cluster: Cluster) -> Iterator[Store]:
    with furnished(cluster) as store:
        yield store


@pytest.fixture
def audit(store: Store) -> Parts:
    """Nothing has been told yet."""
    with store.superuser() as connection:
        connection.execute("truncate audit_event, audit_seal")
    return store.parts
