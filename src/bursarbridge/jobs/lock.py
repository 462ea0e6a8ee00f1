"""One process at a time runs flows on a SQLite ledger. The lock dies with its holder, whatever kills it."""

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


@contextmanager
def only_one(ledger: sa.Engine) -> Iterator[None]:
    """Holds the run lock of a SQLite ledger, a file beside it. Raises Busy."""
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
