"""Prepared campuses: the same evening again and again, on both databases, each time as fresh as the first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.crash import campus, child, library, parking, timetable, twin
from tests.crash.library import Library
from tests.postgres import Cluster

DATABASES = ("sqlite", "postgresql")
SCENES: dict[str, Callable[[Path], None]] = {
    "library-charges": campus.charges_wait,
    "library-payments": campus.payments_wait,
    "library-credits": campus.credits_wait,
    "library-charges that fail": campus.nothing_can_be_read,
    parking.FLOW: parking.holds_wait,
    f"{parking.FLOW} by mail": parking.mail_waits,
    "parking-charges": parking.charges_wait,
    "parking-payments": parking.payments_wait,
    "parking-credits": parking.credits_wait,
    child.SYNC: timetable.evening_comes,
}
"""Flow, or flow and circumstance -> what lies there when its evening begins."""
OVER_HTTP: dict[str, Callable[[Path, Library], None]] = {
    "library-returns": library.returns_wait,
    "library-payments by API": library.payments_wait,
}
"""The same where the library is asked and told over HTTP."""

_STEP = {"run.begun", "step.acted", "step.noted", "step.posting", "step.posted"}
_READ = {"collect.fetched", "collect.kept", "collect.posting", "collect.posted", "collect.cleared"}
_SEALED = {"submit.writing", "submit.sealed"}
_SENT = {"upload.written", "deliver.uploaded", "deliver.intended", "publish.linked", "publish.renamed", "deliver.verified", "deliver.sent"}
_HOLDS = {"holds.carried", "holds.sealed", "holds.untold"}
PASSED: dict[str, set[str]] = {
    "library-charges": _STEP | _READ | _SEALED | _SENT,
    "library-payments": _STEP | _READ | _SEALED | _SENT | {"confirm.posted"},
    "library-credits": _STEP | _READ | _SEALED | _SENT,
    "library-charges that fail": _STEP | {"step.refused", "run.failed"},
    parking.FLOW: _STEP | _READ | _SENT | _HOLDS | {"holds.writing", "confirm.posted"},
    f"{parking.FLOW} by mail": _STEP | _READ | _HOLDS | {"collect.refused"},
    "parking-charges": _STEP | _READ | _SEALED | _SENT,
    "parking-payments": _STEP | _READ | _SEALED | _SENT,
    "parking-credits": _STEP | _READ | _SEALED | _SENT,
    child.SYNC: _STEP | _READ | _SEALED | _SENT | {"slot.noted", "slot.claimed", "slot.ran", "slot.settled", "alarm.noted"},
    "library-returns": _STEP | {"waive.told", "waive.recorded"},
    "library-payments by API": _STEP | _READ | _SEALED | {"publish.linked"},
}
"""The named points that each evening passes; a test holds it true."""
ELSEWHERE = {"backup.copied", "backup.kept", "restore.kept", "restore.marked", "restore.aside", "restore.blocked"}
"""What no run passes: backups and restores, killed in tests/keeping."""

KILLED, NEXT = 2, 3
"""The numbers of the run that is killed and of the run after it."""


@dataclass(frozen=True)
class Stage:
    """A campus on the evening before a flow runs, and what it is like after an evening without a kill."""

    scene: str
    flow: str
    template: Path
    cluster: Cluster | None
    database: str
    points: list[str]
    """Every named point the run passes, in order, repeats included."""
    unhurt: twin.World
    library: Library | None = None

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """A copy of the campus, taken away at the end; the library begins anew."""
        if self.library is not None:
            self.library.fresh()
        with copied(self.template, self.cluster, self.database) as folder:
            yield folder

    def world(self, folder: Path) -> twin.World:
        """What a campus has become, with the library's own books."""
        return _world(folder, self.library, self.scene)


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
def stage(scene: str, cluster: Cluster | None) -> Iterator[Stage]:
    """Prepares the evening of a flow, on SQLite or in a cluster, and lives it once without a kill."""
    with ExitStack() as up:
        home = up.enter_context(light_folder())
        alma = up.enter_context(library.library()) if scene in OVER_HTTP else None
        flow, name = scene.partition(" ")[0], cluster.create() if cluster else ""
        template = campus.found(home / "template", cluster.address(name) if cluster else "")
        if alma is None:
            SCENES[scene](template)
        else:
            OVER_HTTP[scene](template, alma)
        with copied(template, cluster, name) as unhurt:
            points = child.run(unhurt, (flow, KILLED))
            child.run(unhurt, (flow, NEXT))
            world = _world(unhurt, alma, scene)
        yield Stage(scene, flow, template, cluster, name, points, world, alma)


def _world(folder: Path, alma: Library | None, scene: str) -> twin.World:
    return twin.world(folder, alma.books() if alma else (), timed=scene != child.SYNC)
