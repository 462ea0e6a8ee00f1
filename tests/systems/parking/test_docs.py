"""The mapping page is the adapter's own table, row for row, and its examples are settings without a fault."""

import re
from pathlib import Path

from bursarbridge.config import check
from bursarbridge.systems.parking.agreed import COLUMNS, MEANINGS
from tests.config.sample import GOOD, written

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "systems" / "parking.md").read_text("utf-8")


def rows(heading: str) -> list[tuple[str, ...]]:
    """The rows of the tables under a heading, without their headings."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in section.splitlines() if line.startswith("| `")]
    assert found, heading
    return found


def test_the_page_has_every_column_as_the_adapter_has_it() -> None:
    wanted = [(f"`{one.name}`", f"`{one.becomes}`" if one.becomes else "", one.rule, one.sure) for one in COLUMNS]
    assert rows("The columns") == wanted


def test_the_page_has_every_meaning_of_a_status() -> None:
    assert tuple(row[0].strip("`") for row in rows("What a status means")) == MEANINGS


def test_the_page_has_every_code_of_the_adapter() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src/bursarbridge/systems/parking").glob("*.py") if path.stem != "payments")
    raised = set(re.findall(r'(?:Unreadable\(|_fault\(form, )"([a-z_]+)"', source))
    named = {code for row in rows("What is refused") for code in re.findall(r"`([a-z_]+)`", row[0])}
    shared = {"columns", "ragged", "csv", "encoding", "nul", "too_long"}
    assert named - shared == raised - {"raw"}


def test_the_examples_are_settings_without_a_fault(tmp_path: Path) -> None:
    nightly, ready = re.findall("```toml\n(.*?)```", PAGE, re.DOTALL)
    office = f'[connections.garage]\nkind = "folder"\npath = "parking"\n{nightly}'
    assert check(written(tmp_path, f"{GOOD}{office}{ready}"), {}) == []
