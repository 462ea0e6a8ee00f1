"""Prepared campuses: the same evening again and again, on both databases, each time as fresh as the first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.crash import campus, child, parking, twin
from tests.postgres import Cluster

DATABASES = ("sqlite", "postgresql")
SCENES: dict[str, Callable[[Path], None]] = {
    "library-charges": campus.charges_wait,
    "library-payments": campus.payments_wait,
    "library-credits": campus.credits_wait,
    parking.FLOW: parking.holds_wait,
}
"""Flow -> what lies there when its evening begins."""

KILLED, NEXT = 2, 3
"""The numbers of the run that is killed and of the run after it."""


@dataclass(frozen=True)
class Stage:
    """A campus on the evening before a flow runs, and what it is like after an evening without a kill."""

    flow: str
    template: Path
    cluster: Cluster | None
    database: str
    points: list[str]
    """Every named point the run passes, in order, repeats included."""
    unhurt: twin.World

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """A copy of the campus, taken away at the end."""
        with copied(self.template, self.cluster, self.database) as folder:
            yield folder


@contextmanager
def copied(template: Path, cluster: Cluster | None, database: str) -> Iterator[Path]:
    """A campus with a database of its own."""
    with light_folder() as home:
        folder = campus.copied(template, home / "campus")
        if cluster is None:
            yield folder
            return
        name = cluster.create(database)
        try:
            campus.settle(folder, cluster.address(name))
            yield folder
        finally:
            cluster.drop(name)


@contextmanager
def light_folder() -> Iterator[Path]:
    """A folder in memory where there is one: only processes die here, never the machine, and a disk's sync would only make it slow."""
    memory = Path("/dev/shm")
    light = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bursarbridge-", dir=light) as home:
        yield Path(home)


@contextmanager
def stage(flow: str, cluster: Cluster | None) -> Iterator[Stage]:
    """Prepares the evening of a flow, on SQLite or in a cluster, and lives it once without a kill."""
    with light_folder() as home:
        name = cluster.create() if cluster else ""
        template = campus.found(home / "template", cluster.address(name) if cluster else "")
        SCENES[flow](template)
        with copied(template, cluster, name) as unhurt:
            points = child.run(unhurt, (flow, KILLED))
            child.run(unhurt, (flow, NEXT))
            world = twin.world(unhurt)
        yield Stage(flow, template, cluster, name, points, world)
