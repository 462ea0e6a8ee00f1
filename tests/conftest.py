"""Fixtures of every room: a private PostgreSQL for the session, and a fresh database of it."""

from collections.abc import Iterator

import pytest

from tests import postgres


@pytest.fixture(scope="session")
def pg_cluster() -> Iterator[postgres.Cluster]:
    """One cluster per test process."""
    with postgres.cluster() as running:
        yield running


@pytest.fixture
def pg_address(pg_cluster: postgres.Cluster) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    name = pg_cluster.create()
    yield pg_cluster.address(name)
    pg_cluster.drop(name)
