"""The clock of a sandbox that is a file: workers of other processes go by it, and money that is real never does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.config import SettingsError
from bursarbridge.errors import Refused
from bursarbridge.examples.example import write_example
from tests.cli.calls import answer, call


def campus(tmp_path: Path, environment: str = "sandbox") -> Path:
    """The example with a clock that is a file."""
    written = write_example(tmp_path / "campus")[0]
    text = written.read_text("utf-8").replace('environment = "sandbox"', f'environment = "{environment}"\nclock = "clock"', 1)
    written.write_text(text, "utf-8")
    return written.parent


def test_the_file_says_what_time_it_is_whenever_it_is_asked(tmp_path: Path) -> None:
    folder = campus(tmp_path)
    now = wiring.clock_of(config.load(folder / "bursarbridge.toml"))
    for text, at in (
        ("2026-10-14T18:20:00-07:00", datetime(2026, 10, 15, 1, 20, tzinfo=UTC)),
        ("2026-10-16T08:00:00Z\n", datetime(2026, 10, 16, 8, tzinfo=UTC)),
    ):
        (folder / "clock").write_text(text)
        assert now() == at
    assert "Fri Oct 16, 1:00 AM" in call("schedule", "-C", folder).stderr
    assert answer("run", "library-payments", "-C", folder)["run"].startswith("library-payments-20261016T080000Z-")


def test_a_clock_that_shows_no_time_stops_everything_and_says_so(tmp_path: Path) -> None:
    folder = campus(tmp_path)
    now = wiring.clock_of(config.load(folder / "bursarbridge.toml"))
    for text in (None, "half past six", "2026-10-14T18:20:00"):
        if text is not None:
            (folder / "clock").write_text(text)
        with pytest.raises(Refused, match="clock"):
            now()
    assert call("run", "library-charges", "-C", folder).exit_code == 1


def test_where_money_is_real_no_file_says_what_time_it_is(tmp_path: Path) -> None:
    folder = campus(tmp_path, "live")
    with pytest.raises(SettingsError) as found:
        config.load(folder / "bursarbridge.toml")
    assert "C076" in {fault.code for fault in found.value.faults}
