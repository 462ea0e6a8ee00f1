"""A parking office to kill on: a plan that two people have approved waits, and a night's lists bring every kind of change. People are invented."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from bursarbridge import config, wiring
from tests.crash import campus, child
from tests.flows.billed_lot import HEAD
from tests.flows.billed_lot import PARKING as BILLED
from tests.garage import CHANGES, SECTIONS
from tests.letters import REFUSED, SENDER, agreed

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
    drop(
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


def mail_waits(folder: Path) -> None:
    """The office's list comes by mail: one as agreed, one of a stranger's, one with two attachments."""
    settings = folder / "bursarbridge.toml"
    by_mail = f'kind = "maildir"\npath = "parking"\nsenders = ["{SENDER}"]\nattachments = ["violations_full_*.csv"]\n'
    sections = SECTIONS.replace('kind = "folder"\npath = "parking"\n', by_mail, 1).replace(CHANGES, "").replace('folder = "out"', 'folder = "."', 1)
    settings.write_text(settings.read_text() + sections)
    for place in ("parking/new", "parking/cur", "parking/tmp", "peoplesoft/holds/in", "peoplesoft/holds/out"):
        (folder / place).mkdir(parents=True)
    rows = "".join(f"{person},Student,V{person},No permit,08/01/2026,{owed},Open\r\n" for person, owed in FIRST.items())
    list_ = agreed(name="violations_full_20260802_190000.csv", content=f"{_TITLES}\r\n{rows}".encode(), date="Sun, 02 Aug 2026 19:00:00 -0700")
    for number, raw in enumerate((list_.as_bytes(), REFUSED["stranger"][0], REFUSED["two attachments"][0]), 1):
        drop(folder / f"parking/new/1.{number}.host", raw.decode())


def charges_wait(folder: Path) -> None:
    """An office that bills: two lists of changes lie there, with a repeat, another amount, and a row that names nobody."""
    _bills(folder)
    drop(folder / "parking/out/changes_20260802_180000.csv", _billed(("0012345", "V1", "45.00"), ("20260417", "V2", "30.00"), ("", "V3", "9.00")))
    drop(folder / "parking/out/changes_20260802_190000.csv", _billed(("0012345", "V1", "45.00"), ("0012345", "V4", "80.00")))


def payments_wait(folder: Path) -> None:
    """What was billed is posted; one is paid, one in part."""
    _posted(folder)
    ours = campus.references(folder)
    rows = [("0012345", ours["45.00"], "45.00", "45.00"), ("0012345", ours["80.00"], "80.00", "20.00")]
    campus.drop(folder / "peoplesoft/out/payments_20260803_060000.csv", campus.payments(rows), 12)


def credits_wait(folder: Path) -> None:
    """What was billed is posted; one is void, one is lowered after an appeal."""
    _posted(folder)
    rows = _billed(("0012345", "V1", "0.00"), ("0012345", "V4", "50.00")).replace("0.00,Open", "0.00,Spoiled", 1)
    drop(folder / "parking/out/changes_20260802_193000.csv", rows)


def _bills(folder: Path) -> None:
    settings = folder / "bursarbridge.toml"
    settings.write_text(settings.read_text() + BILLED)
    for place in ("parking/in", "parking/out"):
        (folder / place).mkdir(parents=True)


def _posted(folder: Path) -> None:
    charges_wait(folder)
    child.run(folder, ("parking-charges", 0))
    (document,) = (folder / "peoplesoft/in").iterdir()
    campus.drop(folder / "peoplesoft/out/result_1.csv", campus.results([("POSTED", document.stem, "", "", "", "")]), 5)
    child.run(folder, ("parking-charges", 1))


def _billed(*rows: tuple[str, str, str]) -> str:
    return HEAD + "".join(f"{person},Student,{number},No permit,2026-07-20,{owed},Open\r\n" for person, number, owed in rows)


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
    drop(folder / f"parking/out/violations_{kind}_20260802_{at}.csv", "".join(f"{line}\r\n" for line in [_TITLES, *lines]))


def drop(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    at = child.START.timestamp()
    os.utime(path, (at, at))
