"""A parking office to kill on: a plan that two people have approved waits, and a night's lists bring every kind of change. People are invented."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from bursarbridge import config, wiring
from tests.crash import child
from tests.garage import SECTIONS

FLOW = "parking-holds"
GUARDS = """
[guards.parking-holds]
releases = { max = 2, percent = 1 }
"""
_TITLES = "User ID,User Type,Violation Number,Violation Type,Violation Date,Amount Owed,Status"
_COLUMNS = "EMPLID,INSTITUTION,SRVC_IND_CD,SRVC_IND_REASON,AMOUNT,SRVC_IND_REFRNCE,SRVC_IND_ACTIVE_DT"
FIRST = {f"001234{number}": "40.00" for number in range(8)}
"""Who owes what on the first day."""


def holds_wait(folder: Path) -> None:
    """Eight holds stand; the release of three was approved; tonight's lists, and the bursar's, lie there."""
    settings = folder / "bursarbridge.toml"
    settings.write_text(settings.read_text() + SECTIONS + GUARDS)
    for place in ("parking/out", "peoplesoft/holds/in", "peoplesoft/holds/out"):
        (folder / place).mkdir(parents=True)
    _list(folder, "full", "133000", [(person, f"V{person}", owed, "Open") for person, owed in FIRST.items()])
    child.run(folder, (FLOW, -30))
    _approve(folder, -30)
    child.run(folder, (FLOW, -29))
    rest = [person for person in FIRST if person > "0012342"]
    _list(folder, "full", "170000", [(person, f"V{person}", FIRST[person], "Open") for person in rest])
    child.run(folder, (FLOW, -10))
    _approve(folder, -10)
    (document,) = (folder / "peoplesoft/holds/in").iterdir()
    document.unlink()  # the bursar's system has taken it
    stands = [person for person in FIRST if person != "0012344"]
    rows = [f"{person},EXCCD,PRK,PKCIT,{'15.00' if person == '0012345' else '40.00'},,08/02/2026" for person in stands]
    _drop(
        folder / "peoplesoft/holds/out/BB_SRVC_IND_20260802_180000.csv",
        "\r\n".join([_COLUMNS, *rows, "0077777,EXCCD,PRK,PKCIT,9.00,,08/01/2026", ""]),
    )
    tonight = [
        ("0012343", "V0012343", "25.00", "Open"),
        ("0012344", "V0012344", "40.00", "Open"),
        ("0012345", "V0012345", "40.00", "Open"),
        ("0012346", "V0012346", "40.00", "Appealed"),
        ("0012347", "V0012347", "40.00", "Open"),
        ("0012347", "V-second", "75.00", "Open"),
        ("0012349", "V-new", "60.00", "Open"),
        ("", "V-nobody", "30.00", "Open"),
    ]
    _list(folder, "full", "190000", tonight)
    _list(folder, "changes", "190500", [("0012343", "V0012343", "0.00", "Paid"), ("0012350", "V-late", "12.50", "Open")])


def _approve(folder: Path, at: int) -> None:
    """As many people as must approve what waits."""
    clock = lambda: child.START + timedelta(minutes=10 * at + 5)  # noqa: E731
    bridge = wiring.build(config.load(folder / "bursarbridge.toml"), clock=clock)
    try:
        with bridge.books() as books:
            ((number, enough),) = books.rows("select id, approvers from guarded where state = 'held'")
        for actor in ("Imre", "Rosa")[: int(enough)]:
            bridge.decide(int(number), actor, "approve", "looked at")
    finally:
        bridge.close()


def _list(folder: Path, kind: str, at: str, rows: list[tuple[str, str, str, str]]) -> None:
    lines = [f"{person},Student,{number},No permit,08/01/2026,{owed},{status}" for person, number, owed, status in rows]
    _drop(folder / f"parking/out/violations_{kind}_20260802_{at}.csv", "".join(f"{line}\r\n" for line in [_TITLES, *lines]))


def _drop(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    at = child.START.timestamp()
    os.utime(path, (at, at))
