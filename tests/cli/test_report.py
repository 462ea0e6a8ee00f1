"""report and the mail in status, as a shell sees them, over a real mailbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bursarbridge.examples.example import write_example
from bursarbridge.sandbox.mailbox import Mailbox
from tests.cli.calls import answer, call, stand_still

SETTINGS = """
[mail]
relay = "127.0.0.1:{port}"
tls = "none"
from = "Campus Bridge <bridge@example.edu>"
allowed_domains = ["example.edu"]
[reports.late]
to = ["bso@example.edu", "lead@example.edu"]
[reports.exceptions]
to = ["lead@example.edu"]
attach = "csv"
"""


@pytest.fixture
def campus(tmp_path: Path) -> Path:
    write_example(tmp_path)
    (tmp_path / "alma/out/export.xml").write_bytes((tmp_path / "samples/alma-export.xml").read_bytes())
    return tmp_path


@contextmanager
def mailbox(campus: Path) -> Iterator[Mailbox]:
    with Mailbox() as box:
        with (campus / "bursarbridge.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(port=box.port))
        yield box


def test_a_report_on_the_screen_in_a_file_and_as_a_sheet(campus: Path, tmp_path: Path) -> None:
    assert call("report", "late", "-C", campus).stdout.splitlines()[0] == "Nothing is late."
    told = answer("report", "exceptions", "-C", campus)
    assert (told["verdict"], told["subject"][:24]) == ("Nothing waits for a person.", "[SANDBOX] Exceptions: no")
    for kind, begin in (("html", "<!DOCTYPE html>"), ("txt", "Nothing is late."), ("csv", "\ufefffile,to,kind")):
        file = tmp_path / f"late.{kind}"
        assert answer("report", "late", "--to", file, "-C", campus)["file"] == str(file)
        assert file.read_text("utf-8").startswith(begin) and file.stat().st_mode & 0o077 == 0
    assert call("report", "late", "--to", tmp_path / "late.csv", "-C", campus).exit_code == 1, "a file is never written over"


def test_wrong_usage_says_what_is_right(campus: Path) -> None:
    for words in (["lates"], ["late", "--to", "late.pdf"], ["late", "--again"], ["late", "--send", "--library", "ARC"]):
        assert call("report", *words, "-C", campus).exit_code == 2
    assert "nobody gets the report late: add [mail]" in call("report", "late", "--send", "-C", campus).stderr
    assert "nobody knows what came back" in call("report", "returned-but-still-charged", "-C", campus).stderr


def test_a_report_is_mailed_once_a_day_with_a_table_of_its_own(campus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(monkeypatch)
    with mailbox(campus) as box:
        assert answer("report", "exceptions", "--send", "-C", campus)["sent"] == 1
        assert "was mailed today already" in call("report", "exceptions", "--send", "-C", campus).stdout
        assert answer("report", "exceptions", "--send", "--again", "-C", campus)["sent"] == 1
    assert [one.recipients for one in box.mails] == [("lead@example.edu",)] * 2
    assert box.mails[0].subject.startswith("[SANDBOX] Exceptions: none (")
    assert box.mails[0].message["Message-ID"] != box.mails[1].message["Message-ID"]
    (name, content), *_ = box.mails[0].sheets.items()
    assert name.startswith("exceptions_") and name.endswith("_v1.csv") and content.startswith(b"\xef\xbb\xbfitem,cause")


def test_t25_what_has_not_arrived_is_in_status_and_leaves_with_the_next_run(campus: Path) -> None:
    with mailbox(campus) as box:
        box.moods.refused, box.moods.later = {"bso@example.edu"}, 0
        assert call("report", "late", "--send", "-C", campus).exit_code == 4
    stopped = answer("report", "exceptions", "--send", "-C", campus, code=5)
    assert (stopped["queued"], stopped["later"], len(stopped["waiting"])) == (1, 1, 2)
    said = call("status", "-C", campus).stdout
    assert "Mail that has not arrived" in said and "NOT SENT: [SANDBOX] Late" in said and "waits: [SANDBOX] Exceptions" in said
    assert [one["state"] for one in answer("status", "-C", campus)["mail"]] == ["failed", "queued"]
    assert answer("run", "library-charges", "-C", campus)["outcome"] == "completed", "mail never stops money"
