"""Yesterday's backup on a campus that holds (reliability.md P21): nobody stays held who has paid, and nobody is released who owes."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calls import answer, call
from tests.crash.campus import found
from tests.garage import SECTIONS, ZONE

GUARDS = """
[guards.parking-holds]
settings = { action = "warn" }
"""
HEAD = "User ID,User Type,Violation Number,Violation Type,Violation Date,Amount Owed,Status"
ADA, BO, CY, DEE = "0012345", "0012346", "0012347", "0012348"
Told = dict[str, list[tuple[str, str]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def campus(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An example campus with a parking office, on one of the databases."""
    folder = tmp_path / "campus"
    found(folder, str(request.getfixturevalue("pg_address")) if request.param == "postgresql" else "")
    settings = folder / "bursarbridge.toml"
    settings.write_text(settings.read_text() + SECTIONS + GUARDS)
    for place in ("parking/out", "peoplesoft/holds/in", "peoplesoft/holds/out"):
        (folder / place).mkdir(parents=True)
    return folder


def listed(folder: Path, hours_ago: float, owed: dict[str, str], kind: str = "full") -> None:
    """A list of the office's arrives."""
    at = f"{datetime.now(ZONE) - timedelta(hours=hours_ago):%Y%m%d_%H%M%S}"
    rows = [f"{person},Student,V{person},No permit,07/01/2026,{cents},{'Open' if float(cents) else 'Paid'}" for person, cents in owed.items()]
    (folder / f"parking/out/violations_{kind}_{at}.csv").write_text("".join(f"{row}\r\n" for row in [HEAD, *rows]))


def ran(folder: Path) -> Any:
    """A run of holds."""
    return answer("run", "parking-holds", "-C", folder)


def told(folder: Path) -> Told:
    """The hold files that the bursar has of us: who, and what."""
    return {path.name: _lines(path) for path in sorted((folder / "peoplesoft/holds/in").glob("*.dat"))}


def _lines(path: Path) -> list[tuple[str, str]]:
    added = "ADDED" in path.name
    rows = [line for line in path.read_text().splitlines() if line.startswith("D")]
    return [(row[1:12].strip(), row[25:38].strip().lstrip("0") if added else "0") for row in rows]


def stands(folder: Path) -> dict[str, str]:
    """What the bursar's system has after loading all our files in their order."""
    holds: dict[str, str] = {}
    for lines in told(folder).values():
        holds |= dict(lines)
    return {person: cents for person, cents in holds.items() if cents not in ("", "0")}


def two_days(folder: Path, store: Path) -> Told:
    """A first day, a backup, and a second day: Ada owes more, Bo has paid, Cy is new. Then the backup is put back."""
    listed(folder, 6, {ADA: "40.00", BO: "60.00"})
    ran(folder)
    answer("backup", store, "-C", folder)
    listed(folder, 4, {ADA: "55.00", CY: "25.00"})
    ran(folder)
    assert stands(folder) == {ADA: "55.00", CY: "25.00"}
    before = told(folder)
    answer("restore", store, "-C", folder, "--over")
    return before


def reconciled(folder: Path, *words: object) -> Any:
    """Looked at, then confirmed; returns what the first said."""
    looked = answer("reconcile", *words, "-C", folder, code=3)
    answer("reconcile", "--confirm", "--reason", "compared", "--by", "Imre", *words, "-C", folder)
    return looked


def came(findings: Any) -> list[dict[str, Any]]:
    """The documents that the books did not know. (Two runs within one second name each other's in their notes; those are known.)"""
    return [one for one in findings["documents"] if one["state"] != "known"]


def new(folder: Path, before: Told) -> list[list[tuple[str, str]]]:
    """What was told after the files of before, which stand as they were."""
    now = told(folder)
    assert {name: lines for name, lines in now.items() if name in before} == before
    return [lines for name, lines in now.items() if name not in before]


def test_p21_holds_that_left_since_the_backup_are_known_again(campus: Path, tmp_path: Path) -> None:
    before = two_days(campus, tmp_path / "store")
    looked = answer("reconcile", "-C", campus, code=3)
    assert [(one["kind"], one["lines"], one["cents"], one["state"]) for one in came(looked)] == [
        ("holds_added", 2, 8000, "sent"),
        ("holds_released", 1, 0, "sent"),
    ]
    assert len(looked["inputs"]) == 1, "the list that they were decided by is read again"
    text = call("reconcile", "-C", campus).stdout
    assert "known" in text and "HOLDS_000002_ADDED.dat" in text
    answer("reconcile", "--confirm", "--reason", "compared", "-C", campus)
    again = ran(campus)["holds"]
    assert new(campus, before) == [[(BO, "0")]], "nothing is told a second time but a release that nobody has confirmed"
    assert (again["active"], again["words"]) == (2, [])
    listed(campus, 2, {ADA: "55.00"})
    ran(campus)
    assert stands(campus) == {ADA: "55.00"}, "Cy, whom the backup did not know, is released"
    (hold,) = answer("holds", "explain", CY, "-C", campus)["holds"]
    assert [one["verb"] for one in hold["history"]] == ["place", "release"]
    assert hold["history"][0]["because"].startswith("told before a restore")


def test_p21_without_the_vault_nobody_is_decided_before_the_next_list(campus: Path, tmp_path: Path) -> None:
    before = two_days(campus, tmp_path / "store")
    shutil.rmtree(campus / "data/vault")
    shutil.rmtree(campus / "parking/out/done", ignore_errors=True)
    said = reconciled(campus)
    assert {one["state"] for one in came(said)} == {"sent"}
    waits = ran(campus)["holds"]
    assert told(campus) == before and "nobody is decided before a list of" in waits["words"][0]
    assert "nobody is decided" in call("run", "parking-holds", "-C", campus).stdout
    listed(campus, -0.05, {ADA: "55.00", DEE: "10.00"})
    ran(campus)
    assert stands(campus) == {ADA: "55.00", DEE: "10.00"}


def test_p21_a_change_that_was_read_since_is_read_again(campus: Path, tmp_path: Path) -> None:
    """A file of changes comes once: what it said must not be lost with the ledger."""
    listed(campus, 6, {ADA: "40.00", BO: "60.00"})
    ran(campus)
    answer("backup", tmp_path / "store", "-C", campus)
    listed(campus, 4, {BO: "0.00", CY: "25.00"}, "changes")
    ran(campus)
    before = told(campus)
    answer("restore", tmp_path / "store", "-C", campus, "--over")
    reconciled(campus)
    ran(campus)
    assert new(campus, before) == [[(BO, "0")]] and stands(campus) == {ADA: "40.00", CY: "25.00"}


def test_p21_a_hold_file_whose_bytes_are_lost_is_a_question(campus: Path, tmp_path: Path) -> None:
    before = two_days(campus, tmp_path / "store")
    copies = tmp_path / "copies"
    copies.mkdir()
    for path in (campus / "peoplesoft/holds/in").iterdir():
        sha256 = path.name
        shutil.move(path, copies / sha256)
    for one in (campus / "data/vault").rglob("*"):
        if one.is_file() and len(one.name) == 64 and any(one.read_bytes() == copy.read_bytes() for copy in copies.iterdir()):
            one.unlink()
    looked = answer("reconcile", "-C", campus, code=3)
    assert {one["state"] for one in came(looked)} == {"trace"}
    given = answer("reconcile", "--documents", copies, "-C", campus, code=3)
    assert {one["state"] for one in came(given)} == {"sent"}
    answer("reconcile", "--confirm", "--reason", "copies came", "-C", campus)
    ran(campus)
    assert told(campus) == {}, "all of it is known"
    for path in copies.iterdir():
        shutil.move(path, campus / "peoplesoft/holds/in" / path.name)
    assert told(campus) == before


def test_p21_a_trace_of_a_hold_file_takes_its_number_and_asks(campus: Path, tmp_path: Path) -> None:
    two_days(campus, tmp_path / "store")
    for path in (campus / "peoplesoft/holds/in").iterdir():
        content = path.read_bytes()
        path.unlink()
        for one in (campus / "data/vault").rglob("*"):
            if one.is_file() and len(one.name) == 64 and one.read_bytes() == content:
                one.unlink()
    said = reconciled(campus)
    assert {one["state"] for one in came(said)} == {"trace"}
    questions = answer("suspense", "list", "-C", campus)["items"]
    assert {one["code"] for one in questions} == {"sent_unseen"}
    ran(campus)
    assert stands(campus) == {ADA: "55.00", CY: "25.00"}, "by the list that was read again; Bo's release is told again with it"
    assert min(int(name[6:12]) for name in told(campus)) > 3


def test_p21_a_release_by_hand_of_that_time_is_ordered_again_before_confirming(campus: Path, tmp_path: Path) -> None:
    listed(campus, 6, {ADA: "40.00", BO: "60.00"})
    ran(campus)
    answer("backup", tmp_path / "store", "-C", campus)
    answer("holds", "release", ADA, "--reason", "registers today", "--run", "-C", campus)
    assert stands(campus) == {BO: "60.00"}
    before = told(campus)
    answer("restore", tmp_path / "store", "-C", campus, "--over")
    assert [one["kind"] for one in came(answer("reconcile", "-C", campus, code=3))] == ["holds_released"]
    answer("holds", "release", ADA, "--reason", "as before the disk was lost", "-C", campus)
    answer("reconcile", "--confirm", "--reason", "compared", "-C", campus)
    ran(campus)
    assert new(campus, before) == [[(ADA, "0")]] and stands(campus) == {BO: "60.00"}
