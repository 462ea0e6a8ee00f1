"""A ledger at one instant: its fingerprint, and whole copies of SQLite files while others write to them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from bursarbridge.errors import Refused
from bursarbridge.store import epochs, opening, views
from bursarbridge.store.books import Books

_COUNTED = ("run", "delivery", "batch", "batch_line", "obligation", "entry", "suspense", "webhook", "intent", "mail")
_BUSY_SECONDS = 60


class Fingerprint(NamedTuple):
    """What tells one state of a ledger from another, in sums that a person can compare with `status`."""

    schema: str
    epoch: int
    places: dict[str, int]
    """Cents in every place."""
    counts: dict[str, int]
    """Rows of every table that grows."""
    run: int
    run_name: str
    batch: int
    """The highest number given out."""
    obligation: int


def fingerprint(books: Books) -> Fingerprint:
    """The fingerprint of the ledger as this transaction sees it."""
    mark = epochs.mark_of(books)
    counts = {table: int(books.one(f"select count(*) from {table}")) for table in _COUNTED}
    schema = str(books.one("select version_num from alembic_version"))
    return Fingerprint(schema, mark.epoch, views.places(books), counts, mark.run, mark.name, mark.batch, mark.obligation)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies a SQLite file as it is at one instant, while others may write to it; they wait meanwhile, or we for them.

    Raises Refused when the copy is not sound: then the file itself is damaged, and a backup of it would be worth nothing (P20).
    """
    target.unlink(missing_ok=True)
    with closing(_open(source)) as one, closing(sqlite3.connect(target)) as two:
        one.backup(two)
        sound(two, source)


def fingerprint_of_file(path: Path) -> Fingerprint:
    """The fingerprint of a ledger in a SQLite file that nobody else uses."""
    engine = opening.open_engine(f"sqlite:{path}")
    try:
        with engine.connect().execution_options(reading=True) as connection, connection.begin():
            return fingerprint(Books(connection, 0, ""))
    finally:
        engine.dispose()


def begin_epoch_in_file(path: Path, number: int, because: str, now: str) -> epochs.Epoch:
    """Brings a ledger's file to the newest schema and blocks it, before it is put where runs would find it."""
    engine = opening.open_engine(f"sqlite:{path}")
    try:
        opening.migrate(engine)
        with engine.begin() as connection:
            return epochs.begin(Books(connection, 0, now), number, because)
    finally:
        engine.dispose()


def sound(connection: sqlite3.Connection, name: Path) -> None:
    """Raises Refused when pages or indexes of the database are damaged."""
    try:
        found = [str(row[0]) for row in connection.execute("pragma integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        words = "; ".join(found)
        raise Refused(f"{name} is damaged: {words}. Stop the runs, keep the file, and put the newest sound backup back (docs/runbook.md, Restoring)")


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
