"""The main job: two days and a morning that end with nothing unexplained."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bursarbridge.cli.story_settings import over_sftp
from bursarbridge.sandbox.server import SftpCampus
from bursarbridge.store import opening
from tests.cli.calls import answer, call
from tools.cluster import free_port

PROGRAM = (sys.executable, "-c", "from bursarbridge.cli import main; main()")


def ends_as_the_days_do(told: Any) -> None:
    """The figures that the two days and the morning always end with, whoever ran the flows."""
    assert (told["charges_sent"], told["payments_returned"], told["fees_closed"]) == (14, 12, 13)
    assert (told["credits_sent"], told["credits_sent_cents"]) == (2, 174_50)
    assert told["returned_items_cleared"] == 2 and told["reports_mailed"] == 4, "what came back, and one for each run of holds"
    assert (told["holds_added"], told["holds_changed"], told["holds_released"]) == (4, 2, 2)
    assert told["books"]["holds"] == {"parking_cents": 150_00, "bridge_cents": 150_00, "peoplesoft_cents": 150_00}
    assert told["unexplained_cents"] == 0 and told["runs"] == 18
    assert told["waiting_for_a_person"] == {"count": 1, "cents": 45_50}
    alma, bursar = told["books"]["alma"], told["books"]["peoplesoft"]
    assert (alma["paid_cents"], bursar["paid_cents"], alma["waived_cents"], bursar["waived_cents"]) == (593_91, 593_91, 174_50, 174_50)
    assert told["books"]["bridge"]["settled"] == 593_91 + 174_50


def test_the_demo_ends_with_one_object_and_nothing_unexplained() -> None:
    done = subprocess.run([*PROGRAM, "demo", "--json"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    ends_as_the_days_do(told)
    assert told["seconds"] < 30 and told["workers"] == []


def test_the_story_ends_with_three_books_and_a_campus_to_look_around_in(tmp_path: Path) -> None:
    folder = tmp_path / "two-days"
    done = call("demo", "--keep", folder)
    assert done.exit_code == 0 and done.stderr == ""
    for words in (
        "Wednesday, October 14",
        "Unexplained difference: $0.00",
        "PeopleSoft",
        "the same file again",
        "the answer is 200",
        "Hugo's student account is at $0.00",
        "PRK Parking violations, $45.00: classes cannot be added",
        "0 placed, 2 changed, 2 released, 0 refused",
        "ADV No declared program",
        "Holds: 0 placed, 2 changed, 2 released; 2 on now.",
        '3 reports; the newest: "[SANDBOX] Holds: 0 added, 0 released, 0 stuck (Fri Oct 16)".',
        f"bursarbridge status -C {folder}",
    ):
        assert words in done.stdout
    assert answer("status", "-C", folder)["places"]["settled"] == 593_91 + 174_50
    assert answer("explain", "8800417", "-C", folder)["obligations"][0]["waiting_on"] == "a person: suspense 1"
    assert answer("files", "verify", "-C", folder)["damaged"] == []
    assert 'kind = "sftp"' in (folder / "two-days.toml").read_text()
    keys = [folder / "keys" / name for name in ("alma-api", "alma-webhook")]
    assert all(key.stat().st_mode & 0o077 == 0 and key.read_text() not in done.stdout for key in keys)
    again = call("demo", "--keep", folder)
    assert again.exit_code == 1 and "never overwritten" in again.stderr


def test_the_demos_settings_reach_both_systems_only_over_sftp(tmp_path: Path) -> None:
    assert call("init", "--example", tmp_path / "example").exit_code == 0
    server = SftpCampus(tmp_path)
    server.port, server.host_key, server.client_key_path = 2222, "ssh-ed25519 AAAA", tmp_path / "key"
    text = over_sftp((tmp_path / "example/bursarbridge.toml").read_text(), server)
    assert text.count('\nkind = "sftp"') == 3 and '\nkind = "folder"' not in text
    assert {line for line in text.splitlines() if line.startswith("folder")} == {
        f'folder = "{folder}"'
        for folder in ("alma/out", "alma/in", "peoplesoft/in", "peoplesoft/out", "parking/out", "peoplesoft/holds/in", "peoplesoft/holds/out")
    }


def test_an_unexplained_cent_fails_the_demo(tmp_path: Path) -> None:
    program = "from bursarbridge.store import views; views.unexplained_cents = lambda books: 1\nfrom bursarbridge.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "demo"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Unexplained difference: $0.01" in done.stdout and "the bridge's own books" in done.stdout


@pytest.mark.timeout(240)
def test_three_workers_live_the_same_days_and_one_is_killed(tmp_path: Path, pg_address: str) -> None:
    address = tmp_path / "url"
    address.write_text(pg_address)
    command = [*PROGRAM, "demo", "--json", "--database", f"file:{address}", "--workers", "3", "--keep", str(tmp_path / "days")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    ends_as_the_days_do(told)
    runs = [name for worker in told["workers"] for name in worker["runs"]]
    assert len(told["workers"]) == 3 and all(worker["runs"] for worker in told["workers"]), "each of them ran something"
    assert len(runs) == len(set(runs)) == told["runs"] - 1, "each run was ended by one worker; a person sent the daily report"
    killed = [(worker["worker"], name) for worker in told["workers"] for name in worker["killed_in"]]
    ((number, name),) = killed
    assert name == "library-charges-20261015-1820-1", "the run in which new charges leave"
    assert name in runs and name not in told["workers"][number - 1]["runs"], "another worker ended what the killed one began"
    left = [path.name for path in (tmp_path / "days/peoplesoft/in").iterdir() if path.name.startswith("LIB_CHG")]
    assert sorted(left) == ["LIB_CHG_EXCCD_20261014_000001.dat.loaded", "LIB_CHG_EXCCD_20261015_000005.dat.loaded"], "no file left twice"
    shown = answer("workers", "-C", tmp_path / "days", "-n", 100)
    assert shown["at_work"] == [], "all of them are stopped"
    assert {one["run"] for one in shown["runs"] if one["slot"]} >= set(runs) and all(one["outcome"] for one in shown["runs"])
    with psycopg.connect(pg_address) as looking:
        assert looking.execute("select count(*) from alarm").fetchone() == (0,), "nothing was late"


def test_a_database_that_is_not_empty_is_left_as_it_is(tmp_path: Path, pg_address: str) -> None:
    opening.migrate(opening.open_engine(pg_address))
    refused = call("demo", "--database", pg_address, "--workers", 3)
    assert refused.exit_code == 1 and "holds a ledger already" in refused.stderr
    assert call("demo", "--workers", 3).exit_code == 2, "several workers need a database"
    assert "SQLite" in call("demo", "--database", "sqlite:x.db").stderr
    away = call("demo", "--database", f"postgresql://tester@127.0.0.1:{free_port()}/nowhere")
    assert away.exit_code == 5 and "does not let us in" in away.stderr
