"""Campus-years in the test command: short ones, of seeds with all sorts of weather. Many whole ones: ./dev simulate."""

import pytest

from tests.simulation.years.__main__ import told_wrong
from tests.simulation.years.plants import PLANTS, caught
from tests.simulation.years.run import QUARTER, live


@pytest.mark.parametrize("seed", [2, 4])
def test_a_quarter_of_a_campus_year_comes_out_to_the_cent_and_to_the_hold(seed: int) -> None:
    year = live(seed, QUARTER)
    assert year.right, told_wrong(year)
    assert year.deaths and year.hold_cycles > QUARTER // 2 and sum(year.faults.values()) > 100, "nothing was put to the test"


@pytest.mark.parametrize("name", ["said and not sent", "sent before it stands", "doubled report taken"])
def test_a_bug_that_is_planted_is_caught(name: str) -> None:
    """The same quarter is right without it; all plants: ./dev simulate --plants."""
    (plant,) = [one for one in PLANTS if one.name == name]
    assert caught(plant, [4], QUARTER), f"the simulator lived with it and said nothing: {plant.lesson}"
