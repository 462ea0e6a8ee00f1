"""Fixtures of every room: a private PostgreSQL for the session, and a fresh database of it."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import postgres

# A landing should not depend on the dice: CI draws the same examples every time, everybody else new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


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
