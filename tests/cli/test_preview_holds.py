"""preview parking-holds: who would be placed, changed and released and why, on real data, and nothing changes by it."""

import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from bursarbridge.cli.hold_words import plan_lines
from tests.cli.calls import answer, call

HEAD = "User ID,User Type,Violation Number,Violation Type,Violation Date,Amount Owed,Status\r\n"
SECOND_NIGHT = (
    "0012345,Student,V202600001,No permit,08/03/2026,45.00,Open\r\n"
    "7700123,Student,V202600003,Reserved space,08/05/2026,60.00,Open\r\n"
    "60221908,Staff,V202600005,No permit,08/06/2026,45.00,Open\r\n"
)


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """The example campus after its first night of holds, with the second night's list waiting."""
    folder = tmp_path / "campus"
    assert call("init", "--example", folder).exit_code == 0
    first = shutil.copy(folder / "samples/violations.csv", folder / "parking/out")
    an_hour_ago = time.time() - 3600
    os.utime(first, (an_hour_ago, an_hour_ago))  # lists without a date in their name count from when they were written, to the second
    assert answer("run", "parking-holds", "-C", folder)["holds"]["added"] == 2
    (folder / "parking/out/violations_next.csv").write_text(HEAD + SECOND_NIGHT, newline="")
    return folder


def world(campus: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Every file of the campus by hash, and every row of every table of the ledger."""
    files = {path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in campus.rglob("*") if path.is_file()}
    with sqlite3.connect(campus / "data/bursarbridge.db") as ledger:
        names = [name for (name,) in ledger.execute("select name from sqlite_master where type = 'table'")]
        rows = {name: repr(ledger.execute(f'select * from "{name}"').fetchall()) for name in names}
    return {name: sha for name, sha in files.items() if "/bursarbridge.db" not in name}, rows


def test_it_says_who_and_why_and_changes_nothing(campus: Path) -> None:
    before = world(campus)
    seen = call("preview", "parking-holds", "-C", campus)
    assert seen.exit_code == 0, seen.output
    for words in (
        "  Would place 1 hold:\n    7700123  $60.00  $60.00 is open in 1 item\n",
        "  Would change 1 hold:\n    0012345  $45.00  $45.00 is open in 1 item; the bursar was told $120.00\n",
        "  Would release 1 hold:\n    20260417",
        "nothing is owed any more",
    ):
        assert words in seen.stdout, seen.stdout
    assert "Placed  " not in seen.stdout and "60221908" not in seen.stdout
    told = answer("preview", "parking-holds", "-C", campus)
    assert {one["account"]: one["verb"] for one in told["plan"]} == {"7700123": "place", "0012345": "change", "20260417": "release"}
    assert all(one["because"] for one in told["plan"])
    assert world(campus) == before
    ran = answer("run", "parking-holds", "-C", campus)
    assert (ran["holds"]["added"], ran["holds"]["changed"], ran["holds"]["released"]) == (1, 1, 1)


def test_a_long_plan_shows_its_first_ones_and_a_count() -> None:
    plan = [{"verb": "place", "account": f"{n:07}", "cents": 4500, "because": "$45.00 is open in 1 item", "again": False} for n in range(1, 71)]
    said = plan_lines({"plan": plan})  # type: ignore[typeddict-item]
    assert said[0] == "  Would place 70 holds:" and len(said) == 52
    assert said[-1] == "    and 20 more; --json has them all"
