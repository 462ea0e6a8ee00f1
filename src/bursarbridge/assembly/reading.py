"""How a kept file is read: streamed, and a large one in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bursarbridge.apart import LARGE_BYTES, read_apart
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.ledger.facts import Fact
from bursarbridge.ports import Reader, Rejected, read


def records_in(make: Callable[[], Reader], path: Path) -> Iterator[Fact | Rejected]:
    """The records of a kept file, streamed; a large one is read in a process of its own."""
    return read_apart(make, path) if path.stat().st_size >= LARGE_BYTES else read(make(), open_chunks(path))
