"""Campus-years in the test command: short ones, of seeds with all sorts of weather. Many whole ones: ./dev simulate."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.years import __main__ as command
from tests.simulation.years.__main__ import told_wrong
from tests.simulation.years.plants import PLANTS, caught
from tests.simulation.years.run import QUARTER, Year, live


@pytest.mark.parametrize("seed", [2, 4])
def test_a_quarter_of_a_campus_year_comes_out_to_the_cent_and_to_the_hold(seed: int) -> None:
    year = live(seed, QUARTER)
    assert year.right, told_wrong(year)
    assert year.deaths and year.hold_cycles > QUARTER // 2 and sum(year.faults.values()) > 100, "nothing was put to the test"


def test_a_quarter_in_which_disks_are_lost_and_backups_put_back_comes_out_as_well() -> None:
    year = live(3, QUARTER, losing=True)
    assert year.right, told_wrong(year)
    assert year.faults["disk lost"] >= 2


@pytest.mark.parametrize("name", ["said and not sent", "sent before it stands", "doubled report taken"])
def test_a_bug_that_is_planted_is_caught(name: str) -> None:
    """The same quarter is right without it; all plants: ./dev simulate --plants."""
    (plant,) = [one for one in PLANTS if one.name == name]
    assert caught(plant, [4], QUARTER), f"the simulator lived with it and said nothing: {plant.lesson}"


def test_years_that_stand_in_the_log_are_reported_and_not_lived_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lived = {
        7: Year(7, events=3, deaths=1, faults=Counter({"death": 1, "mail": 2})),
        8: Year(8, wrong_hold_days=1, faults=Counter({"mail": 4}), story=["x"]),
    }
    monkeypatch.setattr(command, "live", lambda seed, _days, **_how: lived.pop(seed))
    monkeypatch.setattr(sys, "argv", ["simulate", "--years", "2", "--seed", "7", "--workers", "1", "--json", "--log", str(tmp_path / "rows")])
    assert command.main() == 1
    first = json.loads(capsys.readouterr().out)
    assert (first["faults"], first["wrong_seeds"], first["crashes"], first["wrong_hold_days"]) == ({"death": 1, "mail": 6}, [8], 1, 1)
    assert command.main() == 1 and not lived
    told = capsys.readouterr()
    assert json.loads(told.out) == first and "seed 8 went wrong" in told.err and "x" in told.err
