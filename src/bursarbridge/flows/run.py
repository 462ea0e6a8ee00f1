"""One run of a flow: its name, its instant, and the durable steps it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa

from bursarbridge.errors import BridgeError
from bursarbridge.ports import Vault
from bursarbridge.ports.calls import Log, unlogged
from bursarbridge.store.books import Books

R = TypeVar("R")


class Steps(Protocol):
    """What a durable engine offers. Results are plain values (texts, numbers, lists, dicts): they are checkpointed."""

    def act(self, name: str, deed: Callable[[], R]) -> R:
        """Does something outside the database. May be done again after a crash, so the deed must bear repeating."""
        ...

    def post(self, name: str, deed: Callable[[sa.Connection], R]) -> R:
        """Does something in one transaction that commits together with the engine's own checkpoint: exactly once."""
        ...


@dataclass(frozen=True)
class World:
    """What every flow needs from outside: the vault, a folder for unfinished files, waiting, and the named crash points."""

    vault: Vault
    scratch: Path
    wait: Callable[[float], None]
    reached: Callable[[str], None]
    clock: Callable[[], datetime] | None = None
    """What our clock shows at this moment, to compare a partner's with; never what a decision is made by. None: nothing is compared."""
    log: Log = unlogged


@dataclass(frozen=True)
class Run:
    """A run under way."""

    name: str
    flow: str
    number: int
    now: str
    """UTC, ISO 8601 with Z: the one instant of this run."""
    today: str
    """The campus date of `now`."""
    steps: Steps
    world: World

    def log(self, event: str, /, **fields: str | int) -> None:
        """Writes a line about this run; a resumed run may write it again."""
        self.world.log(event, run=self.name, flow=self.flow, **fields)

    def act(self, name: str, deed: Callable[[], R]) -> R:
        """A durable step outside the database. Crash points: step.acted, done and not written down; step.noted, written down."""

        def acted() -> R:
            result = deed()
            self.world.reached("step.acted")
            return result

        with self._refusals():
            told = self.steps.act(name, acted)
        self.world.reached("step.noted")
        return told

    def post(self, name: str, deed: Callable[[Books], R]) -> R:
        """A durable step in the ledger: one transaction, in its turn. Crash points: step.posting, nothing committed yet; step.posted, all of it."""

        def in_turn(connection: sa.Connection) -> R:
            books = Books(connection, self.number, self.now, self.world.reached)
            books.take_turn()
            result = deed(books)
            books.reached("step.posting")
            return result

        with self._refusals():
            told = self.steps.post(name, in_turn)
        self.world.reached("step.posted")
        return told

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Crash point: step.refused, the step ended with words, and those are written down in place of a result."""
        try:
            yield
        except BridgeError:
            self.world.reached("step.refused")
            raise


def utc_text(instant: datetime) -> str:
    """An instant as the tables write it: UTC, whole seconds, Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
