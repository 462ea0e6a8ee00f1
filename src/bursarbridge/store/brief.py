"""A short question to the ledger: who watches must not wait as long as who works, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import sqlalchemy as sa

from bursarbridge.errors import TryLater
from bursarbridge.store.books import Books

_PATIENCE_SECONDS = 3


@contextmanager
def brief(ledger: sa.Engine, now: str) -> Iterator[Books]:
    """The ledger in one read-only transaction on a connection of its own, with three seconds for anything. Raises TryLater.

    Not a connection of the ledger's pool: to open one of those waits a minute for whoever writes.
    """
    watching = _watching(ledger)
    try:
        with watching.connect() as connection:
            if ledger.dialect.name == "sqlite":
                connection.exec_driver_sql("begin")
            else:
                connection.exec_driver_sql("set transaction isolation level repeatable read read only")
                connection.exec_driver_sql(f"set local statement_timeout = {_PATIENCE_SECONDS * 1000}")
            yield Books(connection, 0, now)
    except sa.exc.DBAPIError as error:
        busy = "locked" in str(error.orig) or "statement timeout" in str(error.orig)
        raise TryLater("the ledger's database is busy" if busy else f"the ledger's database does not answer ({type(error.orig).__name__})") from error


def _watching(ledger: sa.Engine) -> sa.Engine:
    """A connection to the same ledger that only reads, opened anew each time and closed after it."""
    if ledger.dialect.name != "sqlite":
        return sa.create_engine(ledger.url, connect_args={"connect_timeout": _PATIENCE_SECONDS}, poolclass=sa.NullPool)
    file = quote(str(ledger.url.database))
    return sa.create_engine(f"sqlite:///file:{file}?mode=ro&uri=true", connect_args={"timeout": _PATIENCE_SECONDS}, poolclass=sa.NullPool)
