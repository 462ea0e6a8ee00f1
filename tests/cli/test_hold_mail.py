"""The report that follows each run of holds, over a real mailbox: once for each run, also when nothing changed, also after a death."""

from __future__ import annotations

import csv
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.examples.example import write_example
from bursarbridge.sandbox.mailbox import Mailbox
from bursarbridge.store import outbox_mail
from tests.cli.calls import answer, call
from tests.cli.test_holds import SETTINGS, office

PROGRAM = (sys.executable, "-c", "from bursarbridge.cli import main; main()")
TO = "parking@example.edu"
TIMES = '[flows.parking-holds]\nowner = "it@example.edu"\nschedule = { every = "1h" }\n'


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """A mailbox on loopback."""
    with Mailbox() as made:
        yield made


@pytest.fixture
def campus(tmp_path: Path, box: Mailbox) -> Path:
    """The example campus with a parking office; its holds are reported to two readers, with the spreadsheets in the mail."""
    write_example(tmp_path)
    mail = SETTINGS.replace("127.0.0.1:1", f"127.0.0.1:{box.port}").replace(
        f'to = ["{TO}"]', f'to = ["{TO}", "bso@example.edu"]\nattach = "csv"\n[reports.held]\nto = ["bso@example.edu", "it@example.edu"]'
    )
    file = tmp_path / "bursarbridge.toml"
    file.write_text(file.read_text() + mail)
    for folder in ("parking/out", "peoplesoft/holds", "peoplesoft/lists"):
        (tmp_path / folder).mkdir(parents=True)
    office(tmp_path, "20260801_020000", "0012345,STUDENT,PV1,NOPERMIT,2026-07-01,40.00", "0012346,STUDENT,PV2,METER,2026-07-02,15.00")
    return tmp_path


def holds(box: Mailbox, reader: str = TO) -> list[str]:
    """The subjects of a reader's reports about holds, without the day."""
    found = [one.subject.partition(" (")[0].removeprefix("[SANDBOX] ") for one in box.mails if one.recipients == (reader,)]
    return [subject for subject in found if subject.startswith("Holds")]


def test_each_run_is_reported_once_to_each_reader_also_when_nothing_changed(campus: Path, box: Mailbox) -> None:
    ran = answer("run", "parking-holds", "-C", campus)
    assert (ran["flow"], ran["holds"]["added"]) == ("parking-holds", 2)
    answer("run", "parking-holds", "-C", campus)
    office(campus, "20260802_020000", "0012345,STUDENT,PV1,NOPERMIT,2026-07-01,25.00")
    answer("run", "parking-holds-full", "-C", campus)
    subjects = ["Holds: 2 added, 0 released, 0 stuck", "Holds: 0 added, 0 released, 0 stuck", "Holds: 0 added, 1 changed, 1 released, 0 stuck"]
    assert holds(box) == subjects == holds(box, "bso@example.edu")
    first = box.mails[0]
    sheets = {name: list(csv.DictReader(StringIO(content.decode("utf-8-sig")))) for name, content in first.sheets.items()}
    assert [(name.rpartition("_")[0][:-11], len(rows)) for name, rows in sheets.items()] == [("holds_added", 2), ("holds_released", 0)]
    assert next(iter(sheets.values()))[0]["run_id"] == ran["run"]
    assert "0012345" in first.part("plain") and first.part("plain").startswith("2 holds added, 0 released.")
    call("run", "library-charges", "-C", campus)
    assert len(holds(box)) == 3, "another flow's run repeats nothing"


def test_sync_reports_what_it_ran_and_the_relay_may_be_away(campus: Path, box: Mailbox) -> None:
    with (campus / "bursarbridge.toml").open("a") as file:
        file.write(TIMES)
    now = [datetime(2026, 8, 3, 12, 0, tzinfo=UTC)]
    bridge = wiring.build(config.load(campus / "bursarbridge.toml"), clock=lambda: now[0], wait=lambda _seconds: None)
    try:
        assert bridge.sync()["ran"] == [], "the timetable begins now"
        for later in (1, 2):
            now[0] += timedelta(hours=1)
            assert [(one["flow"], one["outcome"]) for one in bridge.sync()["ran"]] == [
                ("parking-holds", "completed" if later == 1 else "nothing_to_do")
            ]
        assert holds(box) == ["Holds: 2 added, 0 released, 0 stuck", "Holds: 0 added, 0 released, 0 stuck"]
        box.moods.later = 99
        now[0] += timedelta(hours=1)
        assert len(bridge.sync()["ran"]) == 1, "mail never stops holds"
        with bridge.books() as books:
            assert [one.state for one in outbox_mail.waiting(books) if one.report == "holds"] == ["queued", "queued"]
    finally:
        bridge.close()
        logging.getLogger("dbos").handlers.clear()


def test_a_held_plan_is_told_once_to_each_reader(campus: Path, box: Mailbox) -> None:
    rows = [f"00{number},STUDENT,PV{number},METER,2026-07-01,15.00" for number in range(20000, 20020)]
    office(campus, "20260801_030000", *rows)
    answer("run", "parking-holds", "-C", campus)
    office(campus, "20260802_020000", rows[-1])
    answer("run", "parking-holds", "-C", campus, code=3)
    assert holds(box)[1:] == ["Holds: 0 added, 0 released, 0 stuck, 19 held for a person"]
    text = next(one.part("plain") for one in box.mails if "held for a person" in one.subject)
    assert "Nothing was sent, and every hold stands as it was." in text and "bursarbridge approve 1" in text and "19 released" in text
    told = [one.recipients[0] for one in box.mails if "Held:" in one.subject]
    assert told == ["it@example.edu"], "who is told by the report is not told a second time"
    for name in ("R. Diaz", "I. Nagy"):
        call("approve", 1, "--reason", "amnesty", "--by", name, "-C", campus)
    answer("run", "parking-holds", "-C", campus)
    assert holds(box)[2:] == ["Holds: 0 added, 19 released, 0 stuck"]


def test_the_report_of_any_run_on_the_command_line(campus: Path, tmp_path: Path) -> None:
    assert "parking-holds has not run yet" in call("report", "holds", "-C", campus).stderr
    first = answer("run", "parking-holds", "-C", campus)["run"]
    answer("run", "parking-holds", "-C", campus)
    assert call("report", "holds", "-C", campus).stdout.splitlines()[0] == "No hold changed; 2 holds stand."
    told = answer("report", "holds", "--run", first, "-C", campus)
    assert told["verdict"] == "2 holds added, 0 released." and told["lists"][2] == {"title": "Added or changed", "count": 2, "cents": 5500}
    assert call("report", "holds", "--run", first, "--to", tmp_path / "holds_added_x.csv", "-C", campus).exit_code == 0
    assert (tmp_path / "holds_added_x.csv").read_text("utf-8").count("\n") == 3
    assert "begin the file's name" in call("report", "holds", "--to", tmp_path / "x.csv", "-C", campus).stderr
    assert "there is no run nothing of holds" in call("report", "holds", "--run", "nothing", "-C", campus).stderr
    assert call("report", "late", "--run", first, "-C", campus).exit_code == 2
    assert answer("report", "holds", "--send", "-C", campus)["queued"] == 0
    assert answer("report", "holds", "--send", "--again", "-C", campus)["queued"] == 2


@pytest.mark.parametrize("point", ["holds.untold", "mail.queued"])
def test_a_death_between_the_run_and_its_mail_loses_and_doubles_nothing(campus: Path, box: Mailbox, point: str) -> None:
    """A real kill: after the run ended and before its report began, or while that is composed. The next command of any kind sends it, once."""
    words = [*PROGRAM, "run", "parking-holds", "-C", str(campus)]
    if point == "mail.queued":
        subprocess.run([sys.executable, "-c", DYING, str(campus)], capture_output=True, check=False)
    else:
        died = subprocess.run(words, env={**os.environ, "BURSARBRIDGE_CRASH_AT": point}, capture_output=True, check=False)
        assert died.returncode != 0, died.stdout
    assert box.mails == []
    call("run", "library-charges", "-C", campus)
    assert holds(box) == ["Holds: 2 added, 0 released, 0 stuck"]
    call("run", "library-charges", "-C", campus)
    assert len(holds(box)) == 1


DYING = """
import os, signal, sys
from bursarbridge.flows import mailing
queued = mailing._queued
def die(*words):
    queued(*words)
    os.kill(os.getpid(), signal.SIGKILL)
mailing._queued = die
sys.argv = ["bursarbridge", "run", "parking-holds", "-C", sys.argv[1]]
from bursarbridge.cli import main
main()
"""
