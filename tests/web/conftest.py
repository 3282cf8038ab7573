"""A signed-in web application: the real identity provider on a real port, the real store, a clock we turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bootstrap import Parts
from tests.web.clinic import Clock, Provider, WebClinic, running_identity


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder: Path = tmp_path_factory.mktemp("identity")
    with running_identity(folder) as provider:
        yield provider


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clinic(parts: Parts, provider: Provider, clock: Clock) -> WebClinic:
    return WebClinic(parts, provider, clock)
