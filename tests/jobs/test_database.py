"""The database under the engine: cut off, damaged, upgraded by another; and work that cannot be done."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bursarbridge.errors import Refused
from bursarbridge.jobs import engine as engine_room
from bursarbridge.jobs.engine import DurableSteps, Engine, Procedure
from bursarbridge.jobs.workers import Leased
from bursarbridge.store import opening, runs, soundness, views
from bursarbridge.store.books import Books
from bursarbridge.store.owners import RunOwners
from bursarbridge.wiring.recording import Recorded
from tests import postgres
from tests.jobs.conftest import Launch
from tests.jobs.toy import NAME

NOW = "2026-08-03T02:00:00Z"
_ROW = "insert into run (name, flow, version, started_at) values (:name, 'toy', '1', 'now')"


@contextmanager
def at_work(address: str, procedures: Mapping[str, Procedure]) -> Iterator[Engine]:
    """An engine as a worker has it."""
    ledger = opening.open_engine(address)
    post = Leased(ledger, engine_room.VERSION)
    post.take()
    running = Engine(ledger, procedures, at=post, owners=RunOwners(), recording=Recorded)
    try:
        running.launch()
        yield running
    finally:
        running.close()
        post.give_back()
        ledger.dispose()


@pytest.mark.parametrize("cut", ["before", "at"])
def test_p17_a_connection_cut_at_commit_posts_once(pg_address: str, cut: str) -> None:
    """The outcome of a COMMIT whose answer is lost is found by the step's own key, not guessed."""
    opening.migrate(opening.open_engine(pg_address))
    cuts: list[str] = []

    def post(connection: sa.Connection) -> int:
        connection.execute(sa.text(_ROW), {"name": "x"})
        if not cuts:
            cuts.append(cut)
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            if cut == "before":
                with psycopg.connect(pg_address, autocommit=True) as other:
                    other.execute("select pg_terminate_backend(%s)", (driver.info.backend_pid,))
            else:
                sa.event.listen(connection.engine, "commit", lose_the_answer, once=True)
        return len(cuts)

    def lose_the_answer(connection: sa.Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.commit()  # the server has it; the answer never arrives
        raise sa.exc.OperationalError(
            "COMMIT", {}, psycopg.OperationalError("server closed the connection unexpectedly"), connection_invalidated=True
        )

    with at_work(pg_address, {"toy": lambda steps, name, now: {"got": steps.post("post", post)}}) as running:
        assert running.run("toy", NAME, NOW) == {"got": 1}
    with psycopg.connect(pg_address) as looking:
        assert looking.execute("select count(*) from run where name = 'x'").fetchone() == (1,)


def test_p17_while_the_server_restarts_runs_wait_and_end_once() -> None:
    with postgres.cluster() as server:
        address = server.address(server.create())
        opening.migrate(opening.open_engine(address))

        def chain(steps: DurableSteps, name: str, now: str) -> dict[str, object]:
            for number in range(40):
                steps.act(f"look {number}", lambda: 1)
                steps.post(f"post {number}", partial(put, f"{name}-{number}"))
            return {"done": 40}

        ended: list[dict[str, object]] = []
        with at_work(address, {"toy": chain}) as running:
            thread = threading.Thread(target=lambda: ended.append(running.run("toy", NAME, NOW)))
            thread.start()
            for _ in range(2):
                threading.Event().wait(0.3)
                server.restart()
            thread.join(60)
            assert ended == [{"done": 40}]
        with psycopg.connect(address) as looking:
            assert looking.execute("select count(*), count(distinct name) from run").fetchone() == (40, 40)


def test_p20_a_flipped_byte_is_found_and_nothing_is_run(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = opening.open_engine(f"sqlite:{path}")
    opening.migrate(ledger)
    with ledger.begin() as connection:
        connection.execute(sa.text(_ROW), [{"name": f"run {number}"} for number in range(2_000)])
    assert soundness.damage(ledger) == []
    soundness.refuse_damaged(ledger)
    with ledger.connect() as looking:
        page = int(looking.exec_driver_sql("select rootpage from sqlite_master where type = 'table' and name = 'run'").scalar_one())
        size = int(looking.exec_driver_sql("pragma page_size").scalar_one())
    ledger.dispose()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : (page - 1) * size + 16] = bytes(byte ^ 0xFF for byte in content[(page - 1) * size : (page - 1) * size + 16])
    path.write_bytes(content)
    assert soundness.damage(ledger)
    with pytest.raises(Refused, match=r"damaged: .*restore the last good backup"):
        soundness.refuse_damaged(ledger)


def test_p20_an_index_that_lies_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = opening.open_engine(f"sqlite:{path}")
    opening.migrate(ledger)
    with ledger.begin() as connection:
        connection.execute(sa.text(_ROW), [{"name": f"run {number}"} for number in range(50)])
    ledger.dispose()
    with sqlite3.connect(path) as sly:
        sly.execute("pragma writable_schema=on")
        other = sly.execute("select rootpage from sqlite_master where name = 'entry_obligation'").fetchone()[0]
        sly.execute("update sqlite_master set rootpage = ? where name = 'sqlite_autoindex_run_1'", (other,))
    assert any("index" in one for one in soundness.damage(ledger))


def test_p20_cents_that_do_not_add_up_are_found(ledger: sa.Engine) -> None:
    assert soundness.damage(ledger) == []
    with ledger.begin() as connection:
        connection.exec_driver_sql("insert into position (place, obligation_id, cents) values (1, 7, 500)")
    assert soundness.damage(ledger) == ["1 places of obligations do not hold what their entries say"]


def test_p20_with_amcheck_every_index_is_looked_at(pg_address: str) -> None:
    ledger = opening.open_engine(pg_address)
    opening.migrate(ledger)
    with ledger.begin() as connection:
        try:
            connection.exec_driver_sql("create extension amcheck")
        except sa.exc.DBAPIError:
            return  # the contrib package is not on this machine: the tables are read instead, which the test above does
    assert soundness.damage(ledger) == []
    ledger.dispose()


@pytest.mark.parametrize(("needs", "refused"), [(opening.HEAD, False), ("9998", True)])
def test_p22_a_newer_schema_is_worked_on_only_as_far_as_it_says(ledger: sa.Engine, needs: str, refused: bool) -> None:
    """Expand and contract: a migration that only adds lets older programs go on; one that takes away names the oldest that may."""
    with ledger.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
        connection.exec_driver_sql(f"update schema_needs set migration = '{needs}'")
    if refused:
        with pytest.raises(Refused, match="at schema 9999 and needs a program that knows 9998"):
            opening.migrate(ledger)
    else:
        opening.migrate(ledger)
    assert opening.version_of(ledger) == "9999"


def test_p22_several_programs_upgrade_an_empty_database_at_once(pg_address: str) -> None:
    errors: list[Exception] = []

    def upgrade() -> None:
        try:
            opening.migrate(opening.open_engine(pg_address))
        except sa.exc.DBAPIError as error:
            errors.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors and opening.version_of(opening.open_engine(pg_address)) == opening.HEAD


def test_p23_a_flow_that_keeps_failing_the_same_way_is_shown_to_a_person_and_others_go_on(ledger: sa.Engine) -> None:
    failing = [True]

    def poisoned(steps: DurableSteps, name: str, now: str) -> dict[str, object]:
        if failing[0]:
            raise KeyError("nobody foresaw this")
        return {"fine": steps.post("fine", lambda connection: _well(connection, name))}

    running = Engine(ledger, {"toy": poisoned, "other": lambda steps, name, now: {"fine": 1}}, recording=Recorded)
    running.launch()
    try:
        for number in range(5):
            assert not _open(ledger)
            with pytest.raises(KeyError):
                running.run("toy", f"toy-{number}", NOW)
        assert _open(ledger) == ["flow_keeps_failing"]
        assert running.run("other", "other-1", NOW) == {"fine": 1}
        failing[0] = False
        running.run("toy", "toy-9", NOW)
        assert not _open(ledger), "a run that ends well ends it"
    finally:
        running.close()


def test_p23_a_run_that_kills_whoever_runs_it_is_set_aside(pg_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_room, "_BEGUN_MAX", 2)
    ledger = opening.open_engine(pg_address)
    opening.migrate(ledger)
    with ledger.begin() as connection:
        connection.exec_driver_sql("insert into run_owner (run, token) values ('toy-1', 2)")
    with at_work(pg_address, {"toy": lambda steps, name, now: {"fine": 1}}) as running:
        with pytest.raises(Refused, match="was begun 2 times"):
            running.run("toy", "toy-1", NOW)
        assert running.run("toy", "toy-2", NOW) == {"fine": 1}
    assert _open(ledger) == ["run_set_aside"]
    with ledger.begin() as connection:
        assert [run.outcome for run in views.last_runs(Books(connection, 0, NOW))] == ["failed"]


def test_p25_a_log_that_cannot_be_written_stops_no_run(launch: Launch, capfd: pytest.CaptureFixture[str]) -> None:
    class Full(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                raise OSError(28, "No space left on device")
            except OSError:
                self.handleError(record)

    full = Full()
    logging.getLogger("dbos").addHandler(full)

    def look() -> int:
        logging.getLogger("dbos").error("x")
        return 1

    try:
        running = launch({"toy": lambda steps, name, now: {"got": steps.act("look", look)}})
        assert running.run("toy", NAME, NOW) == {"got": 1}
    finally:
        logging.getLogger("dbos").removeHandler(full)


def test_p25_a_hundred_runs_leave_no_handle_and_no_thread(launch: Launch) -> None:
    running = launch({"toy": lambda steps, name, now: {"got": steps.post("post", lambda connection: 1)}})

    def runs(numbers: range) -> tuple[int, int]:
        for number in numbers:
            running.run("toy", f"toy-{number}", NOW)
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    before = runs(range(20))
    after = runs(range(20, 120))
    assert after[0] <= before[0] + 3 and after[1] <= before[1] + 2


def put(name: str, connection: sa.Connection) -> int:
    return connection.execute(sa.text(_ROW), {"name": name}).rowcount


def _well(connection: sa.Connection, name: str) -> int:

    books = Books(connection, 0, NOW)
    runs.finish(books, runs.begin(books, name, "toy", "1"), "completed", {})
    return 1


def _open(ledger: sa.Engine) -> list[str]:
    with ledger.begin() as connection:
        return [item.code for item in views.items(Books(connection, 0, NOW))]
