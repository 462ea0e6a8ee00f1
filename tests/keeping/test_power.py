"""P03: the power goes at any instant. What was acknowledged is there afterwards, and nothing half-written is taken for whole."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.config.places import Database
from bursarbridge.exchange.disk import read_if_there
from bursarbridge.exchange.folder import FolderEndpoint
from bursarbridge.exchange.vault import FileVault
from bursarbridge.store import epochs, opening
from bursarbridge.store.epochs import Blocked, Mark
from bursarbridge.wiring import backups, restoring
from bursarbridge.wiring.epochs import require_open
from bursarbridge.wiring.marks import Marks, marks_of
from tests.cli.calls import answer, call
from tests.keeping.disk import Disk, Tree, laid_out
from tests.keeping.typed import DAY_1, DAY_2, charged

CONTENT = b"0012345,85.00\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def test_p03_a_kept_file_is_whole_or_not_there(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "arrived"
    source.write_bytes(CONTENT)
    disk, place = Disk(root), f"vault/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}"

    def cut(_name: str) -> None:
        for tree in (disk.strict(), disk.eager()):
            assert tree.get(place, CONTENT) == CONTENT

    with disk.watched(monkeypatch, cut):
        assert FileVault(root / "vault").keep(source) == SHA256
    assert disk.strict()[place] == CONTENT, "acknowledged, so it survives"
    adopted = root / "own"
    adopted.write_bytes(b"another")
    with disk.watched(monkeypatch, cut):
        other = FileVault(root / "vault").adopt(adopted)
    assert disk.strict()[f"vault/{other[:2]}/{other[2:4]}/{other}"] == b"another"


def test_p03_a_document_never_shows_torn(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "document"
    source.write_bytes(CONTENT)
    disk, endpoint = Disk(root), FolderEndpoint(root)

    def cut(_name: str) -> None:
        for tree in (disk.strict(), disk.eager()):
            assert tree.get("charges.dat", CONTENT) == CONTENT

    with disk.watched(monkeypatch, cut):
        endpoint.upload("charges.dat", source)
        assert disk.strict()[".charges.dat.part"] == CONTENT, "what is recorded as uploaded is there to be renamed"
        endpoint.publish("charges.dat", SHA256)
    assert disk.strict() == {"charges.dat": CONTENT}


def test_p03_a_mark_is_the_old_one_or_the_new_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(root)
    old, new = Mark(0, 1, "one", True, 1, 5), Mark(0, 2, "two", True, 2, 9)
    beside, kept = root / "data/ledger.mark", FileVault(root / "vault")
    seen: set[Mark] = set()

    def cut(_name: str) -> None:
        for tree in (disk.strict(), disk.eager()):
            with_both = Marks(None, _Noted(tree, "vault/notes/mark.json"))  # type: ignore[arg-type]
            seen.add(with_both.read())

    with disk.watched(monkeypatch, cut):
        Marks(beside, kept).write(old)
        assert disk.strict()["data/ledger.mark"] == disk.strict()["vault/notes/mark.json"] == read_if_there(beside)
        Marks(beside, kept).write(new)
    assert seen <= {Mark(), old, new} and Marks(beside, kept).read() == new
    assert disk.strict()["data/ledger.mark"] == beside.read_bytes()


class _Noted:
    """A vault's note as a cut left it."""

    def __init__(self, tree: Tree, name: str) -> None:
        self._content = tree.get(name, b"")

    def noted(self, _name: str) -> bytes:
        return self._content


def test_p03_a_backup_has_its_name_only_when_all_of_it_is_safe(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    campus = tmp_path / "campus"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    bridge = wiring.build(config.load(campus / "bursarbridge.toml"))
    disk, numbers = Disk(root), count()

    def cut(_name: str) -> None:
        for tree in (disk.strict(), disk.eager()):
            if any(name.endswith("Z/manifest.json") for name in tree):
                left = laid_out(tree, tmp_path / f"cut-{next(numbers)}")
                assert backups.check(left).faults == []

    with disk.watched(monkeypatch, cut):
        made = backups.back_up(bridge, root)
    bridge.close()
    assert backups.check(laid_out(disk.strict(), tmp_path / "after")).faults == [] and made.files == 2


def test_p03_p21_a_cut_during_a_restore_leaves_the_old_ledger_or_a_blocked_one(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    campus, store = root / "campus", tmp_path / "store"
    call("init", "--example", campus)
    charged(campus, "day-1", *DAY_1)
    answer("backup", store, "-C", campus)
    charged(campus, "day-2", *DAY_2)
    settings = config.load(campus / "bursarbridge.toml")
    disk, numbers, ends = Disk(root), count(), []

    def cut(name: str) -> None:
        for tree in (disk.strict(), disk.eager()):
            left = laid_out(tree, tmp_path / f"cut-{next(numbers)}") / "campus"
            storage = replace(settings.storage, database=Database("sqlite:data/bursarbridge.db", left), vault=left / "data/vault")
            bridge = wiring.build(replace(settings, storage=storage))
            try:
                require_open(bridge)
                with bridge.books() as books:
                    ends.append(epochs.mark_of(books).run)
            except Blocked:
                ends.append(0)
            bridge.close()
            shutil.rmtree(left.parent)

    with disk.watched(monkeypatch, cut):
        restoring.restore(settings, store, wiring.system_clock, lambda _point: None, over=True)
    assert set(ends) == {0, 2}, "either the newer ledger still, or nothing leaves"
    assert ends[-1] == 0 and ends[0] == 2


def test_p03_a_cut_in_the_middle_of_a_large_commit_leaves_the_last_acknowledged_one(tmp_path: Path) -> None:
    """Database and journal are copied while a transaction has spilled into the file: what a cut at that instant would leave."""
    path = tmp_path / "ledger.db"
    ledger = opening.open_engine(f"sqlite:{path}")
    opening.migrate(ledger)
    with ledger.begin() as connection:
        connection.exec_driver_sql("insert into source (id, name, prefix) values (1, 'library', 'L')")
    writing = ledger.connect()
    writing.exec_driver_sql("pragma cache_size=5")
    writing.exec_driver_sql("update source set name = 'torn'")
    for number in range(2000):
        writing.exec_driver_sql("insert into run (name, flow, version, started_at) values (?, 'x', '1', 'y')", (f"run-{number}-{'x' * 200}",))
    spilled = [one for one in (path.with_name("ledger.db-journal"), path.with_name("ledger.db-wal")) if one.exists()]
    assert spilled and spilled[0].stat().st_size > 4096, "the transaction has spilled: pages of it are on the disk"
    left = tmp_path / "cut"
    left.mkdir()
    for one in (path, *spilled):
        shutil.copy(one, left / one.name)
    with closing(sqlite3.connect(left / "ledger.db")) as after:
        assert after.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert after.execute("select name from source").fetchall() == [("library",)]
        assert after.execute("select count(*) from run").fetchall() == [(0,)]
    writing.rollback()
    writing.close()
    ledger.dispose()


def test_p03_every_connection_syncs_fully(tmp_path: Path) -> None:
    ledger = opening.open_engine(f"sqlite:{tmp_path / 'ledger.db'}")
    opening.migrate(ledger)
    connections = [ledger.connect().execution_options(reading=True) for _ in range(4)]
    for connection in connections:
        assert connection.exec_driver_sql("pragma synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("pragma foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("pragma journal_mode").scalar_one() in ("delete", "wal")
        connection.close()
    assert marks_of(ledger, FileVault(tmp_path / "vault")).beside == tmp_path / "ledger.mark"
    ledger.dispose()
