"""held, approve and reject, as a shell sees them, with the mail that goes out."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bursarbridge.examples.example import write_example
from bursarbridge.sandbox.mailbox import Mailbox
from tests.cli.calls import NOON, answer, call, stand_still

PROGRAM = (sys.executable, "-c", "from bursarbridge.cli import main; main()")
LIMIT = '\n[guards.standard]\ntotal = { max = "100.00" }\n'
MAIL = """
[mail]
relay = "127.0.0.1:{port}"
tls = "none"
from = "Campus Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.held]
to = ["bso@example.edu"]
"""


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    """A campus whose first night is over the limit."""
    write_example(tmp_path)
    (tmp_path / "alma/out/export.xml").write_bytes((tmp_path / "samples/alma-export.xml").read_bytes())
    _more(tmp_path, LIMIT)
    return tmp_path


def _more(campus: Path, text: str) -> None:
    with (campus / "bursarbridge.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_3_a_run_is_held_listed_approved_by_two_and_carried_on(campus: Path) -> None:
    shown = call("preview", "library-charges", "-C", campus)
    assert shown.exit_code == 0 and "Would hold" in shown.stdout and answer("held", "-C", campus)["held"] == []
    ran = call("run", "library-charges", "--by", "R. Osei", "-C", campus)
    assert ran.exit_code == 3 and "library-charges: held for a person" in ran.stdout and "$153.57; the limit is $100.00" in ran.stdout
    assert ran.stderr.splitlines()[-1] == f"Next: bursarbridge held -C {campus}"
    listed = call("held", "-C", campus).stdout
    assert "1  library-charges, a batch: 5 lines, $153.57" in listed
    assert "Two different people must approve, not R. Osei, who started the run." in listed
    (one,) = answer("held", "-C", campus)["held"]
    assert (one["state"], one["approvers"], one["missing"], one["numbers"]) == ("held", 2, 2, {"rows": 5, "cents": 15357})
    status = call("status", "-C", campus)
    assert status.stdout.startswith("Held for a person") and f"Next: bursarbridge held -C {campus}" in status.stderr
    first = call("approve", 1, "--reason", "first night", "--by", "R. Diaz", "--run", "-C", campus)
    assert first.exit_code == 0 and "1 more, somebody else" in first.stdout and not list((campus / "peoplesoft/in").iterdir())
    assert call("approve", 1, "--reason", "again", "--as", "r. diaz", "-C", campus).exit_code == 1
    second = answer("approve", 1, "--reason", "agreed", "--by", "M. Okafor", "--run", "-C", campus)
    assert second["outcome"] == "completed" and second["sent"] == {"count": 5, "cents": 15357}
    assert call("held", "-C", campus).stdout == "Nothing is held for a person.\n"


def test_i11_whoever_started_a_run_does_not_approve_what_it_held(campus: Path) -> None:
    _more(campus, "[guards.library-charges]\ntotal = { approvers = 1 }\n")
    assert call("run", "library-charges", "--by", "R. Diaz", "-C", campus).exit_code == 3
    listed = call("held", "-C", campus).stdout
    assert ", started by hand by R. Diaz" in listed and "One person must approve, not R. Diaz, who started the run." in listed
    (one,) = answer("held", "-C", campus)["held"]
    assert (one["start"], one["started_by"]) == ("hand", "R. Diaz")
    mine = call("approve", 1, "--reason", "I know it is right", "--by", "r. diaz", "-C", campus)
    assert mine.exit_code == 1 and "r. diaz started the run" in mine.stderr and "1 person other than they must approve it" in mine.stderr
    status = answer("status", "-C", campus)
    assert (status["runs"][0]["start"], status["runs"][0]["started_by"]) == ("hand", "R. Diaz")
    assert "by R. Diaz" in call("status", "-C", campus).stdout.partition("Last runs")[2]
    assert call("approve", 1, "--reason", "agreed", "--by", "M. Okafor", "--run", "-C", campus).exit_code == 0
    (last,) = [one for one in answer("status", "-C", campus)["runs"] if one["flow"] == "library-charges"]
    assert (last["start"], last["started_by"]) == ("hand", "M. Okafor"), "who carries it on started that run"


def test_i11_a_killed_run_is_finished_by_somebody_else_and_stays_whose_it_was(campus: Path) -> None:
    """A real kill before anything was decided; the next command, another person's, finishes the run, and that is held."""
    words = [*PROGRAM, "run", "library-charges", "--by", "R. Diaz", "-C", str(campus)]
    died = subprocess.run(words, env={**os.environ, "BURSARBRIDGE_CRASH_AT": "collect.fetched"}, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stdout
    assert call("run", "library-payments", "--by", "M. Okafor", "-C", campus).exit_code == 0
    (one,) = answer("held", "-C", campus)["held"]
    assert (one["flow"], one["started_by"]) == ("library-charges", "R. Diaz")
    assert call("approve", 1, "--reason", "mine", "--by", "R. Diaz", "-C", campus).exit_code == 1
    assert call("approve", 1, "--reason", "agreed", "--by", "M. Okafor", "-C", campus).exit_code == 0


def test_reject_needs_a_reason_and_keeps_everything_here(campus: Path) -> None:
    assert answer("run", "library-charges", "-C", campus, code=3)["held"][0].startswith("held as 1: the total")
    assert call("reject", 1, "-C", campus).exit_code == 2
    assert call("reject", 1, "--reason", " ", "-C", campus).exit_code == 1
    said = answer("reject", 1, "--reason", "wrong list", "-C", campus)
    assert said["held"]["state"] == "rejected" and said["held"]["votes"][0]["reason"] == "wrong list"
    assert call("reject", 7, "--reason", "x", "-C", campus).exit_code == 1
    assert answer("status", "-C", campus)["places"]["source"] == 15357


def test_an_approved_one_says_what_to_type(campus: Path) -> None:
    _more(campus, "[guards.library-charges]\ntotal = { approvers = 1 }\n")
    call("run", "library-charges", "-C", campus)
    said = call("approve", 1, "--reason", "agreed", "-C", campus, env={**os.environ, "LOGNAME": "imre", "NO_COLOR": "1"})
    assert said.stderr.splitlines()[-2:] == ["Decided by imre: agreed", f"Next: bursarbridge run library-charges -C {campus}"]
    assert "Approved; the next run of library-charges carries it on." in call("held", "-C", campus).stdout
    assert call("run", "library-charges", "-C", campus).exit_code == 0


def test_the_held_mail_goes_out_once_a_day(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(monkeypatch)
    os.utime(campus / "alma/out/export.xml", (NOON.timestamp(), NOON.timestamp()))
    with Mailbox() as box:
        _more(campus, MAIL.format(port=box.port))
        assert call("run", "library-charges", "-C", campus).exit_code == 3
        assert call("run", "library-charges", "-C", campus).exit_code == 3
    (mail,) = box.mails
    assert mail.recipients == ("bso@example.edu",)
    assert mail.subject.startswith("[SANDBOX] Held: Library charges, $153.57, limit $100.00 (")
