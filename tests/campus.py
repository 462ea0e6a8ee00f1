"""An example campus for tests: the real flows on the example settings, in folders, with plain steps and a clock that is set.

Alma's and PeopleSoft's files are written and read by campus_files (never by formats/ or systems/), so that one mistake cannot
agree with itself.
"""

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TypeVar, cast

import sqlalchemy as sa

from bursarbridge import config
from bursarbridge.assembly.library import library_flow
from bursarbridge.assembly.revive import record_poster, revive
from bursarbridge.config.model import FolderConnection, Settings
from bursarbridge.config.places import Database
from bursarbridge.errors import Refused, TryLater
from bursarbridge.examples.example import write_example
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.flows.library import Summary, run_flow
from bursarbridge.flows.resolve import resolve
from bursarbridge.flows.run import Run, World, utc_text
from bursarbridge.flows.tell import Teller
from bursarbridge.ledger.verdict import Verdict, verdict
from bursarbridge.ports import Endpoint, Proof, Waiting
from bursarbridge.store import opening, runs, views
from bursarbridge.store.books import Books
from tests import campus_files as files
from tests.campus_files import Answer, ChargeLine, Fee, Paid

R = TypeVar("R")

EVENING = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
"""19:00 on August 2 on the example campus."""

SNAPSHOT = (('layout = "asu-payments"', 'layout = "generic-payments-snapshot"'), ('kind = "cumulative"', 'kind = "snapshot"'))
"""Changes of the example settings: the bursar sends states instead of reports."""
ASSUMED = (('confirmed_by = "results"', 'confirmed_by = "assumed"'), ('assumed_after = "" ', 'assumed_after = "12h"'))
"""Changes of the example settings: charges count as taken in twelve hours after the delivery."""

Changes = tuple[tuple[str, str], ...]


class PlainSteps:
    """flows.run.Steps without an engine; what a step returns goes through JSON, as a checkpoint would take it."""

    def __init__(self, ledger: sa.Engine) -> None:
        self._ledger = ledger

    def act(self, _name: str, deed: Callable[[], R]) -> R:
        return _checkpointed(deed())

    def post(self, _name: str, deed: Callable[[sa.Connection], R]) -> R:
        with self._ledger.begin() as connection:
            return _checkpointed(deed(connection))


class Line:
    """An endpoint whose line can be cut: right after a deed had its effect, so that its outcome is unknown here."""

    def __init__(self, place: Endpoint, cut: set[str]) -> None:
        self._place = place
        self._cut = cut

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        return self._place.waiting(patterns)

    def fetch(self, name: str, target: Path) -> Waiting:
        return self._place.fetch(name, target)

    def clear(self, name: str) -> None:
        self._place.clear(name)
        self._maybe_cut("clear")

    def upload(self, name: str, source: Path) -> None:
        self._place.upload(name, source)
        self._maybe_cut("upload")

    def publish(self, name: str, sha256: str) -> Proof:
        if "refuse" in self._cut:
            self._cut.discard("refuse")
            raise Refused("the server would not have it")
        proof = self._place.publish(name, sha256)
        self._maybe_cut("publish")
        if "doubt" in self._cut:
            self._cut.discard("doubt")
            raise Refused("the server says something odd")
        return proof

    def present(self, name: str) -> bool:
        return self._place.present(name)

    def _maybe_cut(self, deed: str) -> None:
        if deed in self._cut:
            self._cut.discard(deed)
            raise TryLater(f"the line was cut during {deed}")


class Campus:
    """One campus in a folder. `now` is set by the test; nothing here waits."""

    def __init__(self, folder: Path, *, changes: Changes = ()) -> None:
        self.folder = folder
        self.settings = _settings_in(folder, changes)
        self.now = EVENING
        self.teller: Teller | None = None
        """Whom to tell of payments, where the settings say so."""
        self.cut: set[str] = set()
        """Put "upload", "publish" or "clear" in, and the next such deed ends with a cut line, once; "refuse" and "doubt" have the
        next publishing refused, before and after its effect."""
        database = folder / "ledger.db"
        shutil.copy(_migrated(), database)
        self.ledger = opening.open_engine(f"sqlite:{database}")
        sa.event.listen(self.ledger, "connect", _hasten)
        for place in ("alma/out", "alma/in", "alma/taken", "peoplesoft/in", "peoplesoft/out"):
            (folder / place).mkdir(parents=True, exist_ok=True)
        self._runs = self._files = 0

    def later(self, **span: float) -> None:
        """Lets time pass."""
        self.now += timedelta(**span)

    # ---- what the systems do

    def export(self, *fees: Fee, name: str = "") -> Path:
        """Alma writes an export."""
        return self.put("alma/out", name or self._name("export", "xml"), files.export_bytes(fees))

    def answer(self, *answers: Answer, name: str = "") -> Path:
        """The bursar answers our charge files."""
        return self.put("peoplesoft/out", name or self._name("result", "csv"), files.answer_bytes(answers))

    def report(self, *paid: Paid, name: str = "") -> Path:
        """The bursar reports all payments of the year to date."""
        return self.put("peoplesoft/out", name or self.report_name(), files.report_bytes(paid))

    def snapshot(self, *paid: Paid, name: str = "") -> Path:
        """The bursar reports what is applied to each charge now."""
        return self.put("peoplesoft/out", name or self.report_name(), files.snapshot_bytes(paid))

    def report_name(self) -> str:
        """A payment file's name as of now."""
        return f"payments_{self.now.astimezone(self.settings.campus.timezone):%Y%m%d_%H%M%S}.csv"

    def alma_takes(self) -> int:
        """Alma fetches every file that waits for it; returns how many."""
        found = sorted((self.folder / "alma/in").glob("*.xml"))
        for path in found:
            path.rename(self.folder / "alma/taken" / path.name)
        return len(found)

    def put(self, place: str, name: str, content: bytes) -> Path:
        """A file appears, as old as the clock says."""
        path = self.folder / place / name
        path.write_bytes(content)
        os.utime(path, (self.now.timestamp(), self.now.timestamp()))
        return path

    # ---- what we do

    def charges(self) -> Summary:
        """Runs library-charges."""
        return self.run("library-charges")

    def payments(self) -> Summary:
        """Runs library-payments."""
        return self.run("library-payments")

    def credits(self) -> Summary:
        """Runs library-credits."""
        return self.run("library-credits")

    def run(self, flow: str) -> Summary:
        """Runs a flow as of now, through the real code, with plain steps."""
        made: dict[tuple[str, str, Clear], Endpoint] = {}

        def place(connection: str, folder: str, clear: Clear) -> Endpoint:
            where = cast("FolderConnection", self.settings.connections[connection])
            return made.setdefault((connection, folder, clear), Line(FolderEndpoint(where.path / folder, clear=clear), self.cut))

        return run_flow(self.begun(flow), library_flow(flow, self.settings, place, lambda _source: cast("Teller", self.teller)))

    def begun(self, flow: str) -> Run:
        """A new run of a flow as of now."""
        self._runs += 1
        steps = PlainSteps(self.ledger)
        name, now = f"{flow}-{self._runs}", utc_text(self.now)
        number = steps.post("begin", lambda connection: runs.begin(Books(connection, 0, now), name, flow, "1"))
        world = World(FileVault(self.folder / "vault"), self.folder / "scratch", lambda _seconds: None, lambda _point: None)
        today = self.now.astimezone(self.settings.campus.timezone).date().isoformat()
        return Run(name, flow, number, now, today, steps, world)

    def resolve(self, number: int, action: str, note: str = "a test") -> str:
        """A person decides about a suspense item."""
        self._runs += 1
        with self.books(writing=True) as books:
            item = views.item(books, number)
            assert item is not None
            books.run = runs.begin(books, f"resolve-{self._runs}", "suspense", "1")
            return resolve(books, item, action, "Imre", note, partial(revive, self.settings), partial(record_poster, self.settings))

    # ---- what there is to see

    @contextmanager
    def books(self, *, writing: bool = False) -> Iterator[Books]:
        """The ledger in one transaction."""
        with self.ledger.connect().execution_options(reading=not writing) as connection, connection.begin():
            yield Books(connection, 0, utc_text(self.now))

    def places(self) -> dict[str, int]:
        """Cents in every place that holds some, `outside` left out."""
        with self.books() as books:
            return {word: cents for word, cents in views.places(books).items() if cents and word != "outside"}

    def place_of(self, fee: str) -> dict[str, int]:
        """Cents of one fee (by Alma's id) in every place that holds some."""
        with self.books() as books:
            (one,) = views.obligations(books, fee)
            return {word: cents for word, cents in one.standing._asdict().items() if cents}

    def unexplained(self) -> int:
        """views.unexplained_cents."""
        with self.books() as books:
            return views.unexplained_cents(books)

    def codes(self) -> list[str]:
        """The codes of open suspense, oldest first."""
        return [item.code for item in self.items()]

    def items(self, *, only_open: bool = True) -> list[views.ItemView]:
        """Suspense, oldest first."""
        with self.books() as books:
            return views.items(books, only_open=only_open)

    def batches(self) -> list[views.BatchView]:
        """Every batch, oldest first."""
        with self.books() as books:
            return views.batches(books, only_open=False)

    def reference(self, fee: str) -> str:
        """Our reference of one of Alma's fees."""
        with self.books() as books:
            (one,) = views.obligations(books, fee)
            return one.reference

    def charge_files(self) -> dict[str, list[ChargeLine]]:
        """The lines of every charge file that stands at the bursar's, by name."""
        return {path.name: files.charge_lines(path.read_bytes()) for path in sorted((self.folder / "peoplesoft/in").glob("*.dat"))}

    def credit_files(self) -> dict[str, list[ChargeLine]]:
        """The lines of every credit file that stands at the bursar's, by name."""
        return {name: lines for name, lines in self.charge_files().items() if "_CRD_" in name}

    def verdict(self, fee: str) -> Verdict:
        """What explain says of one fee."""
        with self.books() as books:
            (one,) = views.obligations(books, fee)
            return verdict(
                one.cents, "the library", one.standing, one.in_flight, one.questions, assumed=one.assumed, now=books.now, forgiven=one.forgiven
            )

    def remittances(self) -> dict[str, list[tuple[str, int]]]:
        """Fee and cents of every payment file for Alma, waiting or taken, by name."""
        found = [path for place in ("in", "taken") for path in (self.folder / "alma" / place).glob("*.xml")]
        return {path.name: files.told_in(path.read_bytes()) for path in sorted(found, key=lambda path: path.name)}

    def waiting(self, place: str) -> list[str]:
        """The plain files in a folder, by name."""
        return sorted(path.name for path in (self.folder / place).iterdir() if path.is_file())

    def close(self) -> None:
        """Lets the database go."""
        self.ledger.dispose()

    def _name(self, stem: str, ending: str) -> str:
        self._files += 1
        return f"{stem}-{self._files:05d}.{ending}"


@contextmanager
def campus_in_memory(changes: Changes = ()) -> Iterator[Campus]:
    """A campus on the fastest disk there is, gone afterwards."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        campus = Campus(Path(folder), changes=changes)
        try:
            yield campus
        finally:
            campus.close()


def counted(summary: Mapping[str, object], end: str) -> tuple[int, int]:
    """Count and cents of one end of a run's summary."""
    found = cast("dict[str, int]", summary[end])
    return found["count"], found["cents"]


def _checkpointed(result: R) -> R:
    return cast("R", json.loads(json.dumps(result)))


def _hasten(driver: object, _record: object) -> None:
    """What power cuts can do is tested elsewhere; here SQLite need not wait for the disk."""
    cast("sa.engine.interfaces.DBAPIConnection", driver).cursor().execute("pragma synchronous=off")


@cache
def _migrated() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="bursarbridge-tests-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "empty.db"
    ledger = opening.open_engine(f"sqlite:{path}")
    opening.migrate(ledger)
    ledger.dispose()
    return path


@cache
def _settings(changes: Changes) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        write_example(Path(folder))
        file = Path(folder) / "bursarbridge.toml"
        text = file.read_text("utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        file.write_text(text, "utf-8")
        return config.load(file)


def _settings_in(folder: Path, changes: Changes) -> Settings:
    """The example settings, read once, with every path moved into this folder."""
    read = _settings(changes)
    folders = {name: cast("FolderConnection", one) for name, one in read.connections.items()}
    connections = {name: replace(one, path=folder / one.path.name) for name, one in folders.items()}
    storage = replace(read.storage, database=Database("sqlite:ledger.db", folder), vault=folder / "vault")
    return replace(read, file=folder / "bursarbridge.toml", storage=storage, connections=connections)
