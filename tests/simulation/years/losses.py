"""Losses: the machine's disk is lost, some days after a backup; people put it back, and find out with the bridge what left since (P21)."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from bursarbridge.errors import TryLater
from bursarbridge.flows.reconcile import Findings
from bursarbridge.wiring import backups, reconciling, restoring
from tests.simulation.years.bridge import Machine
from tests.simulation.years.journal import Killed

HOURS = ((7, 0), (9, 30), (11, 30), (13, 30), (17, 30), (19, 0), (22, 30))
"""When a disk may die: between any two of the day's runs."""


@dataclass
class Losses:
    """When a campus-year backs up before a loss, and what then goes with the ledger."""

    chance: random.Random
    machine: Machine
    folder: Path
    copies: Path
    """What partners have of us, as they would give it back."""
    tell: Callable[[str], None]
    backups_on: dict[date, date] = field(default_factory=dict)
    """Day of a backup, and day of the loss after it."""
    count: int = 0
    dated: set[str] = field(default_factory=set)
    """Names of documents of ours whose files have the simulation's time."""

    def plan(self, first: date, days: int, rests: int, quarter: int) -> None:
        """Chooses some losses for each quarter, none while it comes to rest."""
        for begin in range(0, days, quarter):
            at = begin + self.chance.randint(2, 12)
            while at < begin + quarter - rests - 4:
                on = first + timedelta(days=at)
                self.backups_on[on] = on + timedelta(days=self.chance.choice((0, 1, 1, 2, 2, 3, 4)))
                at += self.chance.randint(8, 25)

    def agenda(self, on: date) -> Iterator[tuple[int, int, Callable[[], None]]]:
        """What is to be done on a day."""
        yield from ((hour, 59, self._date) for hour in range(24))
        if on in self.backups_on:
            yield 2, 45, self._back_up
        if on in self.backups_on.values():
            yield *self.chance.choice(HOURS), self._lose

    def _date(self) -> None:
        """A file that the bridge wrote has this machine's time, which is not the campus's."""
        now = self.machine.now().timestamp()
        for path in [*self.folder.glob("near/*/in/*"), *self.folder.glob("near/*/*/in/*"), *self.copies.iterdir()]:
            if path.is_file() and f"{path.parent.name}/{path.name}" not in self.dated:
                self.dated.add(f"{path.parent.name}/{path.name}")
                os.utime(path, (now, now))

    def _back_up(self) -> None:
        shutil.rmtree(self.folder / "store", ignore_errors=True)
        backups.back_up(self.machine.bridge, self.folder / "store")
        self.tell("a backup was made")

    def _lose(self) -> None:
        """The disk is lost: the ledger, and now and then the vault with it. Yesterday's backup, or an older one, is put back."""
        self._date()
        machine, settings = self.machine, self.machine.settings
        machine.bridge.close()
        data = Path(str(machine.bridge.ledger.url.database)).parent
        whole = self.chance.random() < 0.4
        for path in sorted(data.iterdir()):
            if whole or path.name.startswith("bursarbridge."):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        machine.journal.runs.clear()
        done = restoring.restore(settings, self.folder / "store", machine.now, lambda _point: None, over=True)
        machine.restart(hasty=False)
        self.count += 1
        self.tell(f"the disk was lost{' with the vault' if whole else ''}; the backup of {done.manifest.made_at} was put back")
        documents = self.copies if whole or self.chance.random() < 0.5 else None
        for confirm in (False, True):
            found = self._reconciled(documents, confirm=confirm)
            said = ", ".join(f"{one['name']} {one['state']}" for one in found["documents"] if one["state"] != "known")
            self.tell(f"reconciled{' and confirmed' if confirm else ''}: {said or 'nothing new'}; {len(found['inputs'])} files read again")
        machine.restart()

    def _reconciled(self, documents: Path | None, *, confirm: bool) -> Findings:
        """People try again where a line is cut, or the process dies."""
        self.machine.light("death")
        for _ in range(60):
            try:
                return reconciling.reconcile(self.machine.bridge, "Imre", "compared with both offices", documents, confirm=confirm)
            except TryLater:
                continue
            except Killed:
                self.machine.weather.deaths += 1
                self.machine.restart(hasty=False)
        raise AssertionError("the line was cut sixty times in a row")


def losses_of(seed: int, machine: Machine, folder: Path, copies: Path, tell: Callable[[str], None]) -> Losses:
    """The losses of a seed: of a chance of their own, so that a year without them is the same year."""
    return Losses(random.Random(f"losses {seed}"), machine, folder, copies, tell)
