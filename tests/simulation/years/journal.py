"""The durable engine of the simulation: what a step returned is remembered across deaths, and replayed; what was cut off is done again.

It stands in for jobs.engine.Engine with the same promises (stack.md 1): a step in the ledger commits together with its checkpoint,
a step outside may have happened although nobody wrote it down. The real engine is killed for real in tests/crash.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar, cast

import sqlalchemy as sa

from bursarbridge.errors import BridgeError, TryLater
from bursarbridge.jobs.engine import Procedure
from bursarbridge.wiring.recording import Recorded

R = TypeVar("R")

TRIES = 3


class Killed(BaseException):
    """The process died here."""


@dataclass
class Log:
    """One run: what it is, and the checkpoints of its steps in order."""

    flow: str
    now: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False


@dataclass
class Journal:
    """What survives a death, beside the ledger."""

    runs: dict[str, Log] = field(default_factory=dict)
    after_deed: Callable[[str], None] = lambda _name: None
    """Called between an outside deed and its checkpoint: the place where a death leaves an effect that nobody knows of."""
    after_step: Callable[[str, str, str, object], None] = lambda _flow, _now, _name, _result: None
    """Called when a step has its checkpoint: with its flow, the run's instant, its name and its result."""


class Steps:
    """flows.run.Steps over a journal."""

    def __init__(self, ledger: sa.Engine, journal: Journal, log: Log) -> None:
        self._ledger, self._journal, self._log = ledger, journal, log
        self._next = 0

    def act(self, name: str, deed: Callable[[], R]) -> R:
        """Outside the database; what passes is tried again at once, a few times."""
        known = self._known(name)
        if known is not None:
            return cast("R", json.loads(known))
        for left in reversed(range(TRIES)):
            try:
                result = deed()
                break
            except TryLater:
                if not left:
                    raise
        self._journal.after_deed(name)
        return cast("R", self._kept(name, result))

    def post(self, name: str, deed: Callable[[sa.Connection], R]) -> R:
        """One transaction; its checkpoint is part of it."""
        known = self._known(name)
        if known is not None:
            return cast("R", json.loads(known))
        with self._ledger.begin() as connection:
            result = deed(connection)
        return cast("R", self._kept(name, result))

    def _known(self, name: str) -> str | None:
        if self._next == len(self._log.steps):
            return None
        was, result = self._log.steps[self._next]
        assert was == name, f'a resumed run does "{name}" where it did "{was}"'
        self._next += 1
        return result

    def _kept(self, name: str, result: object) -> object:
        text = json.dumps(result)
        self._log.steps.append((name, text))
        self._next += 1
        self._journal.after_step(self._log.flow, self._log.now, name, result)
        return json.loads(text)


class JournalEngine:
    """jobs.engine.Engine's face."""

    def __init__(self, journal: Journal, ledger: sa.Engine, procedures: Mapping[str, Procedure], recorded: type[Recorded]) -> None:
        self._journal, self._ledger, self._procedures, self._recorded = journal, ledger, procedures, recorded

    def run(self, flow: str, name: str, now: str) -> dict[str, object]:
        """Runs a flow; one that fails with words has ended, as in the real engine."""
        log = self._journal.runs.setdefault(name, Log(flow, now))
        steps = Steps(self._ledger, self._journal, log)
        try:
            with self._recorded(flow, steps, name, now):
                result = dict(self._procedures[flow](steps, name, now))  # type: ignore[arg-type]
        except BridgeError:
            log.ended = True
            raise
        log.ended = True
        del self._journal.runs[name]
        return result

    def finish_resumed(self) -> list[str]:
        """Goes on with what a death cut off."""
        names = [name for name, log in self._journal.runs.items() if not log.ended]
        for name in names:
            log = self._journal.runs[name]
            with suppress(BridgeError):
                self.run(log.flow, name, log.now)
        return names

    def close(self) -> None:
        """Forgets nothing."""
