"""A short question to the ledger: who watches must not wait as long as who works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bursarbridge.errors import TryLater
from bursarbridge.store.books import Books

_PATIENCE_MS = 3_000


@contextmanager
def brief(ledger: sa.Engine, now: str) -> Iterator[Books]:
    """The ledger in one reading transaction that gives up after three seconds. Raises TryLater when it does not answer."""
    sqlite = ledger.dialect.name == "sqlite"
    try:
        with ledger.connect().execution_options(reading=True) as connection, connection.begin():
            before = connection.exec_driver_sql("pragma busy_timeout").scalar_one() if sqlite else 0
            connection.exec_driver_sql(f"pragma busy_timeout={_PATIENCE_MS}" if sqlite else f"set local statement_timeout = {_PATIENCE_MS}")
            try:
                yield Books(connection, 0, now)
            finally:
                if sqlite and not connection.invalidated:
                    connection.exec_driver_sql(f"pragma busy_timeout={before}")
    except sa.exc.DBAPIError as error:
        busy = "locked" in str(error.orig) or "statement timeout" in str(error.orig)
        raise TryLater("the ledger's database is busy" if busy else f"the ledger's database does not answer ({type(error.orig).__name__})") from error
