"""One open transaction on the ledger: how the other files of this room speak SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

CHUNK = 2_000
"""Rows staged at a time: large enough that statements are few, small enough that memory stays flat (performance.md 9)."""

_POSTING_LOCK = 7_104_551
"""The PostgreSQL advisory lock that makes posting transactions take turns; SQLite's write lock does the same there."""


_statement = lru_cache(1024)(sa.text)
"""Statements are few and run often; taking their text apart anew each time cost a tenth of a small run."""


class Books:
    """A connection inside a transaction, the run it belongs to, and the run's instant (UTC, ISO 8601 text)."""

    def __init__(self, connection: sa.Connection, run: int, now: str, reached: Callable[[str], None] = lambda _point: None) -> None:
        if not connection.in_transaction():
            connection.begin()
        self.connection = connection
        self.run = run
        self.now = now
        self.reached = reached
        self.postgres = connection.dialect.name == "postgresql"
        self._straight: sqlite3.Connection | None = None if self.postgres else connection.connection.driver_connection
        self.number_key = "bigint primary key" if self.postgres else "integer primary key"
        """The type of a temporary table's numeric key; SQLite keeps rows in such a key only when it is called integer."""

    def take_turn(self) -> None:
        """Waits until no other posting transaction is open; held until this one ends."""
        if self.postgres:
            self.connection.exec_driver_sql(f"select pg_advisory_xact_lock({_POSTING_LOCK})")

    def do(self, sql: str, **values: object) -> int:
        """Runs a statement; returns how many rows it touched."""
        if self._straight is None:
            return self.connection.execute(_statement(sql), values).rowcount
        return self._told(self._straight, sql, values)[0]

    def many(self, sql: str, rows: Sequence[dict[str, object]]) -> None:
        """Runs a statement once for each row of values; none is no error."""
        if rows:
            self.connection.execute(_statement(sql), rows)

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """All rows of a query, for results that are small by their nature."""
        if self._straight is None:
            return [tuple(row) for row in self.connection.execute(_statement(sql), values)]
        return self._told(self._straight, sql, values)[1]

    def one(self, sql: str, **values: object) -> Any:
        """The only value of a query's only row."""
        found = self.rows(sql, **values)
        if len(found) != 1:
            raise LookupError(f"{len(found)} rows where one must be: {sql}")
        return found[0][0]

    def new(self, sql: str, **values: object) -> int:
        """Inserts one row and returns its id."""
        return int(self.one(sql + " returning id", **values))

    def _told(self, straight: sqlite3.Connection, sql: str, values: dict[str, object]) -> tuple[int, list[tuple[Any, ...]]]:
        """What SQLite says, asked without the layer between: its part of a small statement was twice SQLite's own. Errors are named as ever."""
        try:
            cursor = straight.execute(sql, values)
            found = cursor.fetchall()
            return cursor.rowcount, found
        except sqlite3.Error as error:
            named = sa.exc.DBAPIError.instance(sql, values, error, sqlite3.Error, dialect=self.connection.dialect)
            raise named from error

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a large query, a chunk at a time, without holding them."""
        driver = self.connection.connection.driver_connection
        cursor = driver.cursor("stream") if self.postgres else driver.cursor()  # type: ignore[union-attr]
        try:
            cursor.execute(sql)
            while chunk := cursor.fetchmany(CHUNK):
                yield from chunk
        finally:
            cursor.close()

    def temporary(self, table: str, columns: str) -> None:
        """An empty temporary table of that shape, made or emptied."""
        self.connection.exec_driver_sql(f"create temp table if not exists {table} ({columns})")
        self.connection.exec_driver_sql(f"delete from {table}")

    def empty(self, table: str) -> None:
        """Empties a temporary table for its next chunk. PostgreSQL would wade through deleted rows until the transaction ends."""
        self.connection.exec_driver_sql(f"truncate {table}" if self.postgres else f"delete from {table}")

    def join_by_key(self, wanted: bool) -> None:
        """Has PostgreSQL join a chunk to a large table by key only, until told otherwise: it has no statistics to know that by. SQLite does."""
        if self.postgres:
            for way in ("hashjoin", "mergejoin"):
                self.connection.exec_driver_sql(f"set local enable_{way} = {'off' if wanted else 'on'}")

    def measure(self, *tables: str) -> None:
        """Has PostgreSQL look at tables that it has never looked at, so that it joins them well; SQLite goes by the keys it has."""
        if self.postgres:
            for table in tables:
                if self.one("select reltuples < 0 from pg_class where oid = cast(:name as regclass)", name=table):
                    self.connection.exec_driver_sql(f"analyze {table}")

    def stage(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Puts rows into a temporary table the fastest way the database knows."""
        driver = self.connection.connection.driver_connection
        names = ", ".join(columns)
        if self.postgres:
            with driver.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin") as copy:  # type: ignore[union-attr]
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            driver.executemany(f"insert into {table} ({names}) values ({marks})", rows)  # type: ignore[union-attr]

    def cause(self, kind: str, *, delivery: int | None = None, batch: int | None = None, actor: str = "", words: str = "") -> int:
        """Records why entries are about to be made; every entry names one."""
        return self.new(
            "insert into cause (kind, at, run_id, delivery_id, batch_id, actor, words) values (:kind, :at, :run, :delivery, :batch, :actor, :words)",
            kind=kind,
            at=self.now,
            run=self.run,
            delivery=delivery,
            batch=batch,
            actor=actor,
            words=words,
        )
