"""work and serve as processes: they end when they are told to, and finish what a dead process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bursarbridge.examples.example import write_example
from tests.cli.calls import answer, call
from tests.crash import campus
from tests.servers import eventually

_PROGRAM = [sys.executable, "-c", "from bursarbridge.cli import main; main()"]


@contextmanager
def process(*words: object, crash_at: str = "") -> Iterator[subprocess.Popen[str]]:
    """The program in a process of its own; stopped at the end."""
    environment = {**os.environ, "NO_COLOR": "1", **({"BURSARBRIDGE_CRASH_AT": crash_at} if crash_at else {})}
    running = subprocess.Popen([*_PROGRAM, *map(str, words)], stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


def _stopped(running: subprocess.Popen[str]) -> str:
    """Ends it as systemd does; what it said."""
    running.send_signal(signal.SIGTERM)
    _out, said = running.communicate(timeout=30)
    assert running.returncode == 0, said
    return said


def _until(running: subprocess.Popen[str], words: str) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        if words in line:
            return
    pytest.fail(f"it never said {words}")


def test_work_on_sqlite_ends_when_it_is_told_to_and_lets_commands_through(tmp_path: Path) -> None:
    folder = tmp_path / "campus"
    write_example(folder)
    (folder / "alma/out/export.xml").write_bytes((folder / "samples/alma-export.xml").read_bytes())
    with process("run", "library-charges", "-C", folder, crash_at="submit.sealed") as dying:
        assert dying.wait(60) == -signal.SIGKILL
    with process("work", "-C", folder) as worker:
        assert eventually(lambda: any((folder / "peoplesoft/in").glob("LIB_CHG*")), 60), "what the dead one left is finished"
        assert eventually(lambda: answer("status", "-C", folder)["runs"][0]["outcome"] == "completed", 20)
        assert eventually(lambda: call("run", "library-charges", "-C", folder).exit_code == 0, 20), "between two looks a command finds its turn"
        assert "stopped" in _stopped(worker)
    shown = answer("workers", "-C", folder)
    assert shown["at_work"] == [] and shown["runs"][0]["flow"] == "library-charges" and not shown["runs"][0]["slot"]
    assert "one process at a time" in call("workers", "-C", folder).stdout


def test_two_workers_on_postgresql_finish_what_a_dead_command_began_and_a_command_works_beside_them(tmp_path: Path, pg_address: str) -> None:
    folder = campus.found(tmp_path / "campus", pg_address)
    answer("status", "-C", folder)
    with process("work", "-C", folder) as first, process("work", "-C", folder) as second:
        _until(first, "at work as slot-")
        _until(second, "at work as slot-")
        campus.charges_wait(folder)
        with process("run", "library-charges", "-C", folder, crash_at="submit.sealed") as dying:
            assert dying.wait(60) == -signal.SIGKILL
        assert eventually(lambda: any((folder / "peoplesoft/in").glob("LIB_CHG*")), 60)
        assert eventually(lambda: answer("status", "-C", folder)["runs"][0]["outcome"] == "completed_with_exceptions", 20)
        assert answer("run", "library-payments", "-C", folder)["outcome"] == "nothing_to_do"
        shown = answer("workers", "-C", folder)
        assert {one["pid"] for one in shown["at_work"]} == {first.pid, second.pid}
        finished = next(one for one in shown["runs"] if one["flow"] == "library-charges")
        assert finished["slot"] in {one["slot"] for one in shown["at_work"]}, "one of the two ended it"
        assert "goes on with library-charges-" in _stopped(first) + _stopped(second)
