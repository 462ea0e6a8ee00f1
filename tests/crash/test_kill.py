"""P01 and I13: a process killed at any named point, then run again, ends where a process that was never killed ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import bursarbridge
from tests.crash import child, parking, twin
from tests.crash.stages import DATABASES, KILLED, NEXT, Stage

StageOf = Callable[[str, str], Stage]

_SOURCE = Path(bursarbridge.__file__).parent
POINTS = sorted({point for file in _SOURCE.rglob("*.py") for point in re.findall(r'reached\("([a-z.]+)"\)', file.read_text("utf-8"))})
"""Every crash point the source names."""

FLOWS = ("library-charges", "library-payments", "library-credits", parking.FLOW)

ONLY = {
    "confirm.posted": ("library-payments", parking.FLOW),
    "submit.writing": FLOWS[:3],
    "submit.sealed": FLOWS[:3],
    "holds.carried": (parking.FLOW,),
    "holds.writing": (parking.FLOW,),
    "holds.sealed": (parking.FLOW,),
    "holds.untold": (parking.FLOW,),
}
"""Who passes a point that not everybody passes. Charges wait for the bursar's results; files for Alma, and of holds, are confirmed by being taken."""

ELSEWHERE = {"waive.told", "waive.recorded", "collect.refused", "slot.noted", "slot.claimed", "slot.ran", "slot.settled", "alarm.noted"} | {
    "backup.copied",
    "restore.marked",
    "restore.aside",
}
"""library-returns passes the first two, only what comes by mail the third, a round of the timetable the others: tests/flows/test_returns.py,
test_mail_in.py and tests/test_sync.py die at them; backups and restores pass the last ones, tests/keeping dies there."""

CASES = [(flow, point) for flow in FLOWS for point in POINTS if point not in ELSEWHERE and flow in ONLY.get(point, FLOWS)]

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
@pytest.mark.parametrize(("flow", "point"), CASES)
def test_p01_a_kill_changes_nothing(stage_of: StageOf, database: str, flow: str, point: str) -> None:
    stage = stage_of(flow, database)
    times = stage.points.count(point)
    assert times, f"{point} is not passed by {flow}: the list of points is not true any more"
    for nth in range(1, times + 1):
        with stage.fresh() as folder:
            child.run(folder, (flow, KILLED), crash_at=f"{point}#{nth}")
            child.run(folder, (flow, NEXT))
            _same(folder, stage)


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


def _same(folder: Path, stage: Stage) -> None:
    hurt = twin.world(folder)
    different = twin.differences(hurt, stage.unhurt)
    assert not different, "\n".join(different)
    delivered = [content for name, content in hurt.files.items() if "/in/" in name]
    assert len(delivered) == len(set(delivered)), "no document stands there twice"
