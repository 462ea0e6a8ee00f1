"""docs/failures.md is true: every test it names exists, and every row that is asked for is there with a test that has its id in its name."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
WANTED = [f"T{number:02}" for number in (*range(1, 9), 11, *range(15, 21), 22, 23)] + [
    f"D{number:02}" for number in (*range(1, 22), *range(24, 28), 29, 31, 33, *range(35, 40))
]

RUNNING = [f"P{number:02}" for number in (*range(1, 7), *range(17, 27))] + ["T12", "T13", "T14"]
"""What issue 5 asks for: the process itself, its databases, and clocks."""


def _rows() -> dict[str, str]:
    text = (ROOT / "docs/failures.md").read_text("utf-8")
    return {match[1]: match[2] for match in re.finditer(r"^\| ([TDPHI]\d\d?) \| (.*) \|$", text, re.MULTILINE)}


def test_every_named_test_exists() -> None:
    there = {name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"^ *def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)}
    named = {name for row in _rows().values() for name in re.findall(r"`(test_\w+)`", row)}
    assert named - there == set()


def test_every_row_is_there_and_has_a_test() -> None:
    rows = _rows()
    assert [name for name in WANTED + RUNNING if name not in rows] == []
    assert [name for name, row in rows.items() if "`test_" not in row] == []


def test_each_of_these_ids_is_in_the_name_of_a_test() -> None:
    rows = _rows()
    assert [name for name in RUNNING if not re.search(rf"`test_(?:\w+_)?{name}_", rows[name], re.IGNORECASE)] == []
