"""The newcomer's story: init, drop the samples, run charges, run payments, look at everything."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.calls import answer, call

PLACES = {"outside", "source", "in_transit", "bursar", "paid", "waived", "settled", "student_credit"}
COUNTS = ("read", "sent", "already", "conflicts", "suspended")


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example campus after its charges were sent and its sample payment report was read."""
    folder = tmp_path_factory.mktemp("cli") / "campus"
    assert call("init", "--example", folder).exit_code == 0
    (folder / "alma/out/export.xml").write_bytes((folder / "samples/alma-export.xml").read_bytes())
    previewed = answer("preview", "library-charges", "-C", folder)
    ran = answer("run", "library-charges", "-C", folder)
    assert {key: previewed[key] for key in COUNTS} == {key: ran[key] for key in COUNTS}
    charges = (folder / "peoplesoft/in" / ran["files"][0]["name"]).read_text()
    references = dict(zip(("REFERENCE-1", "REFERENCE-2", "REFERENCE-3"), _references(charges), strict=True))
    report = (folder / "samples/payments_20260802_120000.csv").read_text()
    for word, reference in references.items():
        report = report.replace(word, reference)
    (folder / "peoplesoft/out/payments_20260802_120000.csv").write_text(report)
    paid = answer("run", "library-payments", "-C", folder)
    assert paid["sent"] == {"count": 3, "cents": 85_00 + 15_50 + 4_00}
    return folder


def _references(charges: str) -> list[str]:
    """The references of the three charges that the sample report pays, in its order."""
    found = {(line[6:17].strip(), int(line[36:52].replace(".", ""))): line[61:91].strip() for line in charges.splitlines() if line.startswith("D")}
    return [found["0012345", 85_00], found["0012345", 15_50], found["20260417", 10_00]]


def test_a_run_tells_what_it_read_and_sent(campus: Path) -> None:
    (campus / "alma/out/again.xml").write_bytes((campus / "samples/alma-export.xml").read_bytes())
    ran = answer("run", "library-charges", "-C", campus)
    assert ran["flow"] == "library-charges" and ran["run"].startswith("library-charges-")
    assert ran["outcome"] == "completed"
    assert all(set(ran[key]) == {"count", "cents"} for key in COUNTS)
    assert ran["already"] == {"count": 5, "cents": 153_57} and ran["files"] == []


def test_status_has_every_place_and_explains_everything(campus: Path) -> None:
    told = answer("status", "-C", campus)
    assert set(told["places"]) == PLACES and sum(told["places"].values()) == 0
    assert told["unexplained_cents"] == 0
    assert told["places"]["outside"] == -153_57
    assert told["batches"]["open"]["count"] == len(told["batches"]["list"]) == 2
    assert told["suspense"]["open"] == {"count": 0, "cents": 0}
    assert {run["flow"] for run in told["runs"]} == {"library-charges", "library-payments"}


def test_status_for_people_is_on_stdout_and_the_campus_on_stderr(campus: Path) -> None:
    result = call("status", "-C", campus)
    assert re.match(r"sandbox · Example College · \w{3} \w{3} \d{1,2}, \d{1,2}:\d\d [AP]M P[SD]T\n", result.stderr)
    assert "unexplained" in result.stdout and "$0.00" in result.stdout and "$153.57" in result.stdout
    assert "Example College" not in result.stdout
    assert result.stderr.splitlines()[-1].startswith("Next: bursarbridge ")
    assert "\x1b" not in result.stdout + result.stderr


def test_quiet_leaves_only_the_answer(campus: Path) -> None:
    result = call("status", "-C", campus, "--quiet")
    assert result.stderr == "" and "unexplained" in result.stdout


def test_explain_answers_for_a_person_and_for_a_fee_by_either_number(campus: Path) -> None:
    person = answer("explain", "0012345", "-C", campus)
    assert len(person["obligations"]) == 2
    one = person["obligations"][0]
    assert set(one["place"]) == PLACES and one["place"]["in_transit"] == 85_00
    assert one["verdict"] and one["waiting_on"] == "the library" and one["expected_by"].endswith("Z")
    assert [(step["from"], step["to"]) for step in one["history"]] == [
        ("outside", "source"), ("source", "in_transit"), ("in_transit", "bursar"), ("bursar", "paid"), ("paid", "in_transit"),
    ]  # fmt: skip
    by_ours = answer("explain", one["reference"], "-C", campus)["obligations"]
    by_theirs = answer("explain", one["source_reference"], "-C", campus)["obligations"]
    assert by_ours == by_theirs == [one]


def test_explain_says_the_verdict_first_and_names_no_one(campus: Path) -> None:
    out = call("explain", "20260417", "-C", campus).stdout
    assert "part paid, $6.00 left on the student account" in out
    assert "Paid at the bursar (payments_20260802_120000.csv)" in out
    assert "Library card replacement, $10.00" in out
    assert "Okonjo" not in out and "Tides" not in out


def test_explain_of_nobody_suggests_who_was_meant(campus: Path) -> None:
    result = call("explain", "12345", "-C", campus)
    assert result.exit_code == 1
    assert "did you mean 0012345?" in result.stderr and result.stdout == ""
    swapped = answer("explain", "2026471", "-C", campus, code=1)
    assert swapped["obligations"] == [] and swapped["outcome"] == "failed"
    mistyped = call("explain", "L0000000909X", "-C", campus)
    assert mistyped.exit_code == 1 and "not a reference of ours" in mistyped.stderr


def test_files_are_listed_shown_and_verified(campus: Path) -> None:
    files = answer("files", "list", "-C", campus)["files"]
    assert [one["direction"] for one in files].count("out") == 2
    sent = next(one for one in files if one["name"].endswith(".dat"))
    shown = call("files", "show", sent["name"], "-C", campus).stdout
    assert sent["sha256"] in shown and "5 lines, $153.57" in shown and "0012345" not in shown
    with_lines = answer("files", "show", sent["sha256"][:10], "--lines", 2, "-C", campus)["files"][0]
    assert len(with_lines["text"]) == 2 and with_lines["text"][1].startswith("D")
    assert answer("files", "verify", "-C", campus)["damaged"] == []
    assert call("files", "show", "nothing.dat", "-C", campus).exit_code == 1


def test_preview_changes_nothing(campus: Path) -> None:
    before = answer("status", "-C", campus)
    export = (campus / "samples/alma-export.xml").read_text().replace("9000000000000010", "9000000000000020")
    waiting = campus / "alma/out/tonight.xml"
    waiting.write_text(export)
    seen = answer("preview", "library-charges", "-C", campus)
    assert seen["sent"]["count"] == 5 and seen["run"] == "preview"
    people = call("preview", "library-charges", "-C", campus).stdout
    assert "nothing leaves" in people and "Would send" in people
    assert waiting.exists()
    assert answer("status", "-C", campus) == before
    waiting.unlink()


def test_the_settings_are_right_and_named_by_either_option(campus: Path) -> None:
    assert answer("check", "-C", campus)["faults"] == []
    assert "The settings are right" in call("check", "--config", campus / "bursarbridge.toml").stdout


def test_the_campus_of_this_folder_is_the_default(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(campus)
    assert answer("status")["unexplained_cents"] == 0
    assert json.dumps(answer("files", "list")).count("sha256") == 4
