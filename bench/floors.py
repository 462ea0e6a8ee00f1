"""The floors, each a process of its own that prints what its parts took; `sum=` is what a ratio is taken to."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from bench.inputs import HOLD_CENTS, Input, Night
from bench.rounds import Figures
from bench.server import Server

_ROOT = Path(__file__).parent.parent


class SqliteFloors:
    """jobs.py of the shared bench, in a folder of its own."""

    def __init__(self, shared: Path, folder: Path) -> None:
        self._jobs = shared / "jobs.py"
        self._folder = folder

    def charges(self, given: Input) -> Figures:
        """Fees into a new ledger."""
        return self._job("alma", given, self._ledger(), "floor")

    def payments(self, given: Input, billed: Input) -> Figures:
        """Payments, in charge order, into a ledger of `billed`, the open amount updated in place."""
        base = self._folder / f"base-{billed.path.stem}.db"
        if not base.exists():
            unfinished = base.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            self._job("alma", billed, unfinished, "ref")
            with sqlite3.connect(unfinished) as ledger:
                ledger.execute("pragma wal_checkpoint(truncate)")
            ledger.close()
            unfinished.rename(base)
        ledger_file = self._ledger()
        shutil.copyfile(base, ledger_file)
        return self._job("payments", given, ledger_file, "floor")

    def nightly(self, given: Night) -> Figures:
        """The second night's list against the holds of the first, two files."""
        base = self._folder / f"base-{given.before.stem}.db"
        if not base.exists():
            unfinished = base.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, str(self._jobs), "holdinit", str(given.before), str(unfinished)], check=True, capture_output=True)
            unfinished.rename(base)
        ledger_file = self._ledger()
        shutil.copyfile(base, ledger_file)
        return self._job("nightly", _told(given), ledger_file, "floor")

    def _ledger(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.glob("floor.db*"):
            left.unlink()
        return self._folder / "floor.db"

    def _job(self, job: str, given: Input, ledger: Path, mode: str) -> Figures:
        return _said([sys.executable, str(self._jobs), job, str(given.path), str(ledger), str(self._folder), mode], given)


class PostgresFloors:
    """bench.pgfloor on a private server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder

    def charges(self, given: Input) -> Figures:
        """Fees into a new ledger."""
        return self._floor("charges", given, self._server.create("floor"))

    def payments(self, given: Input, billed: Input) -> Figures:
        """Payments, in charge order, into a ledger of `billed`, the open amount updated in place."""
        base = f"floor_base_{billed.path.stem}"
        if not self._server.has(base):
            self._floor("charges", billed, self._server.create("floor_unfinished"))
            self._server.settle("floor_unfinished")
            self._server.create(base, "floor_unfinished")
        return self._floor("payments", given, self._server.create("floor", base))

    def nightly(self, given: Night) -> Figures:
        """The second night's list against the holds of the first, two files."""
        base = f"floor_base_{given.before.stem}"
        if not self._server.has(base):
            self._floor("holds", Input(given.before, *_standing(given.before)), self._server.create("floor_unfinished"))
            self._server.settle("floor_unfinished")
            self._server.create(base, "floor_unfinished")
        return self._floor("nightly", _told(given), self._server.create("floor", base))

    def _floor(self, job: str, given: Input, address: str) -> Figures:
        self._folder.mkdir(parents=True, exist_ok=True)
        return _said([sys.executable, "-m", "bench.pgfloor", job, str(given.path), address, str(self._folder)], given)


Floors = SqliteFloors | PostgresFloors


def _told(given: Night) -> Input:
    """The floors count the first of the two files."""
    return Input(given.after, *given.added)


def _standing(list_file: Path) -> tuple[int, int]:
    """How many of a list are held, and the cents."""
    with list_file.open(encoding="utf-8", newline="") as lines:
        lines.readline()
        owed = [cents for line in lines if (cents := int(line.rsplit(",", 4)[1].replace(".", ""))) >= HOLD_CENTS]
    return len(owed), sum(owed)


def _said(command: list[str], given: Input) -> Figures:
    os.sync()
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_ROOT)
    assert said.returncode == 0, f"{' '.join(command)}\n{said.stderr}"
    figures = {f"{name}_s": float(value) for name, value in re.findall(r"(\w+)=(\d+\.\d+)", said.stdout)}
    assert f"n={given.lines} cents={given.cents}" in said.stdout, said.stdout
    return figures
