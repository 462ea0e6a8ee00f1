"""P01 and I13: a process killed at any named point, then run again, ends where a process that was never killed ends."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import bursarbridge
from tests.crash import child, parking, twin
from tests.crash.stages import DATABASES, ELSEWHERE, KILLED, NEXT, PASSED, Stage

StageOf = Callable[[str, str], Stage]

_SOURCE = Path(bursarbridge.__file__).parent
POINTS = {point for file in _SOURCE.rglob("*.py") for point in re.findall(r'reached\("([a-z.]+)"\)', file.read_text("utf-8"))}
"""Every crash point the source names."""

MAIN = ("library-charges", "library-payments", "library-credits", "library-returns", parking.FLOW)
"""The evenings that die at everything they pass; the others at every step, and at what only they pass."""
AGAIN = {"step.acted", "step.posting"}
"""Passed by a step that is done: not by one whose checkpoint is only read again."""
AFTER = {"step.noted", "step.posted"}
"""The engine has the step's checkpoint, and the next step has not begun; passed again by whoever recovers."""
_COMMON = set().union(*(PASSED[scene] for scene in MAIN))
CASES = [(scene, point) for scene in PASSED for point in sorted((PASSED[scene] if scene in MAIN else PASSED[scene] - _COMMON) - AGAIN - AFTER)]
STEPS = [(scene, point) for scene in PASSED for point in sorted(AGAIN | AFTER if scene in MAIN else AGAIN)]
IN_A_ROW = 10
"""Deaths of one run before it is let through; after twelve it would be set aside (P23)."""

TWICE = [
    ("library-charges", "collect.posting#2", "collect.posted"),
    ("library-charges", "collect.posted", "collect.kept"),
    ("library-charges", "submit.writing", "submit.sealed"),
    ("library-charges", "submit.sealed", "upload.written"),
    ("library-charges", "upload.written", "deliver.intended"),
    ("library-charges", "deliver.intended", "publish.linked"),
    ("library-charges", "publish.linked#3", "deliver.verified"),
    ("library-charges", "publish.renamed", "deliver.verified"),
    ("library-payments", "confirm.posted", "collect.posting"),
    ("library-payments", "collect.posting#3", "collect.posting"),
    ("library-payments", "publish.linked#4", "deliver.sent"),
    (parking.FLOW, "holds.writing", "holds.carried"),
    (parking.FLOW, "holds.carried", "deliver.intended"),
    (parking.FLOW, "holds.writing#2", "holds.writing"),
    (parking.FLOW, "holds.sealed", "publish.renamed"),
    (parking.FLOW, "publish.linked#2", "holds.writing"),
    (parking.FLOW, "confirm.posted", "collect.posting#2"),
    (parking.FLOW, "deliver.uploaded", "holds.writing"),
]
"""First death, and a second one while the first is being recovered from."""


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scene", PASSED)
def test_the_list_of_points_is_true(stage_of: StageOf, scene: str, database: str) -> None:
    assert set(stage_of(scene, database).points) == PASSED[scene]


def test_every_point_of_the_source_is_died_at() -> None:
    assert {point for _scene, point in CASES + STEPS} == POINTS - ELSEWHERE and not ELSEWHERE & set().union(*PASSED.values())


@pytest.mark.parametrize("scene", PASSED)
def test_every_durable_step_has_its_points(stage_of: StageOf, scene: str) -> None:
    """What the engine wrote down is what was passed: a step that names no point would be one too many."""
    stage = stage_of(scene, "sqlite")
    with stage.fresh() as folder:
        before = _checkpoints(folder)
        points = Counter(child.run(folder, (stage.flow, KILLED)))
        written = _checkpoints(folder) - before
    assert written == sum(points[one] for one in ("run.begun", "step.noted", "step.posted", "step.refused", "run.failed")) > 2
    assert (points["step.acted"], points["step.posting"]) == (points["step.noted"], points["step.posted"])


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(("scene", "point"), CASES)
def test_p01_a_kill_changes_nothing(stage_of: StageOf, database: str, scene: str, point: str) -> None:
    stage = stage_of(scene, database)
    for nth in range(1, stage.points.count(point) + 1):
        _once(stage, f"{point}#{nth}")


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(("scene", "point"), STEPS)
def test_p01_p02_a_kill_at_each_step_ten_in_a_row_changes_nothing(stage_of: StageOf, database: str, scene: str, point: str) -> None:
    """One run dies at its first step, again at the second, and so on; the runs that follow it (a report, alarms) die once at each."""
    stage = stage_of(scene, database)
    times = _of_first_run(stage.points).count(point)
    for first in range(1, times + 1, IN_A_ROW):
        with stage.fresh() as folder:
            child.run(folder, (stage.flow, KILLED), crash_at=f"{point}#{first}")
            for nth in range(first + 1, min(first + IN_A_ROW, times + 1)):
                # Who recovers does the step of the last death first, and dies at the one behind it.
                child.run(folder, (stage.flow, NEXT), crash_at=f"{point}#{2 if point in AGAIN else nth}")
            child.run(folder, (stage.flow, NEXT))
            _same(folder, stage)
    for nth in range(times + 1, stage.points.count(point) + 1):
        _once(stage, f"{point}#{nth}")


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(("flow", "first", "second"), TWICE)
def test_p01_a_kill_during_the_recovery_changes_nothing(stage_of: StageOf, database: str, flow: str, first: str, second: str) -> None:
    stage = stage_of(flow, database)
    with stage.fresh() as folder:
        child.run(folder, (flow, KILLED), crash_at=first)
        child.run(folder, (flow, NEXT), crash_at=second)
        child.run(folder, (flow, NEXT))
        _same(folder, stage)


NESTED = [
    ("library-charges", ["collect.fetched", "collect.posted", "submit.writing", "deliver.intended", "publish.linked"]),
    ("library-charges", ["collect.posting"] * 5),
    ("library-payments", ["confirm.posted", "collect.posting", "collect.cleared", "submit.sealed", "publish.renamed"]),
    (parking.FLOW, ["confirm.posted", "collect.posting", "holds.carried", "holds.writing", "publish.renamed"]),
    (parking.FLOW, ["holds.writing"] * 5),
    ("library-returns", ["step.acted#2", "waive.told", "step.acted#4", "waive.recorded#2", "step.posting"]),
    ("library-returns", ["step.acted"] * 5),
]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(("flow", "deaths"), NESTED)
def test_p02_five_deaths_one_inside_the_other_change_nothing(stage_of: StageOf, database: str, flow: str, deaths: list[str]) -> None:
    stage = stage_of(flow, database)
    with stage.fresh() as folder:
        child.run(folder, (flow, KILLED), crash_at=deaths[0])
        for point in deaths[1:]:
            child.run(folder, (flow, NEXT), crash_at=point)
        child.run(folder, (flow, NEXT))
        _same(folder, stage)


@pytest.mark.parametrize("database", DATABASES)
def test_the_evening_without_a_kill_says_what_it_should(stage_of: StageOf, database: str) -> None:
    charges, payments = stage_of("library-charges", database).unhurt, stage_of("library-payments", database).unhurt
    assert charges.places["in_transit"] == 15_575 and charges.places["source"] == 700
    assert payments.places["in_transit"] == 9_800 and payments.places["settled"] == 1_550 and payments.places["student_credit"] == 100
    credited = stage_of("library-credits", database).unhurt
    assert len(credited.books["credits"]) == 3 and any("_CRD_" in name for name in credited.files), "the credits leave in a file of their own"
    for world in (charges, payments, credited):
        assert world.unexplained_cents == 0 and not world.leftovers
        assert not [name for name in world.files if "/out/" in name and "/done/" not in name], "every file that was read is cleared"


@pytest.mark.parametrize("database", DATABASES)
def test_the_night_of_the_holds_without_a_kill_says_what_it_should(stage_of: StageOf, database: str) -> None:
    night = stage_of(parking.FLOW, database).unhurt
    told = sorted(tuple(json.loads(row)[:3]) for row in night.books["holds"])
    assert told == [
        *((f"001234{number}", "PRK", "PKCIT") for number in range(8)),
        ("0012349", "PRK", "PKCIT"),
        ("0012350", "PRK", "PKCIT"),
    ]
    stands = {row[0]: (row[3], row[4]) for row in map(json.loads, night.books["holds"])}
    assert {account for account, (verb, _) in stands.items() if verb == "release"} == {"0012340", "0012341", "0012342", "0012343", "0012346"}
    assert (stands["0012345"], stands["0012347"], stands["0012350"]) == (("change", 4000), ("change", 11_500), ("place", 1250))
    assert len([name for name in night.files if "/holds/in/" in name]) == 4, "the approved plan's, tonight's two, and the releases once more"
    assert not night.leftovers and not [name for name in night.files if "/out/" in name and "/done/" not in name]


@pytest.mark.parametrize("flow", ["library-charges", "library-payments", parking.FLOW])
def test_both_databases_tell_the_same(stage_of: StageOf, flow: str) -> None:
    assert not twin.differences(stage_of(flow, "sqlite").unhurt, stage_of(flow, "postgresql").unhurt)


def _once(stage: Stage, crash_at: str) -> None:
    with stage.fresh() as folder:
        child.run(folder, (stage.flow, KILLED), crash_at=crash_at)
        child.run(folder, (stage.flow, NEXT))
        _same(folder, stage)


def _of_first_run(points: list[str]) -> list[str]:
    """What the flow's own run passed: the report that follows is a run of its own, which begins to count anew once the first has ended."""
    begun = [at for at, point in enumerate(points) if point == "run.begun"]
    return points[: begun[1]] if len(begun) > 1 else points


def _checkpoints(folder: Path) -> int:
    file = folder / "data/bursarbridge.engine.db"
    if not file.exists():
        return 0  # nothing has run here yet
    with closing(sqlite3.connect(file)) as engine:
        return int(engine.execute("select count(*) from operation_outputs").fetchone()[0])


def _same(folder: Path, stage: Stage) -> None:
    hurt = stage.world(folder)
    different = twin.differences(hurt, stage.unhurt)
    assert not different, "\n".join(different)
    delivered = [content for name, content in hurt.files.items() if "/in/" in name]
    assert len(delivered) == len(set(delivered)), "no document stands there twice"
