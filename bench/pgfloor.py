"""The floors on PostgreSQL: the same work as the SQLite floors (shared bench, jobs.py), put by COPY and set statements.

    python -m bench.pgfloor charges FILE.xml ADDRESS OUT        an empty database
    python -m bench.pgfloor payments FILE.csv ADDRESS OUT       a database that `charges` filled
    python -m bench.pgfloor holds FILE.csv ADDRESS OUT          an empty database
    python -m bench.pgfloor nightly FILE.csv ADDRESS OUT        a database that `holds` filled

A floor reads the bytes through the raw parser (nobody looks at the fields), hashes them, puts ready rows into the same tables
and indexes as the SQLite floor in one durable transaction, and writes and syncs the same bytes of output. Ready rows are
made outside the clock. Prints the seconds of each part and their sum (performance.md, section 7). No product code.
"""

from __future__ import annotations

import csv
import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

import psycopg

_SCHEMA = """
create table run (id bigserial primary key, kind text, file_sha text unique, n bigint, cents bigint);
create table charge (id bigserial primary key, source_id text not null unique, person text not null, kind text not null, cents bigint not null,
  open_cents bigint not null, txn_date text not null, barcode text, run_id bigint not null);
create index charge_person on charge (person);
create table event (id bigserial primary key, charge_id bigint not null, type integer not null, run_id bigint not null, ref text);
create index event_charge on event (charge_id);
create unique index event_ref on event (ref) where ref is not null;
create table posting (id bigserial primary key, event_id bigint not null, account integer not null, cents bigint not null);
create index posting_event on posting (event_id);
"""
_HOLDS = """
create table run (id bigserial primary key, kind text, file_sha text unique, n bigint, cents bigint);
create table hold (person text primary key, cents bigint not null);
create table hold_event (id bigserial primary key, person text not null, action integer not null, cents bigint not null, run_id bigint not null);
"""
_HOLD_CENTS = 50_000
_ALMA = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans "
_BLOCK = 1 << 18


class Fee(NamedTuple):
    """A ready row."""

    source_id: str
    person: str
    kind: str
    cents: int
    txn_date: str
    barcode: str


class Paid(NamedTuple):
    """A ready row."""

    ref: str
    source_id: str
    cents: int


class Laps:
    """Seconds of each part since the last."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Ends a part."""
        now = time.perf_counter()
        self.parts[part] = now - self._last
        self._last = now

    def line(self, count: int, cents: int) -> str:
        """The parts and their sum, in the form of jobs.py."""
        parts = " ".join(f"{name}={seconds:.3f}" for name, seconds in self.parts.items())
        return f"{parts} sum={sum(self.parts.values()):.3f}s n={count} cents={cents}"


def main() -> None:
    """Runs one floor and prints its line."""
    job, file, address, out = sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    with psycopg.connect(address) as connection:
        print({"charges": charges, "payments": payments, "holds": holds, "nightly": nightly}[job](file, connection, out))


def charges(file: Path, connection: psycopg.Connection, out: Path) -> str:
    """Fees into an empty ledger, and a charge file."""
    connection.execute(_SCHEMA.encode())
    connection.execute("create temp table stage (source_id text, person text, kind text, cents bigint, txn_date text, barcode text)")
    connection.commit()
    rows = list(_fees(file))
    text = "".join(f"{one.person:<11}{'240000012001':<12}{one.cents:015d}{one.source_id:<30}{one.txn_date}\n" for one in rows)
    laps = Laps()
    parser = expat.ParserCreate(namespace_separator=" ")
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    laps.lap("parse")
    _hash(file)
    laps.lap("sha256")
    _copy(connection, "stage", Fee._fields, rows)
    for statement in (
        "insert into charge (source_id, person, kind, cents, open_cents, txn_date, barcode, run_id) "
        "select source_id, person, kind, cents, cents, txn_date, barcode, 1 from stage on conflict (source_id) do nothing",
        "insert into event (charge_id, type, run_id) select id, 1, 1 from charge",
        "insert into posting (event_id, account, cents) select e.id, a.account, c.cents * a.sign from event e join charge c on c.id = e.charge_id, "
        "(values (1200, 1), (4000, -1)) a (account, sign)",
    ):
        connection.execute(statement)
    connection.commit()
    laps.lap("ledger")
    _write(out / "charges.dat", text)
    laps.lap("outfile")
    return laps.line(len(rows), sum(one.cents for one in rows))


def payments(file: Path, connection: psycopg.Connection, out: Path) -> str:
    """Payments into a filled ledger, the open amount updated in place, and a file of what was paid."""
    connection.execute("create temp table pay (ref text primary key, source_id text, cents bigint, charge_id bigint)")
    connection.commit()
    rows = list(_payments(file))
    text = "".join(f"{one.ref} {one.source_id} {one.cents}\n" for one in rows)
    laps = Laps()
    with file.open(newline="", encoding="utf-8") as lines:
        for _ in csv.reader(lines):
            pass
    laps.lap("parse")
    _hash(file)
    laps.lap("sha256")
    _copy(connection, "pay", Paid._fields, rows)
    for statement in (
        "analyze pay",
        "update pay set charge_id = c.id from charge c where c.source_id = pay.source_id",
        "create temp table news (event_id bigint, charge_id bigint, cents bigint)",
        "with made as (insert into event (charge_id, type, run_id, ref) select charge_id, 2, 2, ref from pay where charge_id is not null "
        "on conflict do nothing returning id, charge_id, ref) "
        "insert into news select made.id, made.charge_id, pay.cents from made join pay on pay.ref = made.ref",
        "insert into posting (event_id, account, cents) select event_id, a.account, cents * a.sign from news, "
        "(values (1000, 1), (1200, -1)) a (account, sign)",
        "analyze news",
        "update charge set open_cents = open_cents - s.cents from (select charge_id, sum(cents) as cents from news group by 1) s "
        "where s.charge_id = charge.id",
    ):
        connection.execute(statement.encode())
    connection.commit()
    laps.lap("ledger")
    _write(out / "paid.dat", text)
    laps.lap("outfile")
    return laps.line(len(rows), sum(one.cents for one in rows))


def holds(file: Path, connection: psycopg.Connection, _out: Path) -> str:
    """The holds of a first list into an empty database; nothing is measured."""
    connection.execute(_HOLDS.encode())
    rows = list(_held(file))
    laps = Laps()
    _copy(connection, "hold", ("person", "cents"), rows)
    laps.lap("ledger")
    return laps.line(len(rows), sum(cents for _, cents in rows))


def nightly(file: Path, connection: psycopg.Connection, out: Path) -> str:
    """A list against the holds there are: what comes and goes is recorded, and told in two files."""
    connection.execute("create temp table cur (person text primary key, cents bigint not null)")
    connection.commit()
    rows = list(_held(file))
    laps = Laps()
    with file.open(newline="", encoding="utf-8") as lines:
        for _ in csv.reader(lines):
            pass
    laps.lap("parse")
    _hash(file)
    laps.lap("sha256")
    _copy(connection, "cur", ("person", "cents"), rows)
    for statement in (
        "analyze cur",
        "insert into hold_event (person, action, cents, run_id) select c.person, 1, c.cents, 1 from cur c left join hold h on h.person = c.person "
        "where h.person is null",
        "insert into hold_event (person, action, cents, run_id) select h.person, 2, h.cents, 1 from hold h left join cur c on c.person = h.person "
        "where c.person is null",
        "delete from hold where person in (select person from hold_event where run_id = 1 and action = 2)",
        "insert into hold select person, cents from hold_event where run_id = 1 and action = 1",
    ):
        connection.execute(statement.encode())
    laps.lap("delta")
    told = {
        action: connection.execute("select person, cents from hold_event where run_id = 1 and action = %s", (action,)).fetchall() for action in (1, 2)
    }
    for action, name in ((1, "hold_add.csv"), (2, "hold_release.csv")):
        lines_of = [f"{person},AR,{cents}\n" for person, cents in told[action]]
        _write(out / name, "".join([*lines_of, f"T{len(lines_of)}\n"]))
    laps.lap("files")
    connection.commit()
    laps.lap("commit")
    return laps.line(len(told[1]), sum(cents for _, cents in told[1]))


def _held(file: Path) -> Iterator[tuple[str, int]]:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows)
        for person, _, _, _, amount, *_ in rows:
            if (cents := _cents(amount)) >= _HOLD_CENTS:
                yield person, cents


def _copy(connection: psycopg.Connection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _hash(file: Path) -> None:
    with file.open("rb") as content:
        hashlib.file_digest(content, "sha256")


def _fees(file: Path) -> Iterator[Fee]:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    texts: list[str] = []
    seen: dict[str, str] = {}
    made: list[Fee] = []
    person = ""

    def start(_name: str, _attributes: object) -> None:
        texts.clear()

    def end(name: str) -> None:
        nonlocal person
        word = name.removeprefix(_ALMA)
        seen[word] = "".join(texts)
        if word == "value":
            person = seen[word]
        elif word == "userFineFee":
            barcode, day = seen["itemBarcode"], seen["lastTransactionDate"]
            made.append(Fee(seen["bursarTransactionId"], person, seen["fineFeeType"], _cents(seen["sum"]), day, barcode))
        texts.clear()

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, texts.append
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            parser.Parse(block, False)
            yield from made
            made.clear()


def _payments(file: Path) -> Iterator[Paid]:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows)
        for ref, _person, source_id, amount, *_ in rows:
            yield Paid(ref, source_id, _cents(amount))


def _cents(text: str) -> int:
    units, _, hundredths = text.partition(".")
    return int(units) * 100 + int((hundredths + "00")[:2])


if __name__ == "__main__":
    main()
