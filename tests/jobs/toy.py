"""A toy procedure on the durable engine, and a process of its own to run it in, so that it can be killed between and within its steps."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from pathlib import Path

import sqlalchemy as sa

from bursarbridge.jobs import engine
from bursarbridge.jobs.engine import DurableSteps, Engine
from bursarbridge.store import opening

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["bursarbridge.jobs.engine", "bursarbridge.store.opening", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"])

NAME = "toy-1"


class Toy:
    """Three steps that leave traces: lines in a file (outside), a row in the ledger (inside), lines again."""

    def __init__(self, address: str, traces: Path, die_at: str = "") -> None:
        self.address = address
        self.traces = traces
        self.die_at = die_at

    def __call__(self, steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        fetched = steps.act("fetch", lambda: self._trace("fetch"))
        self.passed("fetched")
        posted = steps.post("post", lambda connection: self._post(connection, name, now))
        self.passed("posted")
        sent = steps.act("send", lambda: self._trace("send"))
        self.passed("sent")
        return {"fetched": fetched, "posted": posted, "sent": sent}

    def passed(self, point: str) -> None:
        """Dies here, if it is to."""
        if point == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _trace(self, word: str) -> int:
        with self.traces.open("a") as file:
            file.write(f"{word}\n")
        self.passed(f"in {word}")
        return len(self.traces.read_text().split())

    def _post(self, connection: sa.Connection, name: str, now: str) -> int:
        connection.execute(sa.text("insert into run (name, flow, version, started_at) values (:n, 'toy', '1', :at)"), {"n": f"{name}-row", "at": now})
        self.passed("in post")
        return int(connection.execute(sa.text("select count(*) from run")).scalar_one())


def run(toy: Toy, *, version: str = engine.VERSION) -> None:
    """Runs the toy in a process of its own, which dies by SIGKILL when the toy says so."""
    child = _FORKS.Process(target=_child, args=(toy, version))
    child.start()
    child.join(60)
    said = toy.traces.with_suffix(".said")
    assert child.exitcode == (-signal.SIGKILL if toy.die_at else 0), said.read_text() if said.exists() else child.exitcode


def _child(toy: Toy, version: str) -> None:
    engine.VERSION = version
    try:
        ledger = opening.open_engine(toy.address)
        running = Engine(ledger, {"toy": toy})
        running.launch()
        running.finish_resumed()
        running.run("toy", NAME, "2026-08-03T02:00:00Z")
        running.close()
        ledger.dispose()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent shows it
        toy.traces.with_suffix(".said").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)
