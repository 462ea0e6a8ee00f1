"""The measured cases: a side each, that prepares a campus, runs the ordinary command on it, and checks what came out."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import proof
from bench.campus import SQLITE, Campus, Product, Summary, copied, fresh
from bench.inputs import Input
from bench.measure import Spent
from bench.rounds import Figures
from bench.server import Server

_STORE = Path(__file__).parent.parent / "src" / "bursarbridge" / "store"
MIGRATIONS = _STORE / "migrations" / "versions"
OPENING = _STORE / "opening.py"
_PAYMENTS_NAME = "payments_20261121_120000.csv"


class Place(NamedTuple):
    """Where campuses are made, for which command, on which database: a private server, or SQLite without one."""

    work: Path
    product: Product
    server: Server | None

    @property
    def word(self) -> str:
        """The database's name in results."""
        return "postgresql" if self.server else "sqlite"

    def empty(self) -> Campus:
        """A fresh campus with a fresh database."""
        return fresh(self.work / "campus", self.product, self.server.create("campus") if self.server else SQLITE)

    def copy(self, base: Campus) -> Campus:
        """A copy of a prepared campus with a copy of its database."""
        return copied(self.work / "campus", base, self.server.create("campus", base.home.name) if self.server else SQLITE)


def figures(spent: Spent) -> Figures:
    """What a command cost, as a round keeps it."""
    return {
        "wall_s": spent.wall,
        "cpu_s": spent.cpu,
        "largest_mib": spent.largest_mib,
        "sum_mib": spent.sum_mib,
        "processes": float(spent.processes),
    }


def charges(place: Place, base: Campus, given: Input) -> Figures:
    """An Alma export to a durable ledger and a verified charge file, on a campus whose ledger is made and empty."""
    campus = place.copy(base)
    spent, _ = _charged(campus, given, given.cents)
    campus.remove()
    return figures(spent)


def small_night(place: Place, base: Campus, given: Input, before: Input) -> Figures:
    """A run of a few fees on a ledger that is there already."""
    campus = place.copy(base)
    campus.drop(given.path, "alma/out", "night.xml")
    for left in (campus.home / "peoplesoft/in").iterdir():
        left.unlink()
    spent, summary = campus.run("library-charges")
    proof.whole_summary(summary, given)
    proof.document(summary, campus.home / "peoplesoft/in", proof.charge_file, given)
    proof.places(campus, {"bursar": before.cents, "in_transit": given.cents})
    campus.remove()
    return figures(spent)


def payments(place: Place, base: Campus, given: Input, billed: Input) -> Figures:
    """A payment file into a ledger of billed fees, and the remittance to Alma, delivered and verified."""
    campus = place.copy(base)
    campus.drop(given.path, "peoplesoft/out", _PAYMENTS_NAME)
    spent, summary = campus.run("library-payments")
    proof.whole_summary(summary, given)
    proof.document(summary, campus.home / "alma/in", proof.remittance, given)
    proof.places(campus, {"bursar": billed.cents - given.cents, "in_transit": given.cents})
    campus.remove()
    return figures(spent)


def blank(place: Place) -> Campus:
    """A campus that has run once with nothing to do: ledger and engine have their tables, as the floors' have before their clock starts."""
    return prepared(place, "blank", lambda campus: campus.run("library-charges"))


def posted(place: Place, billed: Input) -> Campus:
    """A campus whose fees all stand at the bursar, posted, through the ordinary commands."""

    def bill(campus: Campus) -> None:
        _, summary = _charged(campus, billed, billed.cents)
        _answer(campus, summary, billed)

    return prepared(place, billed.path.stem, bill)


def prepared(place: Place, what: str, prepare: Callable[[Campus], object], *, vault: bool = False) -> Campus:
    """A prepared campus, made once and kept under the hash of its schema, so that another migration or way to open a ledger makes another base.

    `vault`: with the files it keeps.
    """
    schema = hashlib.sha256(b"".join(file.read_bytes() for file in (*sorted(MIGRATIONS.glob("*.py")), OPENING))).hexdigest()[:8]
    name = f"base_{place.word}_{what}_{schema}"
    home = place.work / name
    database = place.server.address(name) if place.server else SQLITE
    if home.exists() and (place.server is None or place.server.has(name)):
        return Campus(home, place.product, database)
    print(f"making {name}", flush=True)
    campus = place.empty()
    prepare(campus)
    return _keep(place, campus, home, name, vault=vault)


def _charged(campus: Campus, given: Input, in_transit: int) -> tuple[Spent, Summary]:
    campus.drop(given.path, "alma/out", "export.xml")
    spent, summary = campus.run("library-charges")
    proof.whole_summary(summary, given)
    proof.document(summary, campus.home / "peoplesoft/in", proof.charge_file, given)
    proof.places(campus, {"in_transit": in_transit})
    return spent, summary


def _answer(campus: Campus, summary: Summary, billed: Input) -> None:
    """The bursar receives and posts the whole file, in the bridge's own result layout."""
    (file,) = summary["files"]
    rows = ["Status,File Name,Group ID,Reference Number,Emplid,Amount,Count,Reason"]
    rows += [f"{status},{file['name']},G1,,,{billed.cents // 100}.{billed.cents % 100:02d},{billed.lines}," for status in ("RECEIVED", "POSTED")]
    (campus.home / "peoplesoft/out/results_1.csv").write_text("".join(f"{row}\r\n" for row in rows), "utf-8", newline="")
    campus.run("library-charges")
    proof.places(campus, {"bursar": billed.cents})


def _keep(place: Place, campus: Campus, home: Path, name: str, *, vault: bool) -> Campus:
    """Takes the big files out (they were verified above) and gives campus and database their lasting name."""
    for folder in ("alma/out", "peoplesoft/in", "peoplesoft/out", *(() if vault else ("data/vault",))):
        shutil.rmtree(campus.home / folder, ignore_errors=True)
        (campus.home / folder).mkdir(parents=True)
    database = SQLITE
    if place.server:
        place.server.settle("campus")
        database = place.server.create(name, "campus")
    kept = copied(home, campus, database)
    campus.remove()
    return kept
