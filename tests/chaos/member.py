"""One process of the storm: hears webhook calls on a port and works on runs, as `serve` does; made to be killed and frozen."""

from __future__ import annotations

import os
import random
import threading
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import psycopg
import sqlalchemy as sa

from bursarbridge import config, wiring
from bursarbridge.console.serving import beside, bound
from bursarbridge.errors import TryLater
from bursarbridge.jobs import engine, takeover, workers
from bursarbridge.jobs.engine import DurableSteps, Engine
from bursarbridge.jobs.takeover import TakeOver
from bursarbridge.jobs.workers import Leased
from bursarbridge.store.owners import RunOwners

FLOWS = 6
NOW = "2026-08-03T02:00:00Z"
LEASE_SECONDS = 2.0


class Task(NamedTuple):
    """What a member is told."""

    folder: Path
    port: int
    runs: int
    """Of each flow."""


def live(task: Task) -> None:
    """The life of a member, until a file `over` lies in the folder."""
    workers.LEASE_SECONDS, workers._BEAT_SECONDS, takeover.LOOK_SECONDS = LEASE_SECONDS, 0.4, 0.5
    try:
        _live(task)
    except (TryLater, psycopg.Error, sa.exc.DBAPIError):
        os._exit(5)  # the database is away: whoever keeps processes starts it again
    except BaseException:  # noqa: BLE001 - whatever it is, the parent shows it
        (task.folder / f"said {os.getpid()}").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _live(task: Task) -> None:
    bridge = wiring.build(config.load(task.folder / "campus/bursarbridge.toml"))
    with bound("127.0.0.1", task.port) as listener, bridge.listening() as app, beside(app, listener):
        post = Leased(bridge.ledger, engine.VERSION)
        post.take()
        flows = [f"flow{number}" for number in range(FLOWS)]
        running = Engine(bridge.ledger, {flow: Effects(task.folder / "effects") for flow in flows}, at=post, owners=RunOwners())
        running.launch()
        ended = threading.Event()
        looks = TakeOver(post, running.unfinished, running.active, running.resume)
        note = task.folder / f"taken {os.getpid()}"
        threading.Thread(target=looks.keep_looking, args=(ended, lambda names: note.open("a").write(f"{len(names)}\n")), daemon=True).start()
        dice = random.Random(os.getpid())
        while not (task.folder / "over").exists() and not post.lost.is_set():
            dice.shuffle(flows)
            for flow in flows:
                _one_more(bridge.ledger, running, flow, task.runs)


def _one_more(ledger: sa.Engine, running: Engine, flow: str, runs: int) -> None:
    try:
        with ledger.connect() as connection:
            done = int(connection.execute(sa.text("select count(*) from run where flow = :flow"), {"flow": flow}).scalar_one())
        if done < runs:
            running.run(flow, f"{flow}-{done}", NOW)
        else:
            time.sleep(0.05)
    except (TryLater, psycopg.Error, sa.exc.DBAPIError):
        time.sleep(0.05)


class Effects:
    """A flow: a document leaves under a hidden name, is noted in the ledger, gets its final name, and the run is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        steps.act("upload", lambda: self._upload(name))
        steps.post("intend", lambda connection: self._note(connection, f"{name} intended", "intended", now))
        steps.act("publish", lambda: self._publish(name))
        steps.post("done", lambda connection: self._note(connection, name, name.partition("-")[0], now))
        return {"done": name}

    def _upload(self, name: str) -> int:
        hidden = self._folder / f".{name}.{os.getpid()}.{threading.get_ident()}.part"
        hidden.write_text(name)
        hidden.replace(self._folder / f".{name}.part")
        return 1

    def _publish(self, name: str) -> int:
        hidden, final = self._folder / f".{name}.part", self._folder / name
        if not final.exists():
            try:
                final.hardlink_to(hidden)
            except FileExistsError:
                return 1
            with (self._folder / "published").open("a") as published:
                published.write(f"{name}\n")
        hidden.unlink(missing_ok=True)
        return 1

    def _note(self, connection: sa.Connection, name: str, flow: str, now: str) -> int:
        sql = "insert into run (name, flow, version, started_at) values (:name, :flow, '1', :at)"
        return connection.execute(sa.text(sql), {"name": name, "flow": flow, "at": now}).rowcount
