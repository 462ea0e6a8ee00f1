"""Campuses to measure on: the example campus, with waiting switched off, and copies of a prepared ledger."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from bench.measure import Spent, whole

LAYOUTS = Path(__file__).parent / "layouts"
SOURCE = Path(__file__).resolve().parent.parent / "src"
SQLITE = "sqlite:data/bursarbridge.db"


class Sum(TypedDict):
    """A count of records and their cents."""

    count: int
    cents: int


class Sent(TypedDict):
    """A document that left."""

    name: str
    sha256: str
    count: int
    cents: int
    proof: str


class Summary(TypedDict):
    """What `run --json` prints, as far as it is compared here."""

    outcome: str
    read: Sum
    sent: Sum
    already: Sum
    conflicts: Sum
    suspended: Sum
    files: list[Sent]


class Status(TypedDict):
    """What `status --json` prints, as far as it is compared here."""

    places: dict[str, int]
    unexplained_cents: int


@dataclass(frozen=True)
class Product:
    """The command under measurement, and what its process is given."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def spent(self, *words: str, fine: frozenset[int] = frozenset({0})) -> Spent:
        """One whole command."""
        return whole((*self.command, *words), self.environment, fine)


def product(work: Path, *, compiled: bool = True) -> Product:
    """The installed command. `compiled`: with bytecode kept between runs, as after an ordinary installation (here in a folder of
    the bench's own, so that the checkout stays clean); otherwise with bytecode neither read nor kept for the package."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(SOURCE)  # this checkout's, whichever one the environment has installed
    if compiled:
        environment["PYTHONPYCACHEPREFIX"] = str(work / "bytecode")
    else:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return Product((str(Path(sys.executable).parent / "bursarbridge"),), environment)


@dataclass(frozen=True)
class Campus:
    """One campus folder and the command that works on it."""

    home: Path
    product: Product
    database: str = SQLITE

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.home / "bursarbridge.toml"

    def run(self, flow: str) -> tuple[Spent, Summary]:
        """One run of a flow by the ordinary command; exit code 4 is a run with exceptions."""
        spent = self.product.spent("run", flow, "--config", str(self.config), "--json", fine=frozenset({0, 4}))
        return spent, cast(Summary, json.loads(spent.said))

    def status(self) -> Status:
        """The places and what is unexplained, by the ordinary command."""
        return cast(Status, json.loads(self.product.spent("status", "--config", str(self.config), "--json").said))

    def drop(self, file: Path, folder: str, name: str) -> None:
        """Lets a file arrive; a second name for the same bytes where the disk allows it, so that nothing is copied beforehand."""
        target = self.home / folder / name
        try:
            os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)

    def remove(self) -> None:
        """Takes the campus away."""
        shutil.rmtree(self.home, ignore_errors=True)


def fresh(home: Path, product: Product, database: str = SQLITE) -> Campus:
    """The example campus, empty: folders instead of hosts, the bench's payment layout, the library's own fee ids as references."""
    from bursarbridge.examples.example import write_example

    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    write_example(home)
    shutil.copytree(LAYOUTS, home / "layouts")
    campus = Campus(home, product, database)
    _change(
        campus.config,
        {
            f'database = "{SQLITE}"': f'database = "{database}"',
            'layout = "asu-payments"': 'layout = "file:layouts/bench-payments.toml"',
            'match = "reference"': 'match = "source_reference"',
            # A million fees at once are what a guard is for; here nobody is to be asked.
            "[storage]": '[guards.standard]\ntotal = { action = "off" }\nvolume = { action = "off" }\n\n[storage]',
        },
    )
    return campus


def copied(home: Path, base: Campus, database: str = SQLITE) -> Campus:
    """A copy of a prepared campus with its ledger; a PostgreSQL ledger is copied by the caller, and named here."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(base.home, home)
    campus = Campus(home, base.product, database)
    # by pattern: a kept PostgreSQL base was written down under the port of another start of the server
    text, found = re.subn(r'^database = "[^"]*"', f'database = "{database}"', campus.config.read_text("utf-8"), flags=re.MULTILINE)
    assert found == 1, f"{campus.config} names {found} databases"
    campus.config.write_text(text, "utf-8")
    return campus


def _change(config: Path, changes: Mapping[str, str]) -> None:
    text = config.read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"the example settings have {text.count(old)} of: {old}"
        text = text.replace(old, new)
    config.write_text(text, "utf-8")
