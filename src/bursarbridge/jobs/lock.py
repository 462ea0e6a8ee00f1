"""One process at a time runs flows on a ledger. The lock dies with its holder, whatever kills it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from bursarbridge.errors import TryLater

_RUNNING_LOCK = 7_104_552


class Busy(TryLater):
    """Another process is running flows on this ledger."""


@contextmanager
def only_one(ledger: sa.Engine) -> Iterator[None]:
    """Holds the ledger's run lock: a lock file beside a SQLite ledger, an advisory lock in PostgreSQL. Raises Busy."""
    if ledger.dialect.name == "sqlite":
        with _locked_file(Path(str(ledger.url.database)).with_suffix(".lock")):
            yield
        return
    with ledger.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.exec_driver_sql(f"select pg_try_advisory_lock({_RUNNING_LOCK})").scalar_one():
            raise Busy("another run is under way on this ledger; try again when it has ended")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"select pg_advisory_unlock({_RUNNING_LOCK})")


@contextmanager
def _locked_file(path: Path) -> Iterator[None]:
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
