"""A campus that is kept as people type it: charges go out, and what the bursar's office then has of us."""

from pathlib import Path

from tests.campus_files import TAM, Fee, export_bytes
from tests.cli.calls import answer

DAY_1 = (Fee("11", 8500), Fee("12", 82, TAM))
DAY_2 = (Fee("21", 500), Fee("22", 500), Fee("23", 700, TAM))


def charged(folder: Path, name: str, *fees: Fee) -> None:
    """An export arrives, and charges go out."""
    (folder / f"alma/out/{name}.xml").write_bytes(export_bytes(fees))
    answer("run", "library-charges", "-C", folder)


def documents(folder: Path) -> dict[str, bytes]:
    """What the bursar's office has of us."""
    return {path.name: path.read_bytes() for path in (folder / "peoplesoft/in").glob("*.dat")}
