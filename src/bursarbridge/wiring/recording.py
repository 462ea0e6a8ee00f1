"""How a run failed, written into its own row by whoever owns the run: ours by their words, what nobody foresaw by its kind."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import sqlalchemy as sa

from bursarbridge.errors import BridgeError
from bursarbridge.flows.run import Steps
from bursarbridge.jobs.engine import SetAside
from bursarbridge.jobs.workers import Fenced
from bursarbridge.store import failing
from bursarbridge.store.books import Books


class Recorded:
    """jobs.engine.Recording. A run that was taken over, or whose process stops, has not failed: nothing is written."""

    def __init__(self, flow: str, steps: Steps, name: str, now: str, reached: Callable[[str], None] = lambda _point: None) -> None:
        self._flow = flow
        self._steps = steps
        self._name = name
        self._now = now
        self._reached = reached

    def __enter__(self) -> None:
        """Nothing is written before the end."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> None:
        """Writes down a failure; the engine's own word that another worker owns the run comes before it, from the step."""
        if kind is not None and issubclass(kind, Exception) and not issubclass(kind, Fenced):
            words = str(error) if isinstance(error, BridgeError) else f"a fault of the bridge, please report it: {kind.__name__}: {error}"
            self._steps.post("failed", lambda connection: self._failed(connection, words, set_aside=kind is SetAside))
            self._reached("run.failed")

    def _failed(self, connection: sa.Connection, words: str, *, set_aside: bool) -> int:
        books = Books(connection, 0, self._now)
        books.take_turn()
        return failing.failed(books, self._name, self._flow, words, set_aside=set_aside)
