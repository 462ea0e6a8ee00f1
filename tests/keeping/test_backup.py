"""backup, restore and reconcile as people type them, with the real engine, on SQLite and PostgreSQL."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from bursarbridge import config, wiring
from bursarbridge.errors import Refused
from bursarbridge.store import epochs
from bursarbridge.wiring import backups, restoring
from tests.campus_files import Fee
from tests.cli.calls import answer, call
from tests.crash.campus import settle
from tests.keeping.typed import DAY_1, DAY_2, begun, charged, documents


class Died(Exception):
    """The process ended here."""


@pytest.fixture(params=["sqlite", "postgresql"])
def campus(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An example campus on one of the databases, after its first charges."""
    return begun(tmp_path / "campus", request)


def test_p21_a_restored_campus_sends_nothing_twice(campus: Path, tmp_path: Path) -> None:
    made = answer("backup", tmp_path / "store", "-C", campus)
    assert made["ledger"]["counts"]["obligation"] == 2 and made["vault"] == {"files": 2, "new": 2}
    charged(campus, "day-2", *DAY_2)
    before = documents(campus)
    refused = answer("restore", tmp_path / "store", "-C", campus, code=1)
    assert "lives there" in refused["words"] and "--over" in refused["words"]
    assert answer("restore", tmp_path / "store", "-C", campus, "--over")["epoch"] == 1

    held = answer("run", "library-charges", "-C", campus, code=3)
    assert "nothing leaves" in held["words"]
    assert answer("preview", "library-charges", "-C", campus, code=3)["outcome"] == "failed"
    status = answer("status", "-C", campus)
    assert status["blocked"]["number"] == 1 and status["places"]["in_transit"] == 8582
    assert "nothing leaves" in call("status", "-C", campus).stdout

    looked = answer("reconcile", "-C", campus, code=3)
    assert [one["state"] for one in looked["documents"] if one["state"] != "known"] == ["sent"] and not looked["confirmed"]
    assert answer("reconcile", "--confirm", "-C", campus, code=1)["words"].startswith("say why")
    assert answer("reconcile", "--confirm", "--reason", "compared", "--by", "Imre", "-C", campus)["confirmed"]
    assert "nothing is blocked" in answer("reconcile", "-C", campus, code=1)["words"]

    assert documents(campus) == before
    ran = answer("run", "library-charges", "-C", campus)
    assert ran["sent"]["count"] == 0 and documents(campus) == before
    assert answer("status", "-C", campus)["places"]["in_transit"] == 8582 + 1700
    charged(campus, "day-3", Fee("31", 300), DAY_2[0])
    (new,) = set(documents(campus)) - set(before)
    assert new.endswith("_000003.dat") and documents(campus)[new].count(b"\nC") + documents(campus)[new].count(b"\nD") <= 1
    assert answer("status", "-C", campus)["unexplained_cents"] == 0
    again = answer("backup", tmp_path / "store", "-C", campus)
    assert again["ledger"]["epoch"] == 1 and again["vault"]["new"] < again["vault"]["files"]


def test_p21_a_machine_that_is_lost_comes_back_from_its_backup_and_the_partners(tmp_path: Path) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    answer("backup", store, "-C", campus)
    charged(campus, "day-2", *DAY_2)
    before = documents(campus)
    new = tmp_path / "new"
    for place in ("alma", "peoplesoft"):
        shutil.copytree(campus / place, new / place)
    assert answer("restore", store, "--into", new)["vault_files"] == 2
    assert answer("reconcile", "--confirm", "--reason", "the disk died", "-C", new)["documents"][-1]["state"] == "sent"
    assert answer("run", "library-charges", "-C", new)["sent"]["count"] == 0 and documents(new) == before
    assert answer("files", "verify", "-C", new)["damaged"] == []


def test_p21_a_ledger_that_is_copied_back_by_hand_is_noticed(tmp_path: Path) -> None:
    campus = tmp_path / "campus"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    ledger = campus / "data/bursarbridge.db"
    shutil.copy(ledger, tmp_path / "by-hand.db")
    charged(campus, "day-2", *DAY_2)
    before = documents(campus)
    shutil.copy(tmp_path / "by-hand.db", ledger)
    held = answer("run", "library-charges", "-C", campus, code=3)
    assert "older than it was" in held["words"]
    (campus / "data/bursarbridge.mark").unlink()  # the vault knows as well
    assert "older than it was" in answer("run", "library-payments", "-C", campus, code=3)["words"]
    answer("reconcile", "--confirm", "--reason", "copied by mistake", "-C", campus)
    answer("run", "library-charges", "-C", campus)
    assert documents(campus) == before
    ledger.unlink()
    assert "an empty ledger" in answer("run", "library-charges", "-C", campus, code=3)["words"], "a lost ledger is an older one"


def test_a_backup_is_checked_byte_by_byte(tmp_path: Path) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    made = Path(answer("backup", store, "-C", campus)["backup"])
    assert answer("backup", store, "--check")["faults"] == []
    kept = next(path for path in (store / "vault").rglob("*") if len(path.name) == 64)
    whole = kept.read_bytes()
    for path, name in ((made / "ledger.db", "ledger.db"), (kept, kept.name)):
        content = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        (fault,) = answer("backup", store, "--check", code=1)["faults"]
        assert name in fault
        assert "cannot be put back" in answer("restore", store, "--over", "-C", campus, code=1)["words"]
        path.write_bytes(content)
    assert kept.read_bytes() == whole and answer("backup", store, "--check")["faults"] == []
    (made / "SHA256SUMS").unlink()
    assert "no finished backup" in answer("backup", store, "--check", code=1)["words"]


def test_p20_a_damaged_ledger_is_no_backup(tmp_path: Path) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    ledger = campus / "data/bursarbridge.db"
    with closing(sqlite3.connect(ledger)) as connection:
        page = int(connection.execute("select rootpage from sqlite_master where name = 'entry_obligation'").fetchone()[0])
        size = int(connection.execute("pragma page_size").fetchone()[0])
    with ledger.open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(b"\xff" * 64)
    assert "is damaged" in answer("backup", store, "-C", campus, code=1)["words"]
    assert "no finished backup" in answer("backup", store, "--check", code=1)["words"], "what is not sound does not get a name"


def test_a_backup_is_one_instant_while_others_write(tmp_path: Path) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    settings = config.load(campus / "bursarbridge.toml")
    bridge = wiring.build(settings)
    with bridge.books(writing=True) as books:
        epochs.begin(books, 5, "an uncommitted change")
        other = wiring.build(settings)
        made = backups.back_up(other, store)
        other.close()
        assert made.ledger.epoch == 0
    with bridge.books(writing=True) as books:
        epochs.lift(books, "Imre", "a test")
    bridge.close()
    assert backups.check(store).faults == []


def test_what_the_engine_would_resume_is_abandoned(tmp_path: Path) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    engine = campus / "data/bursarbridge.engine.db"
    with closing(sqlite3.connect(engine)) as connection, connection:
        connection.execute("update workflow_status set status = 'PENDING'")
    answer("backup", store, "-C", campus)
    answer("restore", store, "-C", campus, "--over")
    answer("reconcile", "--confirm", "--reason", "a test", "-C", campus)
    with closing(sqlite3.connect(engine)) as connection:
        assert {row[0] for row in connection.execute("select status from workflow_status")} == {"CANCELLED"}
    assert answer("run", "library-charges", "-C", campus)["outcome"] == "nothing_to_do"


def test_another_kind_of_database_is_refused(tmp_path: Path, pg_address: str) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    answer("backup", store, "-C", campus)
    settle(campus, pg_address)
    with pytest.raises(Refused, match="a backup of sqlite"):
        restoring.restore(config.load(campus / "bursarbridge.toml"), store, wiring.system_clock, lambda _point: None, over=True)


def test_a_backup_that_is_cut_off_is_none_and_the_next_one_is_whole(tmp_path: Path) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)

    def die(reached: str) -> None:
        if reached == "backup.copied":
            raise Died

    at = wiring.system_clock()
    bridge = wiring.build(config.load(campus / "bursarbridge.toml"), clock=lambda: at, reached=die)
    with pytest.raises(Died):
        backups.back_up(bridge, store)
    bridge.close()
    with pytest.raises(Refused, match="no finished backup"):
        backups.check(store)
    bridge = wiring.build(config.load(campus / "bursarbridge.toml"), clock=lambda: at)
    assert backups.check(backups.back_up(bridge, store).folder).faults == []
    with pytest.raises(Refused, match="there already"):
        backups.back_up(bridge, store)
    bridge.close()


def test_a_backup_of_an_older_version_is_not_put_into_a_newer_ones_tables(tmp_path: Path, pg_address: str) -> None:
    campus, store = tmp_path / "campus", tmp_path / "store"
    call("init", "--example", campus)
    settle(campus, pg_address)
    charged(campus, "day-1", *DAY_1)
    answer("backup", store, "-C", campus)
    charged(campus, "day-2", *DAY_2)
    with psycopg.connect(pg_address) as connection:
        connection.execute("create table of_tomorrow (id int); create table dbos.of_tomorrow (id int)")
    refused = answer("restore", store, "-C", campus, "--over", code=1)["words"]
    assert "dbos.of_tomorrow, public.of_tomorrow" in refused and "nothing was touched" in refused and "createdb" in refused
    assert answer("run", "library-charges", "-C", campus)["outcome"] == "nothing_to_do", "life goes on"
    with psycopg.connect(pg_address) as connection:
        connection.execute("drop schema public cascade; drop schema dbos cascade; create schema public")
    assert answer("restore", store, "-C", campus)["epoch"] == 1
    before = documents(campus)
    answer("reconcile", "--confirm", "--reason", "an upgrade was undone", "-C", campus)
    answer("run", "library-charges", "-C", campus)
    assert documents(campus) == before and answer("status", "-C", campus)["unexplained_cents"] == 0
