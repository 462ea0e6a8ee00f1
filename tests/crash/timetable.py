"""A timetable to kill on: an evening's slot comes due while another flow's file is late, so that a round runs one and raises an alarm."""

from __future__ import annotations

from pathlib import Path

from tests.crash import campus, child

_TIMES = """
[mail]
relay = "folder:mail"
from = "bridge@example.edu"
allowed_domains = ["example.edu"]

[flows.library-charges]
schedule = { at = ["19:15"] }
owner = "systems@example.edu"

[flows.library-payments]
schedule = { at = ["19:10"] }
expect = { source_file_by = "19:05" }
owner = "systems@example.edu"
"""


def evening_comes(folder: Path) -> None:
    """The timetable was looked at once, before anything was due; two exports lie there, and no payment report."""
    settings = folder / "bursarbridge.toml"
    settings.write_text(settings.read_text() + _TIMES)
    campus.charges_wait(folder)
    child.run(folder, (child.SYNC, 0))
