"""How many distinct webhook calls a second are stored durably and answered, beside the bare commit rate of the same database.

python -m bench.webhooks [--calls 2000] [--clients 32] [--rounds 5] [--database sqlite postgresql] [--folder DIR]

Loopback only. In every round, in turn and in changing order: single commits of one such row each by one connection (the
floor of a receiver that commits once a call), and the calls over HTTP, each signed and with an id of its own, by clients
that keep their connections. Client and server share this machine; the client is part of what is measured. Every answer must
be 200, and afterwards every call must be a row.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path

from bench.server import server as postgres

_SECRET = "a secret of the bench, long enough"
_ONE_COMMIT_SECONDS = 2.0


def main() -> None:
    """Measures and prints; ends with an error when a call was lost."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        for database in options.database:
            address = f"sqlite:{folder}/ledger.db"
            if database == "postgresql":
                address = stack.enter_context(postgres()).create("webhooks")
            _measure(database, address, folder / database, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Distinct webhook calls a second, stored durably and answered.")
    parser.add_argument("--calls", type=int, default=2_000, help="calls a round (at most 20,000)")
    parser.add_argument("--clients", type=int, default=32, help="connections at once (at most 128)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, help="where the SQLite ledger lies; a disk in memory would measure nothing")
    options = parser.parse_args()
    options.calls, options.clients = min(options.calls, 20_000), min(options.clients, 128)
    return options


def _measure(database: str, address: str, folder: Path, options: argparse.Namespace) -> None:
    with _receiver(address, folder) as port:
        commits: list[float] = []
        calls: list[float] = []
        for turn in range(options.rounds + 1):  # the first is not counted
            first = turn * options.calls
            if turn % 2:
                commits.append(_bare_commits(address))
            calls.append(_sent(port, first, options))
            if not turn % 2:
                commits.append(_bare_commits(address))
    stored = _stored(address)
    wanted = options.calls * (options.rounds + 1)
    if stored != wanted:
        raise SystemExit(f"{database}: {stored:,} calls are stored and {wanted:,} were answered with 200")
    ratios = [call / commit for call, commit in zip(calls[1:], commits[1:], strict=True)]
    print(
        f"{database}: {_spread(calls[1:])} calls a second stored and answered; {_spread(commits[1:])} bare commits a second; "
        f"{statistics.median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f}); load before {os.getloadavg()[0]:.1f}"
    )


def _spread(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):,.0f} ({min(figures):,.0f} to {max(figures):,.0f})"


@contextmanager
def _receiver(address: str, folder: Path) -> Iterator[int]:
    """The intake in a process of its own, as `serve` is one; yields its port."""
    context = get_context("spawn")
    told, ours = context.Pipe(), context.Event()
    process = context.Process(target=_receive, args=(address, folder, told[1], ours))
    process.start()
    try:
        if not told[0].poll(60):
            raise SystemExit("the intake did not start")
        yield int(told[0].recv())
    finally:
        ours.set()
        process.join(30)


def _receive(address: str, folder: Path, told, stop) -> None:  # type: ignore[no-untyped-def]  # multiprocessing's own, nameless types
    from bursarbridge import config, wiring
    from bursarbridge.console.serving import bound, server
    from bursarbridge.examples.example import write_example

    write_example(folder)
    file = folder / "bursarbridge.toml"
    text = file.read_text("utf-8").replace('"sqlite:data/bursarbridge.db"', json.dumps(address))
    file.write_text(text.replace("[sources.library.import] ", '[sources.library.webhooks]\nsecrets = ["env:BENCH_HOOK"]\n[sources.library.import] '))
    os.environ["BENCH_HOOK"] = _SECRET
    bridge = wiring.build(config.load(file))
    with bound("127.0.0.1", 0) as listener, bridge.listening() as app:
        running = server(app)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        told.send(listener.getsockname()[1])
        stop.wait()
        running.should_exit = True
        thread.join()
    bridge.close()


def _sent(port: int, first: int, options: argparse.Namespace) -> float:
    """Calls a second: all of a round, from the first byte to the last answer."""
    from bursarbridge.systems.alma.webhooks import signature

    bodies = [_body(first + number) for number in range(options.calls)]
    ready = [(body, signature(_SECRET.encode(), body).decode()) for body in bodies]
    failed: list[int] = []
    number_of_calls, number_of_clients = int(options.calls), int(options.clients)
    begun = threading.Barrier(number_of_clients + 1)

    def client(mine: list[tuple[bytes, str]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        begun.wait()
        for body, signed in mine:
            connection.request("POST", "/webhooks/library", body, {"X-Exl-Signature": signed})
            reply = connection.getresponse()
            reply.read()
            if reply.status != 200:
                failed.append(reply.status)
        connection.close()

    clients = [threading.Thread(target=client, args=(ready[number :: options.clients],)) for number in range(options.clients)]
    for one in clients:
        one.start()
    begun.wait()
    start = time.perf_counter()
    for one in clients:
        one.join()
    spent = time.perf_counter() - start
    if failed:
        raise SystemExit(f"{len(failed)} calls were not answered with 200: {sorted(set(failed))}")
    return number_of_calls / spent


def _body(number: int) -> bytes:
    """A LOAN call of the size of the public samples, unlike every other."""
    told = {
        "id": f"{number:019}",
        "action": "LOAN",
        "institution": {"value": "61LIB", "desc": "Example College"},
        "time": "2026-08-04T12:00:00.005Z",
        "event": {"value": "LOAN_RETURNED", "desc": "Loan returned"},
        "item_loan": {"loan_id": f"{number:016}", "user_id": "0012345", "item_barcode": f"{number:014}", "title": "x" * 400, "filler": "y" * 800},
    }
    return json.dumps(told).encode()


def _bare_commits(address: str) -> float:
    """Commits a second of one row of a call's size each, one after another, by one connection set up as the ledger's own are."""
    import sqlalchemy as sa

    from bursarbridge.store import opening

    engine = opening.open_engine(address)
    with engine.connect() as connection:
        with connection.begin():
            connection.exec_driver_sql("create table if not exists bare (n integer, body text)")
        insert, body = sa.text("insert into bare (n, body) values (:n, :body)"), _body(0).decode()
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < _ONE_COMMIT_SECONDS:
            with connection.begin():
                connection.execute(insert, {"n": done, "body": body})
            done += 1
        spent = time.perf_counter() - start
    engine.dispose()
    return done / spent


def _stored(address: str) -> int:
    import sqlalchemy as sa

    from bursarbridge.store import opening

    engine = opening.open_engine(address)
    with engine.connect().execution_options(reading=True) as connection:
        found = int(connection.execute(sa.text("select count(*) from webhook")).scalar_one())
    engine.dispose()
    return found


if __name__ == "__main__":
    main()
