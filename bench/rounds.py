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

    def result(self, name: str, line: str, kept: Sequence[Mapping[str, Figures]], summary: Mapping[str, float]) -> None:
        """One measured case: a line for people, and all figures of all rounds for the file."""
        print(f"{name:<34} {line}", flush=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._file.open("a") as lines:
            lines.write(json.dumps({"at": at, "case": name, "line": line, "summary": summary, "rounds": kept, **self._about}) + "\n")


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
