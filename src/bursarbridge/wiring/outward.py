"""One campus's bridge seen from outside: its numbers for Prometheus, and why it is not well, if it is not."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bursarbridge.config.model import Settings
from bursarbridge.errors import BridgeError, Refused, TryLater
from bursarbridge.flows.run import utc_text
from bursarbridge.ports.calls import Log, unlogged
from bursarbridge.store import late, measures, opening
from bursarbridge.store.brief import brief
from bursarbridge.store.measures import RecordCounts
from bursarbridge.wiring.log import LineLog
from bursarbridge.wiring.outside import Clock
from bursarbridge.wiring.watch import Watch

if TYPE_CHECKING:
    from bursarbridge.console.metrics import Answered

_MIB = 1 << 20


@dataclass
class Outward:
    """What is asked by those who watch from outside. Neither question raises, changes anything, or waits long for the ledger."""

    settings: Settings
    clock: Clock
    ledger: sa.Engine
    watch: Watch
    records: RecordCounts = field(default_factory=RecordCounts)
    _well: bool = True

    def metrics(self, answered: Answered) -> bytes:
        """The page of numbers; without those of the ledger when that does not answer."""
        from importlib.metadata import version  # this and the metrics library: only for those who are scraped

        from bursarbridge.console.metrics import Seen, page

        found = None
        try:
            with brief(self.ledger, utc_text(self.clock())) as books:
                found = measures.measure(books)
                self.records.look(books)
        except TryLater:
            pass
        log, pulse = self.watch.log, self.watch.pulse
        return page(
            Seen(
                version=version("bursarbridge"),
                environment=self.settings.campus.environment,
                measures=found,
                records=self.records.counted,
                answered=dict(answered.counted),
                disks=disks(self.settings),
                lines_lost=log.lost if isinstance(log, LineLog) else 0,
                pings=dict(pulse.told) if pulse else {},
            )
        )

    def unhealthy(self) -> list[str]:
        """Why the bridge is not well, in words; none when it is. A change is logged."""
        reasons = unhealthy(self.settings, self.ledger, self.clock())
        if bool(reasons) is self._well:
            self._well = not reasons
            self.watch.log("health_good" if self._well else "health_bad", reasons=len(reasons))
        return reasons


def unhealthy(settings: Settings, ledger: sa.Engine, now: datetime) -> list[str]:
    """Why the bridge is not well: the ledger does not answer or is unfit for this program, a leg is late, a run is stuck, a disk is nearly full."""
    return [*_of_ledger(settings, ledger, now), *_of_disks(settings)]


def unhealthy_unopened(settings: Settings, now: datetime) -> list[str]:
    """The same for a process that has no ledger open; a ledger that is not there is not made, nor an old one brought up to date."""
    try:
        url = settings.storage.database.url()
        if url.startswith("sqlite:") and not Path(url.removeprefix("sqlite:")).is_file():
            return ["there is no ledger yet: no command has run on it", *_of_disks(settings)]
        ledger = opening.open_engine(url)
    except Refused as error:
        return [str(error)]
    try:
        return unhealthy(settings, ledger, now)
    finally:
        ledger.dispose()


def _of_ledger(settings: Settings, ledger: sa.Engine, now: datetime) -> list[str]:
    stuck_after = settings.health.stuck_after
    try:
        with brief(ledger, utc_text(now)) as books:
            if unfit := opening.unfit(books.connection):
                return [unfit]
            blocked = ["the ledger was put back from a backup, and nothing leaves until it is reconciled"] if measures.epoch_blocks(books) else []
            stuck = [
                f"{'a run' if one.number == 1 else f'{one.number} runs'} of {one.name} began at {one.at} and did not end"
                for one in measures.stuck_runs(books, utc_text(now - stuck_after))
            ]
            return [*blocked, *(leg.words for leg in late.late_legs(books)), *stuck]
    except BridgeError as error:
        return [str(error)]


def _of_disks(settings: Settings) -> list[str]:
    least = settings.health.disk_free_mib
    found = disks(settings)
    silent = [f"the disk of the {place} does not answer" for place in _places(settings) if place not in found]
    return silent + [f"{free // _MIB} MiB are free for the {place}, and {least} are wanted" for place, free in found.items() if free < least * _MIB]


def disks(settings: Settings) -> dict[str, int]:
    """Free bytes where the vault and a SQLite ledger are; one whose disk does not answer is left out."""
    found = {}
    for place, path in _places(settings).items():
        try:
            found[place] = shutil.disk_usage(_standing(path)).free
        except OSError:
            continue
    return found


def _places(settings: Settings) -> Mapping[str, Path]:
    try:
        url = settings.storage.database.url()
    except Refused:
        url = ""
    ledger = {"ledger": Path(url.removeprefix("sqlite:")).parent} if url.startswith("sqlite:") else {}
    vault = {"vault": settings.storage.vault} if isinstance(settings.storage.vault, Path) else {}
    return vault | ledger


def _standing(path: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next((one for one in (path, *path.parents) if one.exists()), path)


def turned_away(log: Log, counted: Mapping[tuple[str, str], int]) -> None:
    """Logs calls that were turned away: a line for each source and reason of a commit, however many there were (S08)."""
    if log is unlogged:
        return
    for (source, reason), calls in counted.items():
        log("webhook_turned_away", source=source, reason=reason, calls=calls)
