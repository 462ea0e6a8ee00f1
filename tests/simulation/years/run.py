"""One campus-year from its seed: lived with faults, brought to rest each quarter, judged."""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from tests.simulation.years.life import Life
from tests.simulation.years.oracle import Verdict, judge

SHELF = Path("/dev/shm")
QUARTER = 91
RESTS = 9


@dataclass
class Year:
    """What a campus-year came to."""

    seed: int
    events: int = 0
    deaths: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    unexplained_cents: int = 0
    wrong_hold_days: int = 0
    excused_hold_days: int = 0
    """Person-days on which a hold was not what it has to be because a partner lost or repeated a file, or a clerk took it off."""
    hold_cycles: int = 0
    """Days on which every hold was held against what is true, exactly."""
    asked: int = 0
    words: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    points: set[str] = field(default_factory=set)

    @property
    def right(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.unexplained_cents or self.wrong_hold_days)


def live(seed: int, days: int = 4 * QUARTER) -> Year:
    """Lives a campus-year of a seed; it stops at the first quarter that is wrong."""
    with tempfile.TemporaryDirectory(dir=SHELF if SHELF.is_dir() else None) as folder:
        life = Life(seed, Path(folder))
        year = Year(seed)
        try:
            on = date(2026, 7, 1)
            lived = 0
            while lived < days and year.right:
                for _ in range(QUARTER - RESTS):
                    life.day(on)
                    on += timedelta(days=1)
                on = life.rest(on, RESTS)
                lived += QUARTER
                _judged(year, judge(life))
                year.wrong_hold_days = life.curb.wrong_days
        except AssertionError as error:
            year.unexplained_cents += 1
            year.words.append(f"an assertion: {error}")
        finally:
            life.close()
        year.events, year.deaths, year.faults = life.events, life.weather.deaths, life.weather.seen
        year.story, year.points = life.story, life.machine.reached
        year.wrong_hold_days, year.excused_hold_days, year.hold_cycles = life.curb.wrong_days, life.curb.excused_days, life.curb.cycles
        year.events += life.curb.events
        year.words += life.curb.wrong[:12]
        return year


def _judged(year: Year, verdict: Verdict) -> None:
    year.unexplained_cents += verdict.unexplained_cents
    year.asked += verdict.asked
    year.words += verdict.words
