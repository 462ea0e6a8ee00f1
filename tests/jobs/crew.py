"""Worker processes on one PostgreSQL ledger, each of which can be killed, frozen and thawed; and what they leave behind to be counted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from bursarbridge.jobs import engine, takeover, workers
from bursarbridge.jobs.crew import at_work
from bursarbridge.jobs.engine import DurableSteps, Engine
from bursarbridge.jobs.lock import Busy
from bursarbridge.jobs.takeover import TakeOver
from bursarbridge.jobs.workers import Leased
from bursarbridge.store import opening
from bursarbridge.store.owners import RunOwners
from tests.servers import eventually

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["bursarbridge.jobs.engine", "bursarbridge.store.owners", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"])

NOW = "2026-08-03T02:00:00Z"
PLACES = ("in fetch", "fetched", "in post", "posted", "in send", "sent")


@dataclass(frozen=True)
class Job:
    """A run that a worker starts; it says `name place` in the folder and waits there as long as a file `hold place` lies there."""

    flow: str
    name: str


@dataclass(frozen=True)
class Chain:
    """Three steps that leave traces: a line in a file (outside), a row in the ledger (inside), a line again."""

    folder: Path

    def __call__(self, steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        steps.act("fetch", lambda: self._trace(name, "fetch"))
        self._passing(name, "fetched")
        posted = steps.post("post", lambda connection: self._post(connection, name, now))
        self._passing(name, "posted")
        steps.act("send", lambda: self._trace(name, "send"))
        self._passing(name, "sent")
        return {"posted": posted}

    def _passing(self, name: str, place: str) -> None:
        (self.folder / f"at {name} {place} {os.getpid()}").touch()
        while (self.folder / f"hold {place} {os.getpid()}").exists():
            time.sleep(0.01)

    def _trace(self, name: str, word: str) -> int:
        self._passing(name, f"in {word}")
        with (self.folder / f"traces {name}").open("a") as file:
            file.write(f"{word} {os.getpid()}\n")
        return 1

    def _post(self, connection: sa.Connection, name: str, now: str) -> int:
        connection.execute(sa.text("insert into run (name, flow, version, started_at) values (:n, 'toy', '1', :at)"), {"n": f"{name}-row", "at": now})
        self._passing(name, "in post")
        return 1


@dataclass
class Crew:
    """The workers of a test."""

    address: str
    folder: Path
    members: list[Worker] = field(default_factory=list)

    def hire(self, *jobs: Job, hold: str = "", version: str = engine.VERSION, lease: float = 2) -> Worker:
        """A worker that starts these jobs, one after another, and takes over what others leave."""
        worker = Worker(self, jobs, version, lease, len(self.members), hold)
        self.members.append(worker)
        worker.start()
        return worker

    def rows(self, name: str) -> int:
        """How often the run's row was posted."""
        ledger = opening.open_engine(self.address)
        with ledger.connect() as connection:
            found = connection.execute(sa.text("select count(*) from run where name = :n"), {"n": f"{name}-row"}).scalar_one()
        ledger.dispose()
        return int(found)

    def ended(self, name: str) -> bool:
        """Whether the engine knows that run as done."""
        ledger = opening.open_engine(self.address)
        with ledger.connect() as connection:
            status = connection.execute(sa.text("select status from dbos.workflow_status where workflow_uuid = :n"), {"n": name}).scalar_one_or_none()
        ledger.dispose()
        return status == "SUCCESS"

    def living(self) -> list[str]:
        """The slots that somebody holds, as the server sees it."""
        ledger = opening.open_engine(self.address)
        with ledger.connect() as connection:
            found = [one.slot for one in at_work(connection)]
        ledger.dispose()
        return found

    def traces(self, name: str) -> list[str]:
        """What was done outside for a run, in order."""
        path = self.folder / f"traces {name}"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


class Worker:
    """A process at work."""

    def __init__(self, crew: Crew, jobs: Sequence[Job], version: str, lease: float, number: int, hold: str) -> None:
        self._crew = crew
        self._number = number
        self.said = crew.folder / f"said {number}"
        self.process = _FORKS.Process(target=_child, args=(crew.address, crew.folder, jobs, version, lease, number, hold), daemon=True)

    def start(self) -> None:
        self.process.start()
        assert eventually((self._crew.folder / f"ready {self._number}").exists, 30), self.words()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def reaches(self, name: str, place: str) -> None:
        assert eventually((self._crew.folder / f"at {name} {place} {self.pid}").exists, 20), f"{place}: {self.words()}"

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def let_go(self, place: str) -> None:
        (self._crew.folder / f"hold {place} {self.pid}").unlink()

    def words(self) -> str:
        return self.said.read_text() if self.said.exists() else ""

    def finish(self) -> None:
        """Asks it to end, and waits."""
        (self._crew.folder / f"leave {self._number}").touch()
        self.process.join(20)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextmanager
def crew_on(address: str, folder: Path) -> Iterator[Crew]:
    """A crew that is dismissed at the end."""
    folder.mkdir()
    crew = Crew(address, folder)
    try:
        yield crew
    finally:
        for worker in crew.members:
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _child(address: str, folder: Path, jobs: Sequence[Job], version: str, lease: float, number: int, hold: str) -> None:
    engine.VERSION = version
    workers.LEASE_SECONDS, workers._BEAT_SECONDS, takeover.LOOK_SECONDS = lease, lease / 6, 0.3
    said = folder / f"said {number}"
    if hold:
        (folder / f"hold {hold} {os.getpid()}").touch()
    try:
        _work(address, folder, jobs, number, lambda words: said.write_text(f"{words}\n"))
    except BaseException:  # noqa: BLE001 - whatever it is, the parent shows it
        said.write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _work(address: str, folder: Path, jobs: Sequence[Job], number: int, say: Callable[[str], object]) -> None:
    ledger = opening.open_engine(address)
    post = Leased(ledger, engine.VERSION)
    post.take()
    running = Engine(ledger, {"toy": Chain(folder), "other": Chain(folder)}, at=post, owners=RunOwners())
    running.launch()
    ended = threading.Event()
    looks = TakeOver(post, running.unfinished, running.active, running.resume)
    looking = threading.Thread(target=looks.keep_looking, args=(ended, lambda names: say(f"took {names}")), daemon=True)
    looking.start()
    _appear(folder / f"ready {number}", post.slot)
    for job in jobs:
        try:
            _appear(folder / f"result {number} {job.name}", str(running.run(job.flow, job.name, NOW)))
        except Busy as error:
            _appear(folder / f"result {number} {job.name}", f"Busy: {error}")
    while not (folder / f"leave {number}").exists():
        time.sleep(0.02)
    ended.set()
    looking.join()
    running.close()
    post.give_back()


def _appear(path: Path, text: str) -> None:
    """A file that is there only with all of its text: whoever waits for it reads it at once."""
    begun = path.with_name(f"{path.name}.begun")
    begun.write_text(text)
    begun.replace(path)
