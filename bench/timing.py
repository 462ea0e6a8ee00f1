"""Where the time of one run goes: by durable step, by SQL statement, and (asked for) by Python function.

    python -m bench.timing CAMPUS FLOW [--calls]

Runs a flow of a campus in this process with clocks around the engine's steps and the driver's statements. The clocks
cost a few per cent; a profile of calls (`--calls`) doubles the time and shifts it towards small functions.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import resource
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

R = TypeVar("R")


class Clocks:
    """Seconds, processor seconds and calls under a name, and by how much the process's peak of memory rose meanwhile."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self.cpu: dict[str, float] = defaultdict(float)
        self.risen_mib: dict[str, float] = defaultdict(float)

    def add(self, name: str, seconds: float) -> None:
        """Counts one call."""
        self.seconds[name] += seconds
        self.calls[name] += 1

    def around(self, name: str, deed: Callable[[], R]) -> R:
        """Does something under a clock."""
        began, busy, peak = time.perf_counter(), time.process_time(), _peak_mib()
        try:
            return deed()
        finally:
            self.add(name, time.perf_counter() - began)
            self.cpu[name] += time.process_time() - busy
            self.risen_mib[name] += _peak_mib() - peak

    def lines(self, most: int) -> list[str]:
        """The dearest names first."""
        dearest = sorted(self.seconds, key=lambda name: -self.seconds[name])[:most]
        return [
            f"{self.seconds[name]:9.3f} s {self.cpu[name]:8.3f} cpu {self.calls[name]:6d} x {self.risen_mib[name]:+6.1f} MiB  {name}"
            for name in dearest
        ]


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Runs one flow under clocks and prints where its time went."""
    ask = argparse.ArgumentParser(prog="python -m bench.timing", description=__doc__.splitlines()[0] if __doc__ else "")
    ask.add_argument("campus", type=Path)
    ask.add_argument("flow")
    ask.add_argument("--calls", action="store_true", help="also profile Python calls (doubles the time)")
    asked = ask.parse_args()
    print("\n".join(report(asked.campus, asked.flow, calls=asked.calls)))


def report(campus: Path, flow: str, *, calls: bool) -> list[str]:
    """Runs a flow of a campus in this process and returns the report, line by line."""
    began = time.perf_counter()
    from bursarbridge import config, wiring

    steps, statements, phases = Clocks(), Clocks(), Clocks()
    phases.add("import", time.perf_counter() - began)
    settings = phases.around("settings", lambda: config.load(campus / "bursarbridge.toml"))
    bridge = phases.around("open ledger (and migrate a new one)", lambda: wiring.build(settings))
    _watch_steps(steps)
    _watch_statements(bridge.ledger, statements)
    profiler = cProfile.Profile()
    entered = time.perf_counter()
    with bridge.running() as start:
        phases.add("engine start", time.perf_counter() - entered)
        with profiler if calls else nullcontext():
            summary = phases.around("run", lambda: start(flow))
        left = time.perf_counter()
    phases.add("engine stop", time.perf_counter() - left)
    bridge.close()
    words = [f"{flow}: {summary['outcome']}, whole {time.perf_counter() - began:.3f} s", "", "phases", *phases.lines(9)]
    words += ["", "durable steps", *steps.lines(30), "", "statements (executemany of staging includes making the rows)", *statements.lines(45)]
    return words + (_calls(profiler) if calls else [])


def _watch_steps(clocks: Clocks) -> None:
    from bursarbridge.jobs.engine import DurableSteps

    act, post = DurableSteps.act, DurableSteps.post

    def timed_act(self: DurableSteps, name: str, deed: Callable[[], R]) -> R:
        return clocks.around(f"act  {name}", lambda: act(self, name, deed))

    def timed_post(self: DurableSteps, name: str, deed: Callable[[sa.Connection], R]) -> R:
        def inside(connection: sa.Connection) -> R:
            return clocks.around(f"     {name} (inside the transaction)", lambda: deed(connection))

        return clocks.around(f"post {name}", lambda: post(self, name, inside))

    DurableSteps.act = timed_act  # type: ignore[method-assign]
    DurableSteps.post = timed_post  # type: ignore[method-assign]


def _watch_statements(ledger: sa.Engine, clocks: Clocks) -> None:
    from bursarbridge.store.books import Books

    began: list[tuple[float, float, float]] = []
    stage, told = Books.stage, Books._told

    @sa.event.listens_for(ledger, "before_cursor_execute")
    def before(*_: object) -> None:
        began.append((time.perf_counter(), time.process_time(), _peak_mib()))

    @sa.event.listens_for(ledger, "after_cursor_execute")
    def after(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        name, (at, busy, peak) = " ".join(statement.split())[:180], began.pop()
        clocks.add(name, time.perf_counter() - at)
        clocks.cpu[name] += time.process_time() - busy
        clocks.risen_mib[name] += _peak_mib() - peak

    def timed_told(self: Books, straight: sqlite3.Connection, sql: str, values: dict[str, object]) -> tuple[int, list[tuple[Any, ...]]]:
        before()
        try:
            return told(self, straight, sql, values)
        finally:
            after(None, None, sql)

    def timed_stage(self: Books, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        clocks.around(f"stage into {table}", lambda: stage(self, table, columns, rows))

    Books.stage, Books._told = timed_stage, timed_told  # type: ignore[method-assign]


def _calls(profiler: cProfile.Profile) -> list[str]:
    lines = ["", "Python calls, by own time"]
    for order in ("tottime", "cumtime"):
        text = io.StringIO()
        pstats.Stats(profiler, stream=text).sort_stats(order).print_stats(35)
        lines += [line for line in text.getvalue().splitlines() if line.strip()]
    return lines


if __name__ == "__main__":
    main()
