"""The synthetic files, made once by the shared generator and kept (reference performance.md, section 1)."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

SIZES = {"200": 200, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
"""Fees, by the name of the size."""


class Input(NamedTuple):
    """A generated file, and what the generator says is in it."""

    path: Path
    lines: int
    cents: int


class Inputs:
    """Generated files in a folder, by the shared generator in another."""

    def __init__(self, shared: Path, folder: Path) -> None:
        self._generator = shared / "gen.py"
        self._folder = folder

    def charges(self, size: str) -> Input:
        """An Alma export of that many fees."""
        return self._made(f"a{size}.xml", "alma", "--fees", str(SIZES[size]))

    def late_charges(self) -> Input:
        """200 fees under ids that no other input has: a normal night, for a ledger that knows the others."""
        few = self.charges("200")
        target = self._folder / "late200.xml"
        text = few.path.read_text("utf-8").replace("<xb:bursarTransactionId>1", "<xb:bursarTransactionId>9")
        target.write_text(text, "utf-8")
        return Input(target, few.lines, few.cents)

    def payments(self, payments: int, size: str, *, shuffled: bool) -> Input:
        """That many payments on the fees of an export, in its order or shuffled."""
        straight = self._made(f"pay{payments}of{size}.csv", "payments", "--payments", str(payments), "--fees", str(SIZES[size]))
        if not shuffled:
            return straight
        target = straight.path.with_name(f"shuffled-{straight.path.name}")
        heading, *rows = straight.path.read_text("utf-8").splitlines(keepends=True)
        random.Random(20260101).shuffle(rows)
        target.write_text("".join([heading, *rows]), "utf-8")
        return Input(target, straight.lines, straight.cents)

    def _made(self, name: str, kind: str, *options: str) -> Input:
        target, said = self._folder / name, self._folder / f"{name}.said"
        if not said.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            print(f"making {name}", flush=True)
            done = subprocess.run([sys.executable, str(self._generator), kind, str(target), *options], capture_output=True, text=True, check=True)
            said.write_text(done.stdout)
        numbers = re.findall(r"(?:fees|payments|cents) (\d+)", said.read_text())
        return Input(target, int(numbers[0]), int(numbers[-1]))
