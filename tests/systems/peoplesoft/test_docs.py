"""The mapping page says what the layouts are."""

import re
from pathlib import Path

import pytest

from bursarbridge.formats.describe import columns_table
from bursarbridge.formats.layout import layout_from_toml, shipped, shipped_names
from bursarbridge.systems.peoplesoft.reasons import REASONS

SYSTEMS = Path(__file__).parents[3] / "docs" / "systems"
PAGE = (SYSTEMS / "peoplesoft.md").read_text("utf-8")
PAGES = PAGE + "".join((SYSTEMS / name).read_text("utf-8") for name in ("peoplesoft-holds.md", "parking.md"))


@pytest.mark.parametrize("name", shipped_names())
def test_the_page_has_every_shipped_layouts_columns(name: str) -> None:
    section = PAGES.split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
    assert columns_table(shipped(name)) in section
    assert shipped(name).about in section


def test_the_example_layout_loads() -> None:
    (example,) = re.findall("```toml\n(.*?)```", PAGE, re.DOTALL)
    assert layout_from_toml(example, "docs").name == "mine"


def test_every_reason_is_on_the_page() -> None:
    for reason in REASONS:
        assert reason.text in PAGE
        assert f"`{reason.code}`" in PAGE
