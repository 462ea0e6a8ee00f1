"""The demo's workers: processes of their own that find out from the timetable what is due. One of them is killed, and another goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bursarbridge.assembly.timetable import schedules
from bursarbridge.errors import Refused, TryLater
from bursarbridge.jobs.crew import at_work, who_ran
from bursarbridge.store import runs, slots
from bursarbridge.store.slots import Key, SlotRow
from bursarbridge.wiring import mailings

if TYPE_CHECKING:
    from datetime import datetime

    from bursarbridge.wiring import Bridge

_T = TypeVar("_T")
_PROGRAM = (sys.executable, "-c", "from bursarbridge.cli import main; main()")
_PATIENCE = timedelta(seconds=90)
"""For one run, with a worker killed in the middle of it on a busy machine; some ten seconds are usual then."""
_LOOK_SECONDS = 0.05
_END_SECONDS = 20


@dataclass
class Worker:
    """One of the workers; when it is killed, the next process takes its number."""

    number: int
    running: subprocess.Popen[bytes]
    log: Path
    runs: list[str] = field(default_factory=list)
    """The runs that it ended."""
    killed_in: list[str] = field(default_factory=list)
    """The runs in the middle of which it was killed."""


class Hand(NamedTuple):
    """Who ended a run, and whom it was taken over from."""

    worker: int
    """0 when a person started the run."""
    killed: int
    """The worker that was killed in the middle of it; 0 for none."""


@dataclass
class Crew:
    """Workers on one campus, the hands of the clock that they go by, and a person who starts what no timetable starts."""

    bridge: Bridge
    settings: Path
    show: Callable[[], datetime]
    """Lets the workers' clock show what time it is in the story; returns that."""
    now: Callable[[], datetime]
    """The real time, for patience only."""
    workers: list[Worker] = field(default_factory=list)
    last: Hand = field(default=Hand(0, 0))
    """Who ended the newest run."""

    def begin(self, count: int) -> None:
        """Starts the workers and waits until each has a slot and all of them have seen the timetable."""
        self.show()
        self.workers += [Worker(number, self._worker(number), self._log(number)) for number in range(1, count + 1)]
        flows = {one.flow for one in schedules(self.bridge.settings)}
        self._until(lambda: len(self._hands()) >= count and flows <= self._seen(), "all workers are at work")

    def end(self) -> None:
        """Stops the workers as systemd does; what does not end is killed."""
        for worker in self.workers:
            worker.running.terminate()
        for worker in self.workers:
            try:
                worker.running.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                worker.running.kill()
                worker.running.wait()

    def carry_out(self, flow: str) -> dict[str, object]:
        """Lets the clock show the story's time and waits until a worker has run what is then due; returns the run's summary."""
        key = self._key(flow, self.show())
        row = self._until(lambda: self._over(key), f"{flow} of {key.local_date} {key.slot} has been run")
        self._until(self._at_rest, "what follows the run has been mailed")
        if row.state != "done":
            raise Refused(f"{row.run_name} ended as {row.state}: {row.words or row.outcome}")
        ended, killed = self._who(row.run_name), next((one for one in self.workers if row.run_name in one.killed_in), None)
        self.last = Hand(ended.number if ended else 0, killed.number if killed else 0)
        if ended is not None:
            ended.runs.append(row.run_name)
        if killed is not None:
            killed.running = self._worker(killed.number)
        with self.bridge.books() as books:
            summary = runs.summary_of(books, row.run_name)
        return {"run": row.run_name, "flow": flow, **summary}

    def by_hand(self, *words: str) -> dict[str, object]:
        """What a person types, beside the workers; returns what the command gives."""
        self.show()
        self.last = Hand(0, 0)
        command = [*_PROGRAM, *words, "--config", str(self.settings), "--json"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE.total_seconds(), check=False)
        except subprocess.TimeoutExpired:
            raise TryLater(f"bursarbridge {' '.join(words)} did not end within {_PATIENCE.seconds} seconds") from None
        if done.returncode:
            raise Refused(f"bursarbridge {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
        told: dict[str, object] = json.loads(done.stdout)
        return told

    def kill_whoever_runs(self, flow: str) -> None:
        """Kills, as a power cut does, the worker that is running a flow now; for the moments when a partner has a worker at the phone."""
        with self.bridge.books() as books:
            run = next(one.run_name for one in slots.waiting(books) if one.flow == flow and one.state == "running")
        worker = self._who(run)
        if worker is None:
            raise Refused(f"nobody knows which worker runs {run}")
        os.kill(worker.running.pid, signal.SIGKILL)
        worker.running.wait()
        worker.killed_in.append(run)

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        with self._log(number).open("ab") as log:
            command = [*_PROGRAM, "work", "--config", str(self.settings)]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _log(self, number: int) -> Path:
        return self.settings.parent / f"worker-{number}.log"

    def _key(self, flow: str, at: datetime) -> Key:
        local = at.astimezone(self.bridge.settings.campus.timezone)
        return Key(flow, local.date().isoformat(), f"{local:%H:%M}")

    def _hands(self) -> dict[str, int]:
        with self.bridge.books() as books:
            return {one.slot: one.pid for one in at_work(books.connection)}

    def _who(self, run: str) -> Worker | None:
        with self.bridge.books() as books:
            slot = who_ran(books.connection, [run]).get(run, "")
        pid = self._hands().get(slot)
        return next((one for one in self.workers if one.running.pid == pid), None)

    def _seen(self) -> set[str]:
        with self.bridge.books() as books:
            return set(slots.seen(books))

    def _over(self, key: Key) -> SlotRow | None:
        with self.bridge.books() as books:
            row = slots.one(books, key)
        return row if row is not None and row.state not in ("due", "running") else None

    def _at_rest(self) -> bool:
        """Whether nothing is under way: the mail that follows a run of holds may be another worker's."""
        if mailings.holds_untold(self.bridge):
            return False
        with self.bridge.books() as books:
            return runs.open_ones(books) == 0

    def _until(self, found: Callable[[], _T | None], words: str) -> _T:
        began, pause = self.now(), threading.Event()
        while not (answer := found()):
            self._still_there()
            if self.now() - began > _PATIENCE:
                raise TryLater(f"it took more than {_PATIENCE.seconds} seconds until {words}; what the workers said is in {self._log(1).parent}")
            pause.wait(_LOOK_SECONDS)
        return answer

    def _still_there(self) -> None:
        for worker in self.workers:
            if worker.running.poll() not in (None, -signal.SIGKILL):
                said = worker.log.read_text("utf-8", "replace").strip().splitlines()[-1:]
                raise Refused(f"worker {worker.number} ended by itself: {' '.join(said) or 'it said nothing'}")
