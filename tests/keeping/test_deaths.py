"""I13 and P21: backups and restores whose process is killed, at every point they name, on both databases."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.errors import Refused
from bursarbridge.wiring import backups, restoring
from tests.campus_files import Fee
from tests.cli.calls import answer
from tests.crash import child
from tests.crash.stages import ELSEWHERE, light_folder
from tests.keeping.typed import DAY_2, begun, charged, documents

RESTORE = ["restore.kept", "restore.marked", "restore.aside", "restore.blocked"]


@pytest.fixture(params=["sqlite", "postgresql"])
def campus(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An example campus on one of the databases, after its first charges."""
    with light_folder() as home:
        yield begun(home / "campus", request)


def back_up(folder: Path, reached: Callable[[str], None], minute: int) -> None:
    """The work of a process that makes a backup, some minutes later than it is."""
    clock = wiring.system_clock() + timedelta(minutes=minute)
    bridge = wiring.build(config.load(folder / "bursarbridge.toml"), clock=lambda: clock, reached=reached)
    backups.back_up(bridge, folder.parent / "store")
    bridge.close()


def put_back(folder: Path, reached: Callable[[str], None], minute: int) -> None:
    """The work of a process that puts the newest one back."""
    clock = wiring.system_clock() + timedelta(minutes=minute)
    restoring.restore(config.load(folder / "bursarbridge.toml"), folder.parent / "store", lambda: clock, reached, over=True)


def reconciled(folder: Path) -> None:
    """What left since is found out, and life goes on."""
    answer("reconcile", "--confirm", "--reason", "compared", "--by", "Imre", "-C", folder)
    answer("run", "library-charges", "-C", folder)


@pytest.mark.parametrize("point", ["backup.copied", "backup.kept"])
def test_i13_a_killed_backup_is_none_and_the_next_one_is_whole(campus: Path, point: str) -> None:
    for minute in range(5):
        child.alone(campus, back_up, minute, crash_at=point)
        with pytest.raises(Refused, match="no finished backup"):
            backups.check(campus.parent / "store")
    assert answer("run", "library-charges", "-C", campus)["outcome"] == "nothing_to_do", "the campus does not notice"
    assert child.alone(campus, back_up, 0) == ["backup.copied", "backup.kept"]
    assert answer("backup", campus.parent / "store", "--check")["faults"] == []


@pytest.mark.parametrize("point", RESTORE)
def test_i13_p21_a_killed_restore_opens_nothing_and_is_done_again(campus: Path, point: str) -> None:
    child.alone(campus, back_up, 0)
    charged(campus, "day-2", *DAY_2)
    before = documents(campus)
    child.alone(campus, put_back, 1, crash_at=point)
    if point == "restore.kept":
        assert answer("run", "library-charges", "-C", campus)["outcome"] == "nothing_to_do", "the ledger is the one it was"
    else:
        assert "put back" in answer("run", "library-charges", "-C", campus, code=3)["words"]
    if point != "restore.blocked":  # it only had to tell of it
        child.alone(campus, put_back, 2)
    reconciled(campus)
    charged(campus, "day-3", Fee("31", 300), DAY_2[0])
    new = {name: document for name, document in documents(campus).items() if before.get(name) != document}
    assert len(new) == 1 and answer("status", "-C", campus)["places"]["in_transit"] == 8582 + 1700 + 300
    assert answer("status", "-C", campus)["unexplained_cents"] == 0


def test_i13_p21_five_deaths_of_a_restore_one_after_the_other(campus: Path) -> None:
    child.alone(campus, back_up, 0)
    charged(campus, "day-2", *DAY_2)
    before = documents(campus)
    for minute, point in enumerate([*RESTORE, "restore.aside"]):
        child.alone(campus, put_back, 1 + minute, crash_at=point)
    points = child.alone(campus, put_back, 9)
    assert set(points) == set(RESTORE)
    reconciled(campus)
    assert documents(campus) == before and answer("status", "-C", campus)["places"]["in_transit"] == 8582 + 1700


def test_every_point_that_no_run_passes_is_died_at() -> None:
    assert {"backup.copied", "backup.kept", *RESTORE} == ELSEWHERE
