"""The whole ledger for one process: on SQLite whoever runs flows, anywhere whoever puts a backup back. The lock dies with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from bursarbridge.errors import TryLater


class Busy(TryLater):
    """Another process is running this flow, or (SQLite) any flow on this ledger."""


HOUSE = (7_104_555, 0)
"""The advisory lock that every worker on PostgreSQL shares, and that one alone holds who may have no worker beside him."""


@contextmanager
def only_one(ledger: sa.Engine) -> Iterator[None]:
    """Holds a ledger alone: on SQLite by a file beside it, on PostgreSQL against all workers. Raises Busy."""
    if ledger.dialect.name != "sqlite":
        with ledger.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.exec_driver_sql("select pg_try_advisory_lock(%s, %s)", HOUSE).scalar_one():
                raise Busy("a worker is running on this ledger; stop every `serve`, `work` and `run` first")
            try:
                yield
            finally:
                connection.exec_driver_sql("select pg_advisory_unlock(%s, %s)", HOUSE)
        return
    path = Path(str(ledger.url.database)).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another run is under way on this ledger ({path.name} is held); try again when it has ended") from None
        yield
    finally:
        os.close(handle)
