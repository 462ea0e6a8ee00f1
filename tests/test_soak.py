"""Hundreds of runs and looks in one process leave memory, handles and threads as they were (P25)."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

KIB_MAX = 4 * 1024
OBJECTS_A_TURN = 2
"""A run makes many thousands of objects; one that keeps a few for ever would be found here long before it fills the memory."""
HANDLES_MAX = 4
"""What a pool of connections may open late."""


def soaked(what: str, warm: int, turns: int) -> None:
    """So many turns in a process of their own, after some to get warm, leave next to nothing behind."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        words = [sys.executable, "-m", "tests.soak_child", what, f"{folder}/campus", str(warm), str(turns)]
        # One arena: how the C library spreads threads over arenas is noise here, and settles by itself.
        settings = {**os.environ, "MALLOC_ARENA_MAX": "1"}
        done = subprocess.run(words, capture_output=True, text=True, timeout=110, check=True, cwd=Path(__file__).parent.parent, env=settings)
    before, after = json.loads(done.stdout.splitlines()[-1])
    grown = {what: after[what] - before[what] for what in before}
    assert grown["kib"] < KIB_MAX and grown["objects"] < OBJECTS_A_TURN * turns, grown
    assert grown["handles"] <= HANDLES_MAX and grown["threads"] <= HANDLES_MAX, grown


@pytest.mark.parametrize(("what", "warm", "turns"), [("runs", 40, 200), ("rounds", 12, 20)])
def test_p25_hundreds_of_runs_keep_memory_and_handles_flat(what: str, warm: int, turns: int) -> None:
    """Runs of one engine, and rounds with an engine each."""
    soaked(what, warm, turns)


def test_p25_hundreds_of_looks_keep_memory_and_handles_flat() -> None:
    """Numbers and health, as they are asked for from outside."""
    soaked("looks", 40, 300)
