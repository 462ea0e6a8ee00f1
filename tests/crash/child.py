"""A process of its own that runs flows on a campus, so that it can be killed; forked from a server that has loaded the heavy libraries once."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dbos._queue import Queue

from bursarbridge import config, wiring
from bursarbridge.errors import BridgeError

SYNC = "sync"
"""In place of a flow: one round of the timetable."""
START = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
"""The evening of 2 August 2026 on campus; run n begins n times ten minutes later, whoever runs it."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["bursarbridge.wiring", "bursarbridge.config", "bursarbridge.jobs.engine", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"]
)


def run(folder: Path, *flows: tuple[str, int], crash_at: str = "") -> list[str]:
    """Runs flows, each as the numbered run, in a process; returns the points it passed. With `crash_at` it must die there by SIGKILL."""
    return alone(folder, _run, *flows, crash_at=crash_at)


def alone(folder: Path, work: Callable[..., None], *words: object, crash_at: str = "") -> list[str]:
    """The same for any work of a module: it is called with the folder, with what to call at a named point, and with the words."""
    points = folder / "points"
    points.unlink(missing_ok=True)
    child = _FORKS.Process(target=_child, args=(folder, work, words, crash_at))
    child.start()
    child.join(60)
    said = (folder / "said").read_text() if (folder / "said").exists() else ""
    assert child.exitcode == (-signal.SIGKILL if crash_at else 0), f"{crash_at or 'run'} ended with {child.exitcode}: {said}"
    return points.read_text().split() if points.exists() else []


def _child(place: Path, work: Callable[..., None], words: Sequence[object], crash_at: str) -> None:
    try:
        switch = wiring.crash_switch({"BURSARBRIDGE_CRASH_AT": crash_at})
        with (place / "points").open("a") as points:

            def reached(point: str) -> None:
                points.write(f"{point}\n")
                points.flush()
                switch(point)

            work(place, reached, *words)
    except BaseException:  # noqa: BLE001 - whatever it is, the parent shows it
        (place / "said").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _run(place: Path, reached: Callable[[str], None], *flows: tuple[str, int]) -> None:
    # The engine looks at its queue of resumed runs every second; two hundred recoveries need not wait for that.
    (Queue.__init__.__kwdefaults__ or {})["polling_interval_sec"] = 0.05
    number = [0]

    def clock() -> datetime:
        return START + timedelta(minutes=10 * number[0])

    bridge = wiring.build(config.load(place / "bursarbridge.toml"), clock=clock, wait=lambda _seconds: None, reached=reached)
    for flow, at in flows:
        number[0] = at
        (place / f"summary-{at}.json").write_text(json.dumps(bridge.sync() if flow == SYNC else _ended(bridge, flow)))
    bridge.close()


def _ended(bridge: wiring.Bridge, flow: str) -> object:
    """What a run said, or the words with which it failed."""
    with bridge.running() as start:
        try:
            return start(flow)
        except BridgeError as error:
            return {"failed": str(error)}
