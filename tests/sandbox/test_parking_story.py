"""The nights of parking, with a naive bridge that does the hold flow by hand, and without any."""

from pathlib import Path

from bursarbridge.sandbox import story
from bursarbridge.sandbox.parking_people import ADA_PARKS, ADVISING, BAO_PARKS, CARMEN_PARKS
from bursarbridge.sandbox.parking_story import HOLDS, in_force, open_parking, scenes
from bursarbridge.sandbox.story import make_campus
from tests.sandbox.naive import NOON
from tests.sandbox.naive_holds import NaiveHolds


def test_with_a_naive_bridge_the_holds_follow_what_is_owed(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    open_parking(campus, NOON)
    bridge, told = NaiveHolds(campus), []
    for scene in scenes():
        told.append(scene.act(campus, scene.at))
        if scene.flow == HOLDS:
            bridge(scene.at)
    assert in_force(campus) == {ADA_PARKS.user_id: 120_00, CARMEN_PARKS.user_id: 30_00}
    assert [row.code for row in campus.holds.indicators.of(BAO_PARKS.user_id)] == [ADVISING]
    assert [line for line in told if "placed" in line] == [
        "4 placed, 0 changed, 0 released, 0 refused; the list is BB_SRVC_IND_20261015_030000.csv.",
        "0 placed, 2 changed, 2 released, 0 refused; the list is BB_SRVC_IND_20261016_030000.csv.",
    ]
    assert "PRK Parking violations, $45.00: classes cannot be added (AENR)." in told
    assert bridge.runs == 3


def test_without_a_bridge_nobody_has_a_hold_and_the_days_pass(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    open_parking(campus, NOON)
    told = [scene.act(campus, scene.at) for scene in scenes()]
    assert in_force(campus) == {} and "There is no hold." in told


def test_the_scenes_are_in_order_and_fit_between_the_librarys() -> None:
    times = [scene.at for scene in scenes()]
    assert times == sorted(times) and not set(times) & {scene.at for scene in story.scenes()}
    assert {scene.flow for scene in scenes()} == {None, HOLDS}
