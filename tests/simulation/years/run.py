"""One campus-year from its seed: lived with faults, brought to rest each quarter, judged."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from tests.simulation.years.life import Life
from tests.simulation.years.oracle import Told, Verdict, judge

SHELF = Path("/dev/shm")
FIRST = date(2026, 7, 1)
QUARTER = 91
RESTS = 9


@dataclass
class Year:
    """What a campus-year came to."""

    seed: int
    losing: bool = False
    """Whether disks were lost in it."""
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
    seconds: float = 0.0
    """Of a processor."""
    commit: str = ""
    """Of the code that lived it, where that is known."""

    @property
    def right(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.unexplained_cents or self.wrong_hold_days)


def live(seed: int, days: int = 4 * QUARTER, *, losing: bool = False) -> Year:
    """Lives a campus-year of a seed; it stops on the first wrong day, and after the first wrong quarter. `losing`: disks are lost in it."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(dir=SHELF if SHELF.is_dir() else None) as folder:
        life = Life(seed, Path(folder), losing)
        year, told = Year(seed, losing), Told()
        if life.losses:
            life.losses.plan(FIRST, days, RESTS, QUARTER)
        try:
            on = FIRST
            lived = 0
            while lived < days and year.right:
                on = _quarter(life, told, on, year)
                lived += QUARTER
        except Exception as error:  # noqa: BLE001 - whatever breaks a year is what it has found
            year.unexplained_cents += 1
            year.words.append(f"{type(error).__name__}: {error}")
        finally:
            life.close()
        year.events, year.deaths, year.faults = life.events, life.weather.deaths, life.weather.seen
        if life.losses:
            year.faults["disk lost"] = life.losses.count
        year.story, year.points = life.story, life.machine.reached
        year.wrong_hold_days, year.excused_hold_days, year.hold_cycles = life.curb.wrong_days, life.curb.excused_days, life.curb.cycles
        year.events += life.curb.events
        year.words += life.curb.wrong[:12]
        year.seconds = round(time.process_time() - began, 1)
        return year


def _quarter(life: Life, told: Told, on: date, year: Year) -> date:
    for _ in range(QUARTER - RESTS):
        life.day(on)
        for cents, words in told.beyond(life):
            year.unexplained_cents += cents
            year.words.append(f"{on}: {words}")
        on += timedelta(days=1)
        if life.curb.wrong_days or not year.right:
            break
    else:
        on = life.rest(on, RESTS)
        _judged(year, judge(life))
    year.wrong_hold_days = life.curb.wrong_days
    return on


def _judged(year: Year, verdict: Verdict) -> None:
    year.unexplained_cents += verdict.unexplained_cents
    year.asked += verdict.asked
    year.words += verdict.words
