"""A campus that is kept as people type it: charges go out, and what the bursar's office then has of us."""

from pathlib import Path

import pytest

from tests.campus_files import TAM, Fee, export_bytes
from tests.cli.calls import answer, call
from tests.crash.campus import settle

DAY_1 = (Fee("11", 8500), Fee("12", 82, TAM))
DAY_2 = (Fee("21", 500), Fee("22", 500), Fee("23", 700, TAM))


def begun(folder: Path, request: pytest.FixtureRequest) -> Path:
    """An example campus on the database of a fixture's parameter, after its first charges."""
    assert call("init", "--example", folder).exit_code == 0
    if request.param == "postgresql":
        settle(folder, str(request.getfixturevalue("pg_address")))
    charged(folder, "day-1", *DAY_1)
    return folder


def charged(folder: Path, name: str, *fees: Fee) -> None:
    """An export arrives, and charges go out."""
    (folder / f"alma/out/{name}.xml").write_bytes(export_bytes(fees))
    answer("run", "library-charges", "-C", folder)


def documents(folder: Path) -> dict[str, bytes]:
    """What the bursar's office has of us."""
    return {path.name: path.read_bytes() for path in (folder / "peoplesoft/in").glob("*.dat")}
