"""What the durable engine costs and gives: a step's overhead, runs a second over several workers, the time from a kill to going on.

python -m bench.engine [--steps 200] [--runs 120] [--kills 5] [--out FILE]

The work inside the steps is next to nothing, so what is measured is the engine: a step outside the ledger is one checkpoint in the
engine's own tables, a posting step is one ledger transaction with its checkpoint in it and a mark beside it. Runs over workers: eight flows,
each run a step of 20 ms outside and two postings, as many runs in all for every number of workers. Kill: SIGKILL in a step outside; until
another worker, with the intervals of the product, does that step again.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

from bench.rounds import Report, revision
from bench.server import server

_CONTEXT = get_context("spawn")
_FLOWS = 8
_NOW = "2026-08-03T02:00:00Z"
_OUT = Path(__file__).parent / "results" / "results.jsonl"


def main() -> None:
    """Measures all of it and adds it to the results."""
    ask = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--steps", type=int, default=200)
    ask.add_argument("--runs", type=int, default=120)
    ask.add_argument("--kills", type=int, default=5)
    ask.add_argument("--out", type=Path, default=_OUT)
    asked = ask.parse_args()
    report = Report(asked.out, revision(Path(__file__).parent.parent))
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(server())
        for word, address in (("sqlite", f"sqlite:{home / 'steps.db'}"), ("postgresql", postgres.create("steps"))):
            act, post, bare = _steps(address, home, asked.steps)
            line = f"a step outside {act:.1f} ms, a posting step {post:.1f} ms, a bare commit {bare:.1f} ms"
            report.result(f"engine steps {word}", line, [], {"act_ms": act, "post_ms": post, "bare_ms": bare})
        for workers in (1, 2, 4):
            rate = _throughput(postgres.create("runs"), home, workers, asked.runs)
            report.result(f"engine runs over {workers} workers postgresql", f"{rate:.1f} runs a second", [], {"runs_per_s": rate})
        waits = [_kill(postgres.create("kills"), home) for _ in range(asked.kills)]
        line = f"{statistics.median(waits):.1f} s ({min(waits):.1f}..{max(waits):.1f}) from SIGKILL to the same step on another worker"
        report.result("engine kill to resumed postgresql", line, [], {"resumed_s": statistics.median(waits)})


def _steps(address: str, home: Path, steps: int) -> tuple[float, float, float]:
    told = home / "told"
    _begin(address, home, "steps", steps).join()
    act, post, bare = map(float, told.read_text().split())
    return act, post, bare


def _throughput(address: str, home: Path, workers: int, runs: int) -> float:
    for left in home.glob("ready*"):
        left.unlink()
    (home / "go").unlink(missing_ok=True)
    _migrate(address)
    processes = [_begin(address, home, f"runs {index} {workers}", runs) for index in range(workers)]
    while len(list(home.glob("ready*"))) < workers and all(process.is_alive() for process in processes):
        time.sleep(0.01)
    start = time.perf_counter()
    (home / "go").touch()
    for process in processes:
        process.join()
    return runs / (time.perf_counter() - start)


def _kill(address: str, home: Path) -> float:
    for left in home.glob("in step*"):
        left.unlink()
    _migrate(address)
    first = _begin(address, home, "hang", 1)
    while not (home / f"in step {first.pid}").exists():
        time.sleep(0.01)
    second = _begin(address, home, "wait", 1)
    while not (home / f"ready {second.pid}").exists():
        time.sleep(0.01)
    start = time.perf_counter()
    assert first.pid is not None and second.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    while not (home / f"in step {second.pid}").exists():
        time.sleep(0.01)
    spent = time.perf_counter() - start
    os.kill(second.pid, signal.SIGKILL)
    second.join()
    return spent


def _begin(address: str, home: Path, what: str, number: int) -> SpawnProcess:
    process = _CONTEXT.Process(target=_work, args=(address, home, what, number))
    process.start()
    return process


def _migrate(address: str) -> None:
    from bursarbridge.store import opening

    ledger = opening.open_engine(address)
    opening.migrate(ledger)
    ledger.dispose()


def _work(address: str, home: Path, what: str, number: int) -> None:
    """A worker with the product's own intervals."""
    from bursarbridge.jobs.engine import VERSION, DurableSteps, Engine
    from bursarbridge.jobs.takeover import TakeOver
    from bursarbridge.jobs.workers import Alone, Leased
    from bursarbridge.store import opening
    from bursarbridge.store.owners import RunOwners

    ledger = opening.open_engine(address)
    opening.migrate(ledger)
    post: Alone | Leased = Alone()
    if ledger.dialect.name == "postgresql":
        post = Leased(ledger, VERSION)
        post.take()

    def hang(_steps: DurableSteps, _name: str, _now: str) -> dict[str, object]:
        def deed() -> int:
            (home / f"in step {os.getpid()}").touch()
            time.sleep(60)
            return 1

        return {"hung": _steps.act("hang", deed)}

    def short(steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        steps.post("one", lambda _connection: 1)
        steps.act("out", lambda: time.sleep(0.02))
        return {"two": steps.post("two", lambda connection: _noted(connection, name, now))}

    running = Engine(ledger, {"hang": hang, "timed": _timed(home, number), **{f"flow{n}": short for n in range(_FLOWS)}}, at=post, owners=RunOwners())
    running.launch()
    looks = TakeOver(post, running.unfinished, running.active, running.resume)
    threading.Thread(target=looks.keep_looking, args=(threading.Event(), lambda _names: None), daemon=True).start()
    (home / f"ready {os.getpid()}").touch()
    if what == "steps":
        running.run("timed", "timed-1", _NOW)
    elif what == "hang":
        running.run("hang", "hang-1", _NOW)
    elif what == "wait":
        time.sleep(60)
    else:
        while not (home / "go").exists():
            time.sleep(0.002)
        index, workers = map(int, what.split()[1:])
        for turn in range(number):
            if turn % _FLOWS % workers == index:  # each worker has flows of its own, as a timetable's rounds come to share them out
                running.run(f"flow{turn % _FLOWS}", f"run-{turn}", _NOW)
    os._exit(0)


def _timed(home: Path, steps: int):  # type: ignore[no-untyped-def]  # a Procedure, whose module is loaded in the worker only
    def procedure(durable, name, now):  # type: ignore[no-untyped-def]
        marks = [time.perf_counter()]
        for turn in range(steps):
            durable.act(f"act {turn}", lambda: 1)
        marks.append(time.perf_counter())
        for turn in range(steps):
            durable.post(f"post {turn}", lambda connection, turn=turn: _noted(connection, f"{name}-{turn}", now))
        marks.append(time.perf_counter())
        ledger = durable.ledger.engine
        for turn in range(steps):
            with ledger.begin() as connection:
                _noted(connection, f"bare-{turn}", now)
        marks.append(time.perf_counter())
        (home / "told").write_text(" ".join(str(1_000 * (after - before) / steps) for before, after in pairwise(marks)))
        return {"timed": steps}

    return procedure


def _noted(connection, name: str, now: str) -> int:  # type: ignore[no-untyped-def]
    import sqlalchemy as sa

    sql = "insert into run (name, flow, version, started_at) values (:name, 'bench', '1', :at)"
    return int(connection.execute(sa.text(sql), {"name": f"{name}-row", "at": now}).rowcount)


if __name__ == "__main__":
    main()
