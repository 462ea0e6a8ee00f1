"""What is told outside of every run: log lines, how long its steps took, the dead-man ping. None of it can change how a run ends."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import sqlalchemy as sa

from bursarbridge.config.model import Settings
from bursarbridge.flows.run import Steps
from bursarbridge.ports.calls import Log, unlogged
from bursarbridge.wiring.log import LineLog
from bursarbridge.wiring.outside import Clock
from bursarbridge.wiring.pulse import Pulse

R = TypeVar("R")

_PACKAGE = Path(__file__).parent.parent
_STEP = re.compile(r"[\w-]+(?:: [a-z]+)?")


@dataclass(frozen=True)
class Watch:
    """Who is told of what happens; by itself nobody."""

    log: Log = unlogged
    pulse: Pulse | None = None
    slow_ms: int = 0
    """A step that took longer is logged; 0 for never."""
    monotonic: Callable[[], float] = time.monotonic

    def running(self, flow: str, name: str) -> Telling:
        """Around a run: tells that it began, and how it ended."""
        return Telling(self, flow, name)

    def steps(self, steps: Steps, flow: str, name: str) -> Steps:
        """The steps of a run, with the slow ones told."""
        return TimedSteps(steps, self, flow, name) if self.slow_ms else steps

    def beat(self) -> None:
        """A round is over, with or without runs."""
        if self.pulse is not None:
            self.pulse.beat()

    def since(self, begun: float) -> int:
        """Milliseconds since an instant of our monotonic clock."""
        return round((self.monotonic() - begun) * 1000)


class Telling:
    """One run under way, as it is told."""

    def __init__(self, watch: Watch, flow: str, name: str) -> None:
        self._watch = watch
        self._names: dict[str, str | int] = {"run": name, "flow": flow}
        self._begun = 0.0
        self._ended: dict[str, str | int] = {}

    def __enter__(self) -> Telling:
        """Tells that it began."""
        self._watch.log("run_begun", **self._names)
        self._begun = self._watch.monotonic()
        return self

    def ended(self, summary: Mapping[str, object]) -> None:
        """Takes what the run did."""
        self._ended = {"outcome": str(summary.get("outcome", "")), **_counts(summary)}

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Tells how it ended, by kind and place where it failed: the words of an error may name somebody."""
        if self._watch.pulse is not None:
            self._watch.pulse.note(kind)
        took = self._watch.since(self._begun)
        if kind is None:
            self._watch.log("run_ended", **self._names, **self._ended, took_ms=took)
        else:
            self._watch.log("run_failed", **self._names, error=kind.__name__, place=_place(trace), took_ms=took)


def _counts(summary: Mapping[str, object]) -> dict[str, int]:
    """The counts of a summary that a line has room for."""
    names = {"read": "records", "sent": "sent", "suspended": "suspended"}
    found = {name: summary.get(key) for key, name in names.items()}
    return {name: int(one["count"]) for name, one in found.items() if isinstance(one, dict) and "count" in one}


def _place(trace: TracebackType | None) -> str:
    """The innermost line of ours that an error came through: "flows/collect.py:93"."""
    place = ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            place = f"{file.relative_to(_PACKAGE).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


@dataclass(frozen=True)
class TimedSteps:
    """flows.run.Steps that tells of those which took long."""

    inner: Steps
    watch: Watch
    flow: str
    run: str

    def act(self, name: str, deed: Callable[[], R]) -> R:
        """flows.run.Steps.act."""
        with self._timed(name):
            return self.inner.act(name, deed)

    def post(self, name: str, deed: Callable[[sa.Connection], R]) -> R:
        """flows.run.Steps.post."""
        with self._timed(name):
            return self.inner.post(name, deed)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begun = self.watch.monotonic()
        try:
            yield
        finally:
            took = self.watch.since(begun)
            if took > self.watch.slow_ms:
                self.watch.log("step_slow", flow=self.flow, run=self.run, step=_step(name), took_ms=took)


def _step(name: str) -> str:
    """The kind of a step: its channel and its verb. What follows may be a partner's file name, and so a person's."""
    found = _STEP.match(name)
    return found[0] if found else ""


def watch_of(settings: Settings, clock: Clock) -> Watch:
    """Who is told, as the settings say."""
    lines, alive = settings.log, settings.ping
    log: Log = LineLog(lines.file, lines.format, lines.level, clock) if lines else unlogged
    pulse = Pulse(alive.url.value, alive.base, _seconds(alive.timeout.total_seconds()), time.monotonic, log) if alive else None
    return Watch(log, pulse, round(lines.slow_step.total_seconds() * 1000) if lines else 0)


def _seconds(length: float) -> int:
    return max(1, round(length))
