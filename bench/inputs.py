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
HOLD_CENTS = 50_000
"""A balance of so much is a hold; the generator's own default, and the floor's."""


class Input(NamedTuple):
    """A generated file, and what the generator says is in it."""

    path: Path
    lines: int
    cents: int


class Owed(NamedTuple):
    """So many people, and the cents they owe; of people who were released, what they owed before."""

    people: int
    cents: int


class Night(NamedTuple):
    """Two nights' lists of balances, and what the second says of the first."""

    before: Path
    after: Path
    accounts: int
    cents: int
    """Owed in the second."""
    added: Owed
    released: Owed


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

    def balances(self, accounts: int) -> Night:
        """Balances of that many people on two nights; one in fifty moves over the limit of 500.00, or to exactly 0.00 from above it.

        The generator's second list has any amount below the limit where somebody comes from above it. A hold goes at 0.00 only,
        so here it is 0.00: what is released is then the same people for the floor, which knows only the limit.
        """
        before, after = (self._folder / f"balances{accounts}{night}.csv" for night in ("before", "after"))
        said = self._folder / f"balances{accounts}.said"
        if not said.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            print(f"making balances of {accounts}", flush=True)
            raw = after.with_suffix(".raw")
            command = [sys.executable, str(self._generator), "balances", str(before), str(raw), "--accounts", str(accounts)]
            subprocess.run(command, capture_output=True, check=True)
            said.write_text(" ".join(map(str, _paid_off(before, raw, after))))
            raw.unlink()
        cents, added, added_cents, released, released_cents = map(int, said.read_text().split())
        return Night(before, after, accounts, cents, Owed(added, added_cents), Owed(released, released_cents))

    def _made(self, name: str, kind: str, *options: str) -> Input:
        target, said = self._folder / name, self._folder / f"{name}.said"
        if not said.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            print(f"making {name}", flush=True)
            done = subprocess.run([sys.executable, str(self._generator), kind, str(target), *options], capture_output=True, text=True, check=True)
            said.write_text(done.stdout)
        numbers = re.findall(r"(?:fees|payments|cents) (\d+)", said.read_text())
        return Input(target, int(numbers[0]), int(numbers[-1]))


def _paid_off(before: Path, raw: Path, after: Path) -> tuple[int, int, int, int, int]:
    """Writes the second list; returns its cents, and people and cents of those who come over the limit and who go."""
    total = added = added_cents = released = released_cents = 0
    with before.open(encoding="utf-8", newline="") as then, raw.open(encoding="utf-8", newline="") as now, after.open("w", newline="") as target:
        target.write(now.readline())
        then.readline()
        for old, new in zip(then, now, strict=True):
            cents, line = _owed(new), new
            if new != old and cents < HOLD_CENTS:
                line, cents = re.sub(r"[0-9]+\.[0-9]{2},USD,([-0-9]+),[0-9]+\n", r"0.00,USD,\1,0\n", new), 0
                released, released_cents = released + 1, released_cents + _owed(old)
            elif new != old:
                added, added_cents = added + 1, added_cents + cents
            total += cents
            target.write(line)
    return total, added, added_cents, released, released_cents


def _owed(row: str) -> int:
    return int(row.rsplit(",", 4)[1].replace(".", ""))
