"""sandbox samples and sandbox verify: what the other office gets, and what its answer is worth."""

import shutil
from pathlib import Path

from tests.cli.calls import answer, call


def test_the_samples_of_a_campus_pass_their_own_lists_and_a_changed_one_fails(tmp_path: Path) -> None:
    assert call("init", "--example", tmp_path / "campus").exit_code == 0
    here = ("-C", tmp_path / "campus")
    made = answer("sandbox", "samples", tmp_path / "out", *here)
    assert made["directory"] == str(tmp_path / "out") and len(made["files"]) == 30
    assert "institution EXCCD" in (tmp_path / "out/README.txt").read_text("utf-8")
    lists = tmp_path / "lists"
    shutil.copytree(tmp_path / "out/peoplesoft/expected", lists)
    done = call("sandbox", "verify", "--results", lists, *here)
    assert done.exit_code == 0 and done.stdout.count("PASS") == 8 and "8 of 8 steps as agreed." in done.stdout
    (lists / "04_released.csv").write_bytes((lists / "03_partial-payment.csv").read_bytes())
    done = call("sandbox", "verify", "--results", lists, *here)
    assert done.exit_code == 1 and "FAIL  released: 1042317 has a hold of $30.00" in done.stdout


def test_what_is_asked_for_wrongly_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    call("init", "--example", tmp_path / "campus")
    here = ("-C", tmp_path / "campus")
    assert call("sandbox", "samples", tmp_path / "out", "--people", "1,2,3", *here).exit_code == 2
    assert call("sandbox", "samples", tmp_path / "out", "--people", "0104231,0104231,0104232", *here).exit_code == 2
    assert call("sandbox", "samples", tmp_path / "out", "--hold", "PARKING", *here).exit_code == 2
    assert not (tmp_path / "out").exists()
    assert call("sandbox", "samples", tmp_path / "campus", *here).exit_code == 1
    assert call("sandbox", "verify", "--results", tmp_path / "nowhere", *here).exit_code == 1
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/00_before.csv").write_text("NAME\n", "utf-8")
    assert "cannot be read" in call("sandbox", "verify", "--results", tmp_path / "lists", *here).stderr
