"""Several worker processes on one PostgreSQL: one run of a flow at a time, what a dead or frozen one left is finished once by another."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bursarbridge.jobs.engine import VERSION
from bursarbridge.jobs.takeover import Begun, in_order
from bursarbridge.store import opening
from tests.jobs.crew import PLACES, Crew, Job, crew_on
from tests.servers import eventually

FIRST = Job("toy", "toy-1")
FEW_SECONDS = 12.0
"""With a lease of two seconds and four looks a second; on a busy machine."""
LONG, PATIENCE = 60.0, 60.0
"""Where nothing is said of how soon: a worker that is only slow is not taken for dead, and a machine that is busy is waited for."""


@pytest.fixture
def crew(pg_address: str, tmp_path: Path) -> Iterator[Crew]:
    """Nobody yet, on an empty ledger."""
    ledger = opening.open_engine(pg_address)
    opening.migrate(ledger)
    ledger.dispose()
    with crew_on(pg_address, tmp_path / "crew") as made:
        yield made


def test_each_worker_has_a_slot_of_its_own_and_a_free_one_is_taken_again(crew: Crew) -> None:
    first, second = crew.hire(), crew.hire()
    assert [(crew.folder / f"ready {n}").read_text() for n in (0, 1)] == [f"slot-1-v{VERSION}", f"slot-2-v{VERSION}"]
    first.finish()
    crew.hire()
    assert (crew.folder / "ready 2").read_text() == f"slot-1-v{VERSION}"
    second.finish()


@pytest.mark.parametrize("place", PLACES)
def test_p01_what_a_killed_worker_began_another_finishes_within_seconds(crew: Crew, place: str) -> None:
    dead = crew.hire(FIRST, hold=place)
    living = crew.hire()
    dead.reaches("toy-1", place)
    dead.send(signal.SIGKILL)
    assert eventually(lambda: crew.ended("toy-1"), FEW_SECONDS), living.words()
    assert crew.rows("toy-1") == 1
    assert crew.traces("toy-1") == ["fetch", "send"], "only what was done is done; a finished step is not done again"


@pytest.mark.parametrize("place", ["in fetch", "fetched", "in post", "posted", "in send"])
def test_p05_a_frozen_worker_that_wakes_up_late_writes_nothing(crew: Crew, place: str) -> None:
    frozen = crew.hire(FIRST, hold=place)
    living = crew.hire()
    frozen.reaches("toy-1", place)
    frozen.send(signal.SIGSTOP)
    frozen.let_go(place)
    assert eventually(lambda: crew.ended("toy-1"), FEW_SECONDS), f"nobody took it over: {living.words()}"
    assert crew.rows("toy-1") == 1
    frozen.send(signal.SIGCONT)
    result = crew.folder / "result 0 toy-1"
    assert eventually(result.exists, FEW_SECONDS), frozen.words()
    assert result.read_text() == "{'posted': 1}", "the frozen one gets what the run returned elsewhere"
    assert crew.rows("toy-1") == 1
    told = Counter(crew.traces("toy-1"))
    late = {"in fetch": "fetch", "in send": "send"}.get(place)
    assert all(times == (2 if word == late else 1) for word, times in told.items()), f"only a deed under way is done again: {told}"


def test_p05_the_ledger_itself_refuses_a_late_post(crew: Crew) -> None:
    """Even where the engine would not know: the token stands in the ledger and is looked at inside the posting transaction."""
    frozen = crew.hire(FIRST, hold="fetched")
    frozen.reaches("toy-1", "fetched")
    ledger = opening.open_engine(crew.address)
    with ledger.begin() as connection:
        connection.execute(sa.text("update run_owner set token = token + 1"))
    ledger.dispose()
    frozen.let_go("fetched")
    assert eventually(lambda: "taken over by another worker" in frozen.words(), FEW_SECONDS)
    assert crew.rows("toy-1") == 0


def test_p04_eight_processes_start_the_same_run_and_it_happens_once(crew: Crew) -> None:
    workers = [crew.hire(FIRST) for _ in range(8)]
    results = [crew.folder / f"result {number} toy-1" for number in range(8)]
    assert eventually(lambda: all(result.exists() for result in results), 60), [worker.words() for worker in workers]
    told = Counter(result.read_text().partition(":")[0] for result in results)
    assert told["{'posted'"] + told["Busy"] == 8 and told["{'posted'"] >= 1
    assert crew.rows("toy-1") == 1 and crew.traces("toy-1") == ["fetch", "send"]


def test_one_run_of_a_flow_at_a_time_and_other_flows_beside_it(crew: Crew) -> None:
    first = crew.hire(FIRST, hold="posted")
    first.reaches("toy-1", "posted")
    crew.hire(Job("toy", "toy-2"), Job("other", "other-1"))
    assert eventually((crew.folder / "result 1 other-1").exists, FEW_SECONDS)
    assert "Busy: toy is under way" in (crew.folder / "result 1 toy-2").read_text()
    assert (crew.rows("toy-2"), crew.rows("other-1")) == (0, 1)
    first.let_go("posted")
    assert eventually((crew.folder / "result 0 toy-1").exists, FEW_SECONDS)


def test_p22_a_run_of_another_version_is_left_to_its_own(crew: Crew) -> None:
    newer = crew.hire(FIRST, hold="fetched", version="99", lease=LONG)
    newer.reaches("toy-1", "fetched")
    crew.hire(Job("toy", "toy-2"), lease=LONG)
    assert eventually((crew.folder / "result 1 toy-2").exists, PATIENCE)
    assert "Busy" in (crew.folder / "result 1 toy-2").read_text(), "while its worker lives, its flow is busy"
    newer.send(signal.SIGKILL)
    newer.process.join()
    assert eventually(lambda: [slot for slot in crew.living() if slot.endswith("-v99")] == [], PATIENCE), "the server has seen that it is dead"
    crew.hire(Job("toy", "toy-3"), lease=LONG)
    assert eventually((crew.folder / "result 2 toy-3").exists, PATIENCE)
    assert (crew.folder / "result 2 toy-3").read_text() == "{'posted': 1}"
    assert not crew.ended("toy-1") and crew.rows("toy-1") == 0
    crew.hire(version="99", lease=LONG)
    assert eventually(lambda: crew.ended("toy-1"), PATIENCE), "the next worker of that version goes on with it"
    assert crew.rows("toy-1") == 1


def test_p24_holds_releases_and_payments_are_gone_on_with_first() -> None:
    waiting = [Begun(f"run-{number}", flow, "") for number, flow in enumerate(["mail", "library-charges", "library-payments", "parking-holds"])]
    assert [one.flow for one in in_order(waiting)] == ["parking-holds", "library-payments", "library-charges", "mail"]
