"""The main job: two days and a morning that end with nothing unexplained."""

import json
import subprocess
import sys
from pathlib import Path

from bursarbridge.cli.two_days import over_sftp
from bursarbridge.sandbox.server import SftpCampus
from tests.cli.calls import answer, call

PROGRAM = (sys.executable, "-c", "from bursarbridge.cli import main; main()")


def test_the_demo_ends_with_one_object_and_nothing_unexplained() -> None:
    done = subprocess.run([*PROGRAM, "demo", "--json"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["charges_sent"], told["payments_returned"], told["fees_closed"]) == (14, 12, 13)
    assert (told["credits_sent"], told["credits_sent_cents"]) == (2, 174_50)
    assert told["returned_items_cleared"] == 2 and told["reports_mailed"] == 4, "what came back, and one for each run of holds"
    assert (told["holds_added"], told["holds_changed"], told["holds_released"]) == (4, 2, 2)
    assert told["books"]["holds"] == {"parking_cents": 150_00, "bridge_cents": 150_00, "peoplesoft_cents": 150_00}
    assert told["unexplained_cents"] == 0 and told["seconds"] < 30
    assert told["waiting_for_a_person"] == {"count": 1, "cents": 45_50}
    alma, bursar = told["books"]["alma"], told["books"]["peoplesoft"]
    assert (alma["paid_cents"], bursar["paid_cents"], alma["waived_cents"], bursar["waived_cents"]) == (593_91, 593_91, 174_50, 174_50)
    assert told["books"]["bridge"]["settled"] == 593_91 + 174_50


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
