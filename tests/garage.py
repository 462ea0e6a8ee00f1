"""A campus with a parking office and a bursar of the sandbox, and the real hold flow on real settings between them, on steps that survive a death.

The sandbox reads and writes every file with its own lines, so that one mistake cannot agree with itself; `now` is set by the test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bursarbridge import config
from bursarbridge.assembly.hold_parts import ready_holds
from bursarbridge.assembly.revive import record_poster, revive
from bursarbridge.config.model import FolderConnection, Settings
from bursarbridge.config.places import Database
from bursarbridge.errors import BridgeError, TryLater
from bursarbridge.examples.example import write_example
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.guarding import decide
from bursarbridge.flows.holds import HoldsFlow, HoldSummary, run_holds
from bursarbridge.flows.resolve import resolve
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.ports import Endpoint
from bursarbridge.sandbox.folders import HOLDS_IN, HOLDS_OUT, PARKING_OUT
from bursarbridge.sandbox.hold_jobs import HoldJobs
from bursarbridge.sandbox.indicators import HoldCode, ServiceIndicators
from bursarbridge.sandbox.parking import Parking
from bursarbridge.store import guarded, opening, runs, views
from bursarbridge.store.books import Books
from bursarbridge.wiring.recording import Recorded
from tests.campus import Line, _hasten, _migrated
from tests.simulation.years.journal import Journal, JournalEngine, Killed, Steps

R = TypeVar("R")
ZONE = ZoneInfo("America/Los_Angeles")
MORNING = datetime(2026, 9, 1, 2, 0, tzinfo=ZONE)
FLOW = "parking-holds"
OURS = HoldCode("PRK", "PKCIT", "Parking", "AENR", "no enrollment", "PARKING")
THEIRS = HoldCode("LIB", "LIBFN", "Library", "AENR", "no enrollment", "LIBRARY")
PARKING = r"""
[connections.parking]
kind = "folder"
path = "parking"
[sources.parking]
adapter = "opscom"
reference_prefix = "P"
connection = "parking"
timezone = "America/Los_Angeles"
[[sources.parking.violations]]
kind = "full"
folder = "out"
files = ["violations_full_*.csv"]
as_of = '(\d{8})_(\d{6})'
settle = "0s"
titles = ["User ID", "User Type", "Violation Number", "Violation Type", "Violation Date", "Amount Owed", "Status"]
dates = ["MM/DD/YYYY"]
[sources.parking.violations.columns]
id = "User ID"
user_type = "User Type"
reference = "Violation Number"
category = "Violation Type"
violated_on = "Violation Date"
amount = "Amount Owed"
status = "Status"
[sources.parking.violations.statuses]
Open = "open"
Appealed = "disputed"
Paid = "paid"
Spoiled = "void"
Warning = "warning"
"System Processed" = "not_evidence"
"""
CHANGES = PARKING[PARKING.index("[[sources") :].replace('"full"', '"changes"').replace("violations_full", "violations_changes")
HOLDS = r"""
[mail]
relay = "127.0.0.1:1"
tls = "none"
from = "Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.holds]
to = ["parking@example.edu"]
[holds.parking]
code = "PRK"
reason = "PKCIT"
institution = "EXCCD"
impact = "registration"
threshold = "0.01"
grace = "0d"
notice = "0d"
user_types = []
disputed = "wait"
exempt = []
confirmed_by = "collected"
added = { folder = "holds/in", layout = "generic-holds-added", name = "HOLDS_{sequence:06d}_ADDED.dat" }
released = { folder = "holds/in", layout = "generic-holds-released", name = "HOLDS_{sequence:06d}_RELEASED.dat" }
snapshot = { folder = "holds/out", files = ["BB_SRVC_IND_*.csv"], layout = "ps-query-indicators", as_of = '(\d{8})_(\d{6})', settle = "0s" }
"""
SECTIONS = PARKING + CHANGES + HOLDS


class Watched(Steps):
    """Steps that say which transaction has just been committed; nothing is said of one that is only replayed."""

    committed: Callable[[str], None] = staticmethod(lambda _name: None)

    def post(self, name: str, deed: Callable[[sa.Connection], R]) -> R:
        """One transaction; its checkpoint is part of it."""
        ran: list[str] = []

        def noted(connection: sa.Connection) -> R:
            ran.append(name)
            return deed(connection)

        result = super().post(name, noted)
        if ran:
            self.committed(name)
        return result


class Garage:
    """One campus in a folder. `text` is what follows the example's settings; changing it is what a person does to them."""

    def __init__(self, folder: Path, text: str = SECTIONS) -> None:
        self.folder, self.text = folder, text
        self.now = MORNING
        self.people: dict[str, str] = {}
        self.parking, self.indicators = Parking(), ServiceIndicators("EXCCD", self.people, (OURS, THEIRS))
        self.jobs = HoldJobs(folder, self.parking, self.indicators, [])
        self.jobs.prepare()
        self.cut: set[str] = set()
        """As Campus.cut: what the line does to the next such deed."""
        self.journal = Journal(after_deed=lambda _name: self._reached("engine.acted"))
        self.committed: Callable[[str], None] = lambda _name: None
        """Called with the name of each step after its transaction."""
        self.moment = MORNING
        """The instant of the run that is under way, or was last: a run that goes on after a death keeps its own."""
        self._fuse = 0
        self.points: list[str] = []
        if not (folder / "ledger.db").exists():
            shutil.copy(_migrated(), folder / "ledger.db")
        self.ledger = opening.open_engine(f"sqlite:{folder / 'ledger.db'}")
        sa.event.listen(self.ledger, "connect", _hasten)
        with self.books() as books:
            self._runs = int(books.one("select count(*) from run"))

    def later(self, **span: float) -> None:
        """Lets time pass."""
        self.now = (self.now.astimezone(ZoneInfo("UTC")) + timedelta(**span)).astimezone(ZONE)

    @property
    def settings(self) -> Settings:
        """The settings as they stand now, in this folder."""
        return settings_in(self.folder, self.text)

    @property
    def today(self) -> str:
        """The campus date."""
        return self.now.date().isoformat()

    def flow(self, name: str = FLOW) -> HoldsFlow:
        """The flow as assembly makes it of the settings."""
        made: dict[tuple[str, str, Clear], Endpoint] = {}
        settings = self.settings

        def place(connection: str, folder: str, clear: Clear) -> Endpoint:
            where = cast("FolderConnection", settings.connections[connection])
            endpoint = FolderEndpoint(where.path / folder, clear=clear, reached=self._reached)
            return made.setdefault((connection, folder, clear), Line(endpoint, self.cut))

        return ready_holds(name, settings, place)

    def run(self, flow: str = FLOW, *, dies_after: int = 0) -> HoldSummary | None:
        """Finishes what a death cut off, then runs; None when it died (after so many named points) or failed with words."""
        engine = JournalEngine(self.journal, self.ledger, {FLOW: self._procedure(FLOW), f"{FLOW}-full": self._procedure(f"{FLOW}-full")}, Recorded)
        self._runs += 1
        self._fuse = dies_after
        try:
            engine.finish_resumed()
            return cast("HoldSummary", engine.run(flow, f"{flow}-{self._runs}", utc_text(self.now)))
        except (Killed, TryLater):
            return None
        finally:
            self._fuse = 0
            self.cut.clear()

    def decide(self, number: int, actor: str, verdict: str) -> str:
        """A person approves or rejects. Raises Refused when that is not lawful."""
        self._runs += 1
        with self.books(writing=True) as books:
            books.run = runs.begin(books, f"{verdict}-{self._runs}", "guards", "1")
            return decide(books, number, actor, verdict, "a test")

    def held(self) -> list[guarded.Guarded]:
        """What waits for people."""
        with self.books() as books:
            return guarded.open_ones(books)

    def codes(self) -> list[str]:
        """The codes of open suspense, oldest first."""
        with self.books() as books:
            return [item.code for item in views.items(books, only_open=True)]

    def look_into_doubts(self) -> None:
        """Whoever looks for a file in doubt looks right: it stands there, or was taken, or has to leave again."""
        with self.books() as books:
            doubts = [item for item in views.items(books, only_open=True) if item.code == "in_doubt"]
        there = {path.name.partition(".dat")[0] for path in self.folder_of("in").iterdir() if not path.name.startswith(".")}
        for item in doubts:
            arrived = any(f"{name}.dat" in item.words for name in there)
            with self.books(writing=True) as books:
                self._runs += 1
                books.run = runs.begin(books, f"resolve-{self._runs}", "suspense", "1")
                action = "arrived" if arrived else "send-again"
                resolve(books, item, action, "Imre", "looked", partial(revive, self.settings), partial(record_poster, self.settings))

    def approve_all(self) -> int:
        """Two people approve whatever waits; returns how many things that is."""
        waiting = [one for one in self.held() if one.state == "held"]
        for one in waiting:
            voted = {vote.actor for vote in one.votes}
            for actor in [name for name in ("Imre", "Rosa", "Tam") if name not in voted][: one.missing]:
                self.decide(one.id, actor, "approve")
        return len(waiting)

    @contextmanager
    def books(self, *, writing: bool = False) -> Iterator[Books]:
        """The ledger in one transaction."""
        with self.ledger.connect().execution_options(reading=not writing) as connection, connection.begin():
            yield Books(connection, 0, utc_text(self.now))

    def at_bursar(self, code: HoldCode = OURS) -> dict[str, int]:
        """Who has an indicator of that code, with its amount."""
        return {emplid: row.cents for emplid in sorted(self.people) for row in self.indicators.of(emplid) if row.code == code.code}

    def folder_of(self, what: str) -> Path:
        """Where lists lie (parking), hold files (in) or snapshots (out)."""
        return self.folder / {"parking": PARKING_OUT, "in": HOLDS_IN, "out": HOLDS_OUT}[what]

    def close(self) -> None:
        """Lets the database go."""
        self.ledger.dispose()

    def _procedure(self, flow: str) -> Callable[[object, str, str], HoldSummary]:
        def procedure(steps: object, name: str, now: str) -> HoldSummary:
            watched = cast("Watched", steps)
            watched.__class__ = Watched
            watched.committed = lambda step: self.committed(step)
            world = World(FileVault(self.folder / "vault"), self.folder / "scratch", lambda _seconds: None, self._reached)
            self.moment = datetime.fromisoformat(now)
            number = watched.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, FLOW, "1"))
            today = self.moment.astimezone(ZONE).date().isoformat()
            try:
                return run_holds(Run(name, FLOW, number, now, today, watched, world), self.flow(flow))
            except BridgeError as error:
                with self.books(writing=True) as books:
                    runs.finish(books, number, "failed", {"words": str(error)})
                raise

        return procedure

    def _reached(self, point: str) -> None:
        if point.startswith(("step.", "run.")):
            return  # before and after every step; tests/crash dies there, and a fuse that counts them would burn too early
        self.points.append(point)
        if self._fuse:
            self._fuse -= 1
            if not self._fuse:
                raise Killed(point)


@contextmanager
def garage_in_memory(text: str = SECTIONS) -> Iterator[Garage]:
    """A campus on the fastest disk there is, gone afterwards."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        garage = Garage(Path(folder), text)
        try:
            yield garage
        finally:
            garage.close()


@cache
def _read(text: str) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        write_example(Path(folder))
        file = Path(folder) / "bursarbridge.toml"
        file.write_text(file.read_text("utf-8") + text, "utf-8")
        return config.load(file)


def settings_in(folder: Path, text: str) -> Settings:
    """The example's settings with `text` behind them, every path moved into this folder. Raises config's faults."""
    read = _read(text)
    folders = {name: cast("FolderConnection", one) for name, one in read.connections.items()}
    connections = {name: replace(one, path=folder / one.path.name) for name, one in folders.items()}
    storage = replace(read.storage, database=Database("sqlite:ledger.db", folder), vault=folder / "vault")
    return replace(read, file=folder / "bursarbridge.toml", storage=storage, connections=connections)
