"""Rounds: every side once per round, in turn; ratios are taken inside a round, because the machine drifts between them."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

Figures = dict[str, float]
"""What one side of one round measured, by name and unit: wall_s, cpu_s, largest_mib, ..."""

Side = Callable[[], Figures]


def interleaved(rounds: int, warm: int, sides: Mapping[str, Side]) -> list[dict[str, Figures]]:
    """Runs the sides in turn, `warm` uncounted rounds first; every other round begins with the last side."""
    kept = []
    for number in range(warm + rounds):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        measured = {name: sides[name]() for name in order}
        if number >= warm:
            kept.append({name: measured[name] for name in sides})
            print(".", end="", flush=True)
    print(flush=True)
    return kept


def spread(values: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """The median with the least and the most."""
    form = f".{digits}f"
    return f"{statistics.median(values):{form}}{unit} ({min(values):{form}}..{max(values):{form}})"


def ratios(kept: Sequence[Mapping[str, Figures]], side: str, key: str, floor: str, floor_key: str) -> list[float]:
    """One ratio for each round."""
    return [one[side][key] / one[floor][floor_key] for one in kept]


class Report:
    """Prints results and adds each as one JSON line to a file."""

    def __init__(self, file: Path, product: str) -> None:
        self._file = file
        self._about = machine() | {"product": product}
        self.missed = 0

    def result(self, name: str, line: str, kept: Sequence[Mapping[str, Figures]], summary: Mapping[str, float]) -> None:
        """One measured case: a line for people with what it missed, and all figures of all rounds for the file."""
        missed = [f"{what} {summary[what]:.2f}, the mark is {mark}" for what, mark in _marks(name).items() if summary.get(what, 0) > mark]
        self.missed += bool(missed)
        print(f"{name}\n    {line}{''.join(f'{chr(10)}    MISSED: {words}' for words in missed)}", flush=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._file.open("a") as lines:
            lines.write(json.dumps({"at": at, "case": name, "line": line, "summary": summary, "rounds": kept, **self._about}) + "\n")


MARKS: Mapping[str, Mapping[str, float]] = {
    "charges 100k": {"ratio": 3.0, "largest_mib": 128},
    "charges": {"largest_mib": 128},
    "payments 100000 into 1m": {"ratio": 2.0, "largest_mib": 128},
    "nightly 1000000": {"ratio": 3.0, "largest_mib": 128},
    "nightly": {"largest_mib": 128},
    "memory": {"grown_mib": 32},
    "start-up --help": {"wall_s": 0.3},
    "start-up run": {"wall_s": 1.5},
}
"""What is promised, by how a case's name begins; the first that fits counts (docs/performance.md)."""


def _marks(name: str) -> Mapping[str, float]:
    return next((marks for begins, marks in MARKS.items() if name.startswith(begins) and "no bytecode" not in name), {})


def machine() -> dict[str, str | int | float]:
    """What the figures depend on; no name of the machine itself."""
    models = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": round(os.getloadavg()[0], 1),
    }


def revision(home: Path) -> str:
    """The commit of the product under measurement, marked when the package differs from it."""
    named = _git(home, "rev-parse", "--short", "HEAD") or "no git"
    return named + ("+changes" if _git(home, "status", "--porcelain", "--", "src") else "")


def _git(home: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(home), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
