"""Broken TOML: every broken line is named, and what is whole is still checked."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursarbridge.config import check
from tests.config.sample import GOOD, written

BROKEN = [
    ('name = "Example College"', 'name = "Example College', "quotation mark"),
    ('timezone = "America/Los_Angeles"', "timezone = America/Los_Angeles", "not in quotes"),
    ("[storage]", "[storage", "not closed"),
    ("[identity]", "[storage]\n[identity]", "second time"),
    ('path = "alma"', 'path = "alma"\npath = "other"', "second time"),
    ('kind = "folder"', "kind folder", "no value"),
    ("'^\\d{7,11}$'", '"^\\d{7,11}$"', "backslash"),
    ('business_unit = "EXCCD"', "business_unit = 00123", "leading zero"),
    ('to = "2026-07-31" },', 'to = "2026-07-31" }', "no comma"),
    ('code = "2264"', 'code = "2264', "not closed"),
    ('origin = "LIB01"', 'origin = "LIB01" x', "follows"),
    ('name = "Example College"', '"""\nname = "Example College"', ""),
]


@pytest.mark.parametrize(("old", "new", "words"), BROKEN)
def test_one_broken_line_is_one_fault_and_no_other(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = GOOD.replace(old, new, 1)
    faults = check(written(tmp_path, text), {})
    assert faults[0].code == "C002"
    if words:
        assert [fault.code for fault in faults] == ["C002"], "\n".join(map(str, faults))
        assert words in faults[0].words
        changed = next(number for number, line in enumerate(text.splitlines(), 1) if line not in GOOD.splitlines() or words == "second time")
        assert faults[0].line == changed or words == "second time"


def test_several_broken_lines_and_other_faults_are_all_named(tmp_path: Path) -> None:
    text = GOOD
    for old, new in (('name = "Example College"', 'name = "Example College'), ('kind = "sftp"', "kind sftp"), ('code = "2267"', 'code = "226"')):
        text = text.replace(old, new, 1)
    assert [fault.code for fault in check(written(tmp_path, text), {})] == ["C002", "C002", "C033"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(GOOD) - 1), length=st.integers(0, 40), put=st.text(alphabet="ab0\"'[]{}=.,\n\\# é-", max_size=6))
def test_check_never_raises_whatever_the_file_holds(tmp_path: Path, at: int, length: int, put: str) -> None:
    text = GOOD[:at] + put + GOOD[at + length :]
    faults = check(written(tmp_path, text), {})
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert any(fault.code == "C002" for fault in faults)
    assert all(0 <= fault.line <= text.count("\n") + 1 for fault in faults)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_check_never_raises_on_bytes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bursarbridge.toml"
    file.write_bytes(content)
    assert check(file, {})
