"""The prepared evenings, each made once per test process and only where it is asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.crash.stages import Stage, stage
from tests.postgres import Cluster


@pytest.fixture(scope="session")
def stage_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str, str], Stage]]:
    """The evening of a flow on a database."""
    made: dict[tuple[str, str], Stage] = {}
    with ExitStack() as stack:

        def of(scene: str, database: str) -> Stage:
            if (scene, database) not in made:
                cluster: Cluster | None = request.getfixturevalue("pg_cluster") if database == "postgresql" else None
                made[scene, database] = stack.enter_context(stage(scene, cluster))
            return made[scene, database]

        yield of
