"""docs/settings.md says every key and every fault code, and no others."""

import re
from pathlib import Path

from bursarbridge.config import CODES, Settings
from bursarbridge.config.reader import key_paths

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")


def test_every_key_has_a_row() -> None:
    rows = set(re.findall(r"^\| `([\w.*]+)` \|", PAGE, re.MULTILINE))
    assert rows == set(key_paths(Settings))


def test_every_fault_code_has_a_row_with_its_title_and_effect() -> None:
    rows = re.findall(r"^\| (C\d{3}) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert {code: (title, effect) for code, title, effect in rows} == {code: tuple(meaning) for code, meaning in CODES.items()}
