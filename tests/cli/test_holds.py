"""The holds of a parking office on the example campus, by the commands that people type."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursarbridge.examples.example import write_example
from tests.cli.calls import answer, call

SETTINGS = """
[connections.parking]
kind = "folder"
path = "parking"
[sources.parking]
adapter = "opscom"
reference_prefix = "P"
connection = "parking"
timezone = "America/Los_Angeles"
[[sources.parking.violations]]
kind = "full"
folder = "out"
files = ["violations_*.csv"]
as_of = '(\\d{8})_(\\d{6})'
settle = "0s"
form = "delimited"
delimiter = ","
titles = ["ID", "Type", "Number", "Kind", "Date", "Owed"]
dates = ["YYYY-MM-DD"]
columns = { id = "ID", user_type = "Type", reference = "Number", category = "Kind", violated_on = "Date", amount = "Owed" }
[mail]
relay = "127.0.0.1:1"
tls = "none"
from = "Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.holds]
to = ["parking@example.edu"]
[holds.parking]
code = "PRK"
reason = "PKCIT"
institution = "EXCCD"
impact = "registration"
evidence_max_age = "3650d"
added = { folder = "holds", layout = "generic-holds-added", name = "HOLDS_ADDED_{sequence:06d}.dat" }
released = { folder = "holds", layout = "generic-holds-released", name = "HOLDS_RELEASED_{sequence:06d}.dat" }
snapshot = { folder = "lists", files = ["indicators_*.csv"], layout = "ps-query-indicators", as_of = '(\\d{8})_(\\d{6})', settle = "0s" }
[guards.parking-holds]
settings = { action = "off" }
stale = { action = "off" }
"""
HEAD = "ID,Type,Number,Kind,Date,Owed\n"


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """The example campus with a parking office, and two people who owe it something."""
    write_example(tmp_path)
    file = tmp_path / "bursarbridge.toml"
    file.write_text(file.read_text() + SETTINGS)
    for folder in ("parking/out", "peoplesoft/holds", "peoplesoft/lists"):
        (tmp_path / folder).mkdir(parents=True)
    office(tmp_path, "20260801_020000", "0012345,STUDENT,PV1,NOPERMIT,2026-07-01,40.00", "0012346,STUDENT,PV2,METER,2026-07-02,15.00")
    return tmp_path


def office(campus: Path, as_of: str, *rows: str) -> None:
    """The parking office lists all that is outstanding."""
    (campus / f"parking/out/violations_{as_of}.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows))


def files(campus: Path) -> list[str]:
    """The hold files at the bursar's."""
    return sorted(path.name for path in (campus / "peoplesoft/holds").iterdir())


def test_a_preview_says_who_and_why_and_changes_nothing(campus: Path) -> None:
    seen = call("preview", "parking-holds", "-C", campus)
    assert seen.exit_code == 0, seen.output
    assert "  Would place 2 holds:\n    0012345  $40.00  $40.00 is open in 1 item\n" in seen.stdout
    assert files(campus) == [] and answer("holds", "list", "-C", campus)["holds"] == []
    told = answer("preview", "parking-holds", "-C", campus)
    assert [(one["verb"], one["account"], one["cents"]) for one in told["plan"]] == [("place", "0012345", 4000), ("place", "0012346", 1500)]


def test_holds_are_placed_explained_and_released(campus: Path) -> None:
    ran = answer("run", "parking-holds", "-C", campus)
    assert ran["holds"]["added"] == 2 and files(campus) == ["HOLDS_ADDED_000001.dat"]
    text = (campus / "peoplesoft/holds/HOLDS_ADDED_000001.dat").read_text()
    assert "0012345" in text and "0000000040.00" in text and "PRK" in text
    office(campus, "20260802_020000", "0012345,STUDENT,PV1,NOPERMIT,2026-07-01,25.00")
    ran = answer("run", "parking-holds", "-C", campus)
    assert (ran["holds"]["changed"], ran["holds"]["released"]) == (1, 1)
    said = call("holds", "explain", "0012345", "-C", campus).stdout
    assert said.startswith("A parking hold of $25.00 is on (not confirmed yet")
    ordered = call("holds", "release", "0012345", "--reason", "registers today", "--by", "R. Diaz", "--run", "-C", campus)
    assert ordered.exit_code == 0, ordered.output
    assert "goes with the next run" in ordered.stdout and len([name for name in files(campus) if "RELEASED" in name]) == 2
    (one,) = answer("holds", "explain", "0012345", "-C", campus)["holds"]
    assert one["told"]["verb"] == "release" and "released by hand by R. Diaz" in one["history"][-1]["because"]
    assert call("holds", "list", "-C", campus).exit_code == 0
    assert call("status", "-C", campus).exit_code == 0
    assert answer("run", "parking-holds-full", "-C", campus)["holds"]["added"] == 0


def test_a_guard_holds_a_mass_release_until_it_is_approved(campus: Path) -> None:
    rows = [f"00{number},STUDENT,PV{number},METER,2026-07-01,15.00" for number in range(20000, 20020)]
    office(campus, "20260801_030000", *rows)
    assert answer("run", "parking-holds", "-C", campus)["holds"]["added"] == 20
    office(campus, "20260802_020000", rows[-1])
    ran = answer("run", "parking-holds", "-C", campus, code=3)
    assert (ran["outcome"], ran["holds"]["held"]) == ("held", 19)
    number = answer("held", "-C", campus)["held"][0]["id"]
    for name in ("R. Diaz", "I. Nagy"):
        assert call("approve", number, "--reason", "amnesty", "--by", name, "-C", campus).exit_code == 0
    assert answer("run", "parking-holds", "-C", campus)["holds"]["released"] == 19


def test_a_preview_of_a_list_that_was_cut_says_so(campus: Path) -> None:
    """It looks at the list before, too."""
    rows = [f"00{number},STUDENT,PV{number},METER,2026-07-01,15.00" for number in range(20000, 20008)]
    office(campus, "20260801_030000", *rows)
    answer("run", "parking-holds", "-C", campus)
    office(campus, "20260802_020000", *rows[:4])
    seen = call("preview", "parking-holds", "-C", campus)
    assert seen.exit_code == 0 and "ends where the one before it went on: 4 people" in seen.stdout, seen.output
    assert answer("run", "parking-holds", "-C", campus, code=3)["holds"]["released"] == 0


def test_h04_an_approval_follows_people_not_their_number(campus: Path) -> None:
    """A plan for as many others is another plan; the same people by a newer list are the same one, and keep what was said of them."""
    rows = [f"00{number},STUDENT,PV{number},METER,2026-07-01,15.00" for number in range(20000, 20020)]
    office(campus, "20260801_030000", *rows)
    answer("run", "parking-holds", "-C", campus)
    office(campus, "20260802_020000", rows[-1])
    answer("run", "parking-holds", "-C", campus, code=3)
    (first,) = answer("held", "-C", campus)["held"]
    assert call("approve", first["id"], "--reason", "amnesty", "--by", "R. Diaz", "-C", campus).exit_code == 0
    office(campus, "20260803_020000", rows[-1])
    answer("run", "parking-holds", "-C", campus, code=3)
    (again,) = answer("held", "-C", campus)["held"]
    assert (again["id"], again["missing"]) == (first["id"], 1), "the same people: the same plan"
    office(campus, "20260804_020000", "0020018,STUDENT,PV20018,METER,2026-07-01,15.00")
    ran = answer("run", "parking-holds", "-C", campus, code=3)
    (other,) = answer("held", "-C", campus)["held"]
    assert ran["holds"]["held"] == 19 and other["numbers"] == first["numbers"]
    assert (other["id"] != first["id"], other["missing"]) == (True, 2), "R. Diaz spoke of others"
    assert call("approve", other["id"], "--reason", "amnesty", "--by", "I. Nagy", "-C", campus).exit_code == 0
    assert answer("run", "parking-holds", "-C", campus, code=3)["holds"]["released"] == 0


def test_a_list_that_people_approved_is_decided_like_any_other(campus: Path) -> None:
    """Found by the simulator: a held list has an older number than the evaluation that passed it by, and nobody on it was decided."""
    answer("run", "parking-holds", "-C", campus)
    rows = [f"00{number},STUDENT,PV{number},METER,2026-07-01,?" for number in range(20000, 20006)]
    office(campus, "20260802_020000", "0012345,STUDENT,PV1,NOPERMIT,2026-07-01,40.00", "0012399,STUDENT,PV9,METER,2026-07-02,15.00", *rows)
    ran = answer("run", "parking-holds", "-C", campus, code=3)
    assert (ran["outcome"], ran["holds"]["added"]) == ("held", 0)
    assert call("approve", answer("held", "-C", campus)["held"][0]["id"], "--reason", "known", "--by", "R. Diaz", "-C", campus).exit_code == 0
    ran = answer("run", "parking-holds", "-C", campus, code=4)
    assert (ran["holds"]["added"], ran["holds"]["released"]) == (1, 1)


def test_an_approved_plan_leaves_by_the_list_that_came_since(campus: Path) -> None:
    """Found by the simulator: an approved plan left before the run looked for newer lists, and held somebody who had paid."""
    file = campus / "bursarbridge.toml"
    file.write_text(file.read_text().replace('settings = { action = "off" }\n', ""))
    assert answer("run", "parking-holds", "-C", campus, code=3)["holds"]["held"] == 2
    assert call("approve", answer("held", "-C", campus)["held"][0]["id"], "--reason", "known", "--by", "R. Diaz", "-C", campus).exit_code == 0
    office(campus, "20260802_020000", "0012345,STUDENT,PV1,NOPERMIT,2026-07-01,40.00")
    ran = answer("run", "parking-holds", "-C", campus)
    assert [ran["holds"][name] for name in ("added", "overtaken", "released", "held")] == [1, 1, 0, 0]
    (told,) = [path.read_text() for path in (campus / "peoplesoft/holds").iterdir()]
    assert "0012345" in told and "0012346" not in told, "who has paid is held by no file"


def test_the_bursars_list_is_compared(campus: Path) -> None:
    answer("run", "parking-holds", "-C", campus)
    (campus / "peoplesoft/lists/indicators_20991231_020000.csv").write_text(
        "EMPLID,INSTITUTION,SRVC_IND_CD,SRVC_IND_REASON,AMOUNT,SRVC_IND_REFRNCE,SRVC_IND_ACTIVE_DT\n0012345,EXCCD,PRK,PKCIT,40.00,,2026-08-01\n"
    )
    ran = answer("run", "parking-holds", "-C", campus)
    assert (ran["holds"]["confirmed"], ran["holds"]["added"]) == (1, 1), ran["holds"]


def test_a_flow_without_holds_is_no_flow(campus: Path) -> None:
    assert "those that do are: parking-holds" in call("run", "library-holds", "-C", campus).stderr
    assert call("holds", "release", "0099999", "--reason", "x", "--by", "me", "-C", campus).exit_code == 1
