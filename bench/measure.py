"""One whole command, measured: wall time, processor time, and the memory of every process it starts."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

_LOOK_SECONDS = 0.05


class Spent(NamedTuple):
    """What a command cost. MiB are peaks of resident memory: of the largest process, and of all its processes added up."""

    wall: float
    cpu: float
    largest_mib: float
    sum_mib: float
    processes: int
    said: str


class Failed(Exception):
    """The command did not end well; its messages are in the words."""


def whole(command: Sequence[str], environment: Mapping[str, str], fine: frozenset[int] = frozenset({0})) -> Spent:
    """Runs a command to its end and returns what it cost and said on stdout. Raises Failed on any other exit code than `fine`.

    The largest process is the kernel's own figure for the command and all it waited for (wait4); it cannot read below the
    size of this process when the command began, so this process loads nothing heavy. The sum adds the high-water marks
    of the processes seen alive, looked at every 50 ms, so a child that lives shorter is not in it, and one caught
    between fork and exec counts its parent's pages a second time.
    """
    os.sync()
    with TemporaryFile() as said, TemporaryFile() as complaints:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=complaints, env=dict(environment))
        tree = _Tree(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        marks = tree.end()
        said.seek(0)
        complaints.seek(0)
        text = said.read().decode()
        if process.returncode not in fine:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}\n{complaints.read().decode()[-3000:]}\n{text[-1000:]}")
    largest = used.ru_maxrss / 1024
    rest = sum(marks.values()) - marks.get(process.pid, 0)
    return Spent(wall, used.ru_utime + used.ru_stime, largest, max(largest, marks.get(process.pid, 0)) + rest, max(1, len(marks)), text)


class _Tree:
    """Watches a process and its descendants from a thread: the most memory each ever held, in MiB."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._marks: dict[int, float] = {}
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def end(self) -> dict[int, float]:
        """Stops watching; returns the marks by process id."""
        self._ended.set()
        self._watcher.join()
        return self._marks

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self._look(self._root)

    def _look(self, process: int) -> None:
        home = Path(f"/proc/{process}")
        try:
            lines = (home / "status").read_text().splitlines()
            children = [int(child) for task in (home / "task").iterdir() for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return
        for line in lines:
            if line.startswith("VmHWM:"):
                self._marks[process] = max(self._marks.get(process, 0), int(line.split()[1]) / 1024)
        for child in children:
            self._look(child)
