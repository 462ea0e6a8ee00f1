"""The durable engine: finished steps are not done again, whatever killed the process; only what time can cure is tried again."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.jobs import engine as engine_room
from bursarbridge.jobs.engine import DurableSteps
from tests.jobs import toy
from tests.jobs.conftest import Launch
from tests.jobs.toy import NAME, Toy

NOW = "2026-08-03T02:00:00Z"

DEATHS = [
    ("in fetch", ["fetch", "fetch", "send"]),
    ("fetched", ["fetch", "send"]),
    ("in post", ["fetch", "send"]),
    ("posted", ["fetch", "send"]),
    ("in send", ["fetch", "send", "send"]),
    ("sent", ["fetch", "send"]),
]
"""Where the process dies, and what was done outside in all: only the step that was under way is done again."""


@pytest.mark.parametrize(("die_at", "traces"), DEATHS)
def test_a_resumed_run_repeats_no_finished_step(address: str, ledger: sa.Engine, tmp_path: Path, die_at: str, traces: list[str]) -> None:
    file = tmp_path / "traces"
    toy.run(Toy(address, file, die_at))
    toy.run(Toy(address, file))
    assert file.read_text().split() == traces
    with ledger.connect() as connection:
        assert connection.execute(sa.text("select count(*) from run where name = :n"), {"n": f"{NAME}-row"}).scalar_one() == 1


def test_a_run_of_another_version_is_neither_resumed_nor_waited_for(address: str, tmp_path: Path, launch: Launch) -> None:
    file = tmp_path / "traces"
    toy.run(Toy(address, file, "fetched"), version="0")
    assert launch({"toy": Toy(address, file)}).finish_resumed() == []
    assert file.read_text().split() == ["fetch"]


def test_the_same_name_gets_what_the_run_returned(address: str, tmp_path: Path, launch: Launch) -> None:
    file = tmp_path / "traces"
    first = launch({"toy": Toy(address, file)}).run("toy", NAME, NOW)
    assert first == {"fetched": 1, "posted": 1, "sent": 2}
    again = launch({"toy": Toy(address, file)})
    assert again.run("toy", NAME, NOW) == first
    assert again.run("toy", "toy-2", NOW) == {"fetched": 3, "posted": 2, "sent": 4}
    assert file.read_text().split() == ["fetch", "send"] * 2


def test_what_time_can_cure_is_tried_again(launch: Launch) -> None:
    tries: list[int] = []
    running = launch({"toy": lambda steps, name, now: {"got": steps.act("fetch", lambda: _after(tries, 1, TryLater("not yet")))}})
    assert running.run("toy", NAME, NOW) == {"got": 2}


def test_and_given_up_in_its_own_words(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_room, "_TRIES", 2)
    tries: list[int] = []
    running = launch({"toy": lambda steps, name, now: {"got": steps.act("fetch", lambda: _after(tries, 9, TryLater("the line is dead")))}})
    with pytest.raises(TryLater, match="the line is dead"):
        running.run("toy", NAME, NOW)
    assert len(tries) == 2
    assert launch({"toy": lambda steps, name, now: {"got": 1}}).run("toy", "toy-2", NOW) == {"got": 1}


@pytest.mark.parametrize("error", [Refused("the host key changed"), Unreadable("amount", "no amount")])
def test_what_a_person_must_see_is_not_tried_again(launch: Launch, error: Exception) -> None:
    tries: list[int] = []
    running = launch({"toy": lambda steps, name, now: {"got": steps.act("fetch", lambda: _after(tries, 9, error))}})
    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            running.run("toy", NAME, NOW)
    assert len(tries) == 1


def test_a_step_that_fails_posts_nothing(launch: Launch, ledger: sa.Engine) -> None:
    def post(connection: sa.Connection) -> int:
        connection.execute(sa.text("insert into run (name, flow, version, started_at) values ('x', 'toy', '1', 'now')"))
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        launch({"toy": lambda steps, name, now: {"got": steps.post("post", post)}}).run("toy", NAME, NOW)
    with ledger.connect() as connection:
        assert connection.execute(sa.text("select count(*) from run")).scalar_one() == 0


@pytest.mark.parametrize(("failures", "posted"), [(2, 1), (99, 0)])
def test_p18_a_transaction_the_database_took_back_is_begun_anew_but_not_for_ever(
    launch: Launch, ledger: sa.Engine, failures: int, posted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_room, "_TURNS", 4)
    tries: list[int] = []

    def post(connection: sa.Connection) -> int:
        connection.execute(sa.text("insert into run (name, flow, version, started_at) values ('x', 'toy', '1', 'now')"))
        return _after(tries, failures, _taken_back(ledger.dialect.name))

    running = launch({"toy": lambda steps, name, now: {"got": steps.post("post", post)}})
    if posted:
        assert running.run("toy", NAME, NOW) == {"got": 3}
    else:
        with pytest.raises(TryLater, match="nothing of this step was posted"):
            running.run("toy", NAME, NOW)
        assert len(tries) == 4
    with ledger.connect() as connection:
        assert connection.execute(sa.text("select count(*) from run")).scalar_one() == posted


def test_a_large_import_does_not_starve_the_engine(launch: Launch) -> None:
    """stack.md 1: the engine's own tables lie beside the ledger, so its clock ticks while one transaction holds all of the ledger."""
    full, ticked = threading.Event(), threading.Event()
    row = "insert into run (name, flow, version, started_at) values (:name, 'toy', '1', :at)"

    def large(connection: sa.Connection) -> int:
        for start in range(0, 60_000, 5_000):
            connection.execute(sa.text(row), [{"name": f"n{number}", "at": "x" * 400} for number in range(start, start + 5_000)])
        full.set()
        assert ticked.wait(20), "the engine could not write while the import was open"
        return int(connection.execute(sa.text("select count(*) from run")).scalar_one())

    def importing(steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        return {"rows": steps.post("import", large)}

    def ticking(steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        return {"ticks": [steps.act(f"tick {number}", lambda: 1) for number in range(3)]}

    running = launch({"import": importing, "tick": ticking})
    told: list[dict[str, object]] = []
    thread = threading.Thread(target=lambda: told.append(running.run("import", "import-1", NOW)))
    thread.start()
    assert full.wait(30)
    assert running.run("tick", "tick-1", NOW) == {"ticks": [1, 1, 1]}
    ticked.set()
    thread.join(30)
    assert told == [{"rows": 60_000}]


def _taken_back(dialect: str) -> Exception:
    """What the driver says when another transaction was in the way."""
    busy = (
        sqlite3.OperationalError("database is locked") if dialect == "sqlite" else psycopg.errors.SerializationFailure("could not serialize access")
    )
    return sa.exc.OperationalError("insert", {}, busy)


def _after(tries: list[int], failures: int, error: Exception) -> int:
    tries.append(1)
    if len(tries) <= failures:
        raise error
    return len(tries)
