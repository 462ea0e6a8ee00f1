"""The log: what is told of runs, in which form, and that a log which cannot be written stops nothing (P25, R14)."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bursarbridge.errors import Refused, TryLater
from bursarbridge.flows.run import Steps
from bursarbridge.wiring.log import EVENTS, FIELDS, LineLog
from bursarbridge.wiring.watch import TimedSteps, Watch
from tests.campus import campus_in_memory
from tests.campus_files import Fee
from tests.test_tidy import MODULES, ROOT
from tests.watched import Watched, watched

NOW = datetime(2026, 8, 3, 2, 0, 0, 5_000, UTC)


@pytest.fixture
def site() -> Iterator[Watched]:
    with campus_in_memory() as campus:
        yield watched(campus)


def test_a_run_tells_its_beginning_its_files_and_its_end(site: Watched) -> None:
    site.campus.export(Fee("1", 500), Fee("2", 700))
    site.run("library-charges")
    begun, read, sent, ended = site.events()
    assert [one["event"] for one in (begun, read, sent, ended)] == ["run_begun", "delivery_read", "document_sent", "run_ended"]
    assert {one["run"] for one in site.events()} == {ended["run"]} and {one["flow"] for one in site.events()} == {"library-charges"}
    assert (read["channel"], read["records"], read["cents"], read["suspended"], len(read["sha256"])) == ("library-export", 2, 1200, 0, 12)
    assert (sent["lines"], sent["cents"], sent["proof"]) == (2, 1200, "read_back")
    assert (ended["outcome"], ended["records"], ended["sent"], ended["level"]) == ("completed", 2, 2, "info") and ended["took_ms"] >= 0


def test_repeats_and_refused_files_are_told_without_their_names(site: Watched) -> None:
    fees = (Fee("1", 500),)
    site.campus.export(*fees, name="first.xml")
    site.run("library-charges")
    site.campus.export(*fees, name="second.xml")
    site.campus.put("alma/out", "broken.xml", b"<exported")
    site.run("library-charges")
    assert [one["level"] for one in site.named("delivery_refused")] == ["warning"]
    assert len(site.named("delivery_repeated")) == 1
    assert not re.search(r"first|second|broken|\.xml", site.log_file.read_text())


def test_a_failed_run_tells_its_kind_and_place_and_no_words(site: Watched) -> None:
    site.campus.export(Fee("1", 500))
    site.run("library-charges")
    with site.campus.ledger.begin() as connection:
        connection.exec_driver_sql("update source set prefix = 'Q'")
    with pytest.raises(Refused, match="prefix"):
        site.run("library-charges")
    (failed,) = site.named("run_failed")
    assert (failed["level"], failed["error"]) == ("error", "Refused") and re.fullmatch(r"store/runs\.py:\d+", failed["place"])
    assert "prefix" not in site.log_file.read_text()


def test_a_preview_tells_nothing(site: Watched) -> None:
    site.campus.export(Fee("1", 500))
    site.bridge.preview("library-charges")
    assert not site.log_file.exists()


def test_the_end_of_a_run_is_when_it_ended(site: Watched) -> None:
    whole = site.bridge._procedure

    def slow(flow: str) -> object:
        def procedure(steps: Steps, name: str, now: str) -> object:
            done = whole(flow)(steps, name, now)
            site.campus.later(seconds=90)
            return done

        return procedure

    site.bridge._procedure = slow  # type: ignore[method-assign,assignment]
    site.run("library-charges")
    with site.campus.ledger.connect() as connection:
        ((begun, ended),) = connection.exec_driver_sql("select started_at, ended_at from run").all()
    assert datetime.fromisoformat(ended) - datetime.fromisoformat(begun) == timedelta(seconds=90)


def test_a_slow_step_is_told_by_its_kind_only() -> None:
    told: list[tuple[str, dict[str, str | int]]] = []
    ticks = iter(range(0, 1000, 40))

    class Plain:
        def act(self, _name: str, deed: Callable[[], int]) -> int:
            return deed()

        def post(self, _name: str, deed: Callable[[None], int]) -> int:
            return deed(None)

    watch = Watch(lambda event, /, **fields: told.append((event, fields)), None, 30_000, lambda: next(ticks))
    steps = TimedSteps(Plain(), watch, "library-charges", "run-1")  # type: ignore[arg-type]
    steps.act("library-export: keep wren smith 0012345.xml", lambda: 1)
    steps.act("upload LIB_CHG_1.dat", lambda: 1)
    steps.post("open questions", lambda _connection: 1)
    with pytest.raises(TryLater):
        steps.act("library-export: look", _fails)
    assert [fields["step"] for _event, fields in told] == ["library-export: keep", "upload", "open", "library-export: look"]
    assert {event for event, _fields in told} == {"step_slow"} and {fields["took_ms"] for _event, fields in told} == {40_000}


def _fails() -> int:
    raise TryLater("now")


def test_an_event_is_one_line_whatever_its_values_hold(tmp_path: Path) -> None:
    nasty = "a\nb\r\x1b[31m\u2028c\x00\"'\\ =d"
    for form in ("json", "text"):
        file = tmp_path / form
        log = LineLog(file, form, "info", lambda: NOW)
        log("run_begun", flow=nasty, run="x" * 500)
        log("run_ended", flow="library-charges", records=2)
        first, second = file.read_bytes().split(b"\n")[:2]
        assert file.read_bytes().count(b"\n") == 2 and all(32 <= byte < 127 for byte in first + second)
        assert b"x" * 120 in first and b"x" * 121 not in first
    assert json.loads((tmp_path / "json").read_text().splitlines()[0])["flow"] == nasty
    assert (tmp_path / "text").read_text().splitlines()[1] == "2026-08-03T02:00:00.005Z info run_ended flow=library-charges records=2"


def test_r14_only_fields_of_the_list_are_written(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "log", "json", "info", lambda: NOW)
    log("run_begun", flow="library-charges", account="0012345", words="Wren owes 5.00", name="x.xml")
    assert set(json.loads((tmp_path / "log").read_text())) == {"at", "level", "event", "flow"}


def test_a_level_leaves_out_what_is_below_it(tmp_path: Path) -> None:
    for least, expected in (("info", 3), ("warning", 2), ("error", 1)):
        file = tmp_path / least
        log = LineLog(file, "json", least, lambda: NOW)
        for event in ("run_begun", "step_slow", "run_failed"):
            log(event)
        assert len(file.read_text().splitlines()) == expected


def test_a_log_may_be_renamed_under_us(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "log", "json", "info", lambda: NOW)
    log("run_begun")
    (tmp_path / "log").rename(tmp_path / "log.1")
    log("run_ended")
    assert "run_begun" in (tmp_path / "log.1").read_text() and "run_ended" in (tmp_path / "log").read_text()


def test_p25_a_full_log_disk_changes_no_run() -> None:
    with campus_in_memory() as campus:
        site = watched(campus, log_file=Path("/dev/full"))
        campus.export(Fee("1", 500))
        assert site.run("library-charges")["outcome"] == "completed"
        log = site.bridge.watch.log
        assert isinstance(log, LineLog) and log.lost == 4
        assert campus.places() == {"in_transit": 500} and campus.unexplained() == 0


def test_p25_lost_lines_are_told_when_the_log_can_be_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    log = LineLog(folder / "log", "json", "info", lambda: NOW)
    log("run_begun")
    log("run_ended")
    folder.mkdir()
    log("run_begun")
    log("run_ended")
    assert [json.loads(line).get("lost") for line in (folder / "log").read_text().splitlines()] == [2, None] and log.lost == 2


def test_p25_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LineLog(tmp_path / "log", "json", "info", lambda: NOW)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: whole(descriptor, content[:20]))
    log("run_begun")
    monkeypatch.setattr(os, "write", whole)
    log("run_ended")
    cut, line = (tmp_path / "log").read_text().splitlines()
    assert len(cut) == 20 and json.loads(line)["lost"] == 1


_TELLS = """
from datetime import UTC, datetime
from bursarbridge.wiring.log import LineLog
log = LineLog(None, "json", "info", lambda: datetime.now(UTC))
for _turn in range(3000):
    log("run_begun", run="x" * 100)
print(log.lost)
"""


def test_p25_a_log_that_nobody_reads_holds_up_nothing() -> None:
    """Standard error is a pipe that is full, then one that nobody has open."""
    unread, full = os.pipe()
    try:
        done = subprocess.run([sys.executable, "-c", _TELLS], stdout=subprocess.PIPE, stderr=full, timeout=30, check=True)
        assert int(done.stdout) > 1000
    finally:
        os.close(unread)
    done = subprocess.run([sys.executable, "-c", _TELLS], stdout=subprocess.PIPE, stderr=full, timeout=30, check=True)
    os.close(full)
    assert int(done.stdout) == 3000


def _told() -> dict[str, set[str]]:
    """Every event that the source writes, with the names of its fields."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "log" and node.args:
                first = node.args[0]
                named = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                words = [one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                for word in words:
                    found.setdefault(word, set()).update(keyword.arg for keyword in node.keywords if keyword.arg)
    return found


def test_every_event_is_in_the_table_and_on_the_page() -> None:
    told = set(_told()) | {"delivery_read", "delivery_repeated", "delivery_refused"}
    assert told == set(EVENTS)
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8").partition("## The log")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE)) == EVENTS


def test_every_field_that_is_written_is_in_the_list() -> None:
    assert set().union(*_told().values()) - FIELDS == set()
