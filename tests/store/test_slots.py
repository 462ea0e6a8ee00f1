"""I14: a slot is claimed once, whoever asks at the same time, and slots of a flow never decrease; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from bursarbridge.store import alarms, opening, slots
from bursarbridge.store.books import Books
from bursarbridge.store.slots import Key

MON, TUE = Key("f", "2026-11-16", "18:20"), Key("f", "2026-11-17", "18:20")
DUE = {MON: "2026-11-17T02:20:00Z", TUE: "2026-11-18T02:20:00Z"}
NOW = "2026-11-18T03:00:00Z"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty ledger."""
    address = str(request.getfixturevalue("pg_address")) if request.param == "postgresql" else f"sqlite:{tmp_path / 'ledger.db'}"
    opened = opening.open_engine(address)
    opening.migrate(opened)
    with opened.begin() as connection:
        books = Books(connection, 0, "2026-11-16T00:00:00Z")
        slots.begin(books, "f")
        books.now = NOW
        slots.note(books, DUE.items(), "f")
        slots.note(books, DUE.items(), "f")
    yield opened
    opened.dispose()


def claimed(ledger: sa.Engine, key: Key, run: str) -> bool:
    with ledger.begin() as connection:
        return slots.claim(Books(connection, 0, NOW), key, run)


def settled(ledger: sa.Engine, key: Key, run: str, state: str) -> bool:
    with ledger.begin() as connection:
        return slots.settle(Books(connection, 0, NOW), key, run, state, "completed", "")


def test_I14_eight_at_once_claim_a_slot_and_one_has_it(ledger: sa.Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: claimed(ledger, MON, f"run-{number}"), range(8)))
    assert won.count(True) == 1
    with ledger.connect() as connection:
        (row, other) = slots.waiting(Books(connection, 0, NOW))
        assert (row.state, row.run_name, row.tries, other.state) == ("running", f"run-{won.index(True)}", 1, "due")


def test_I14_no_slot_is_begun_after_a_later_one_or_beside_another(ledger: sa.Engine) -> None:
    assert claimed(ledger, MON, "a") and not claimed(ledger, TUE, "b"), "one at a time"
    assert settled(ledger, MON, "a", "due") and claimed(ledger, TUE, "c") and settled(ledger, TUE, "c", "done")
    assert not claimed(ledger, MON, "d"), "slots never decrease"
    assert not claimed(ledger, TUE, "e"), "what is over is over"
    assert not settled(ledger, TUE, "c", "failed"), "and stays as it is"


def test_I14_a_slot_has_one_row_and_the_look_never_goes_back(ledger: sa.Engine) -> None:
    with ledger.begin() as connection:
        books = Books(connection, 0, "2026-11-18T02:00:00Z")
        slots.note(books, DUE.items(), "f")
        assert slots.seen(books)["f"] == ("2026-11-16T00:00:00Z", NOW), "our clock went back an hour; what was seen stays seen"
        assert len(slots.waiting(books)) == 2
    with pytest.raises(sa.exc.IntegrityError), ledger.begin() as connection:
        Books(connection, 0, NOW).do("insert into slot (flow, local_date, slot, due_at, state) values ('f', '2026-11-16', '18:20', 'x', 'due')")


def test_a_flow_taken_off_the_timetable_leaves_nothing_due(ledger: sa.Engine) -> None:
    with ledger.begin() as connection:
        books = Books(connection, 0, NOW)
        slots.leave(books, "f")
        assert slots.waiting(books) == [] and slots.seen(books) == {}
        row = slots.one(books, MON)
        assert row is not None and (row.state, row.words) == ("skipped", "taken off the timetable")


def test_one_alarm_of_a_kind_is_open_at_a_time(ledger: sa.Engine) -> None:
    with ledger.begin() as connection:
        books = Books(connection, 0, NOW)
        first = alarms.raise_alarm(books, "f", "run", "Late: f", ("a@example.edu",))
        assert first and not alarms.raise_alarm(books, "f", "run", "Late: f", ("a@example.edu",))
        assert alarms.escalate(books, first, 1, {"a@example.edu": 0, "b@example.edu": 1}) and not alarms.escalate(books, first, 1, {})
        assert alarms.open_ones(books)[0].readers == {"a@example.edu": 0, "b@example.edu": 1}
        assert alarms.resolve(books, first) and not alarms.resolve(books, first) and alarms.open_ones(books) == []
        assert alarms.raise_alarm(books, "f", "run", "Late: f", ()) > first
