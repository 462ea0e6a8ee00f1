"""One process at a time runs flows on a ledger, and none on a database that may lose commits (P19)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from bursarbridge.errors import Refused, TryLater
from bursarbridge.jobs.lock import Busy, only_one
from bursarbridge.jobs.workers import Leased
from bursarbridge.store import opening
from tests.servers import eventually


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Where a SQLite ledger is."""
    return f"sqlite:{tmp_path / 'ledger.db'}"


def test_the_second_is_busy_until_the_first_has_ended(file: str) -> None:
    first, second = opening.open_engine(file), opening.open_engine(file)
    with only_one(first), pytest.raises(Busy, match="another run is under way"), only_one(second):
        raise AssertionError("two runs at once")
    with only_one(second), pytest.raises(Busy), only_one(first):
        raise AssertionError("two runs at once")


def test_the_lock_is_given_back_after_an_error(file: str) -> None:
    ledger = opening.open_engine(file)
    with pytest.raises(ValueError, match="x"), only_one(ledger):
        raise ValueError("x")
    with only_one(ledger):
        pass


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 6, 23), True),
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), False),
        ((3, 53, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_p19_versions_with_the_wal_reset_bug_are_known(version: tuple[int, ...], safe: bool) -> None:
    assert opening.wal_is_safe(version) is safe


def test_p19_what_we_open_is_safe(tmp_path: Path) -> None:
    ledger = opening.open_engine(f"sqlite:{tmp_path / 'ledger.db'}")
    opening.refuse_unsafe(ledger)
    with ledger.connect() as connection:
        journal = str(connection.exec_driver_sql("pragma journal_mode").scalar_one())
        assert journal == ("wal" if opening.wal_is_safe(sqlite3.sqlite_version_info) else "delete")
        assert connection.exec_driver_sql("pragma foreign_keys").scalar_one() == 1
    ledger.dispose()


@pytest.mark.parametrize("pragma", ["journal_mode=wal", "synchronous=normal", "synchronous=off"])
def test_p19_unsafe_settings_are_refused(tmp_path: Path, pragma: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "wal_is_safe", lambda version: False)
    ledger = opening.open_engine(f"sqlite:{tmp_path / 'ledger.db'}")
    sa.event.listen(ledger, "connect", lambda driver, _record: driver.execute(f"pragma {pragma}"))
    with pytest.raises(Refused, match="may lose commits"):
        opening.refuse_unsafe(ledger)
    ledger.dispose()


def test_p19_postgresql_is_not_asked(pg_address: str) -> None:
    ledger = opening.open_engine(pg_address)
    opening.refuse_unsafe(ledger)
    ledger.dispose()


@pytest.mark.parametrize("scheme", ["postgresql://", "postgres://", "postgresql+psycopg://"])
def test_every_way_to_write_an_address_opens(pg_address: str, scheme: str) -> None:
    ledger = opening.open_engine(pg_address.replace("postgresql://", scheme))
    assert opening.version_of(ledger) == ""
    ledger.dispose()


def test_p19_a_commit_on_postgresql_is_on_disk_before_it_is_answered(pg_address: str) -> None:
    """The tests' own server is set up to answer before that; the bridge's sessions are not."""
    ledger = opening.open_engine(pg_address)
    with ledger.connect() as connection:
        usual = connection.exec_driver_sql("select reset_val from pg_settings where name = 'synchronous_commit'").scalar_one()
        assert (usual, connection.exec_driver_sql("show synchronous_commit").scalar_one()) == ("off", "on")
    ledger.dispose()


def test_p21_whoever_puts_a_backup_back_on_postgresql_has_no_worker_beside_him(pg_address: str) -> None:
    pg_ledger = opening.open_engine(pg_address)
    worker = Leased(pg_ledger, "1")
    worker.take()
    try:
        with pytest.raises(Busy, match="a worker is running"), only_one(pg_ledger):
            pass
    finally:
        worker.give_back()
    assert eventually(lambda: _alone(pg_ledger), 10), "the server has seen that the worker is gone"
    with only_one(pg_ledger):
        late = Leased(pg_ledger, "1")
        with pytest.raises(TryLater, match="being put back"):
            late.take()
    pg_ledger.dispose()


def _alone(ledger: sa.Engine) -> bool:
    try:
        with only_one(ledger):
            return True
    except Busy:
        return False
