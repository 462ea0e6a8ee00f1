"""A campus to kill on: the example's folders, and the files that two evenings bring, with every kind of trouble in them. People are invented."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from bursarbridge.examples.example import write_example
from tests.crash import child

_SQLITE = '"sqlite:data/bursarbridge.db"'
_SPACE = "http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans"

Fee = tuple[str, str, str, str]
"""Person, fee type, amount, Alma's id."""

GOOD = [
    ("0012345", "LOSTITEMREPLACEMENTFEE", "85", "101"),
    ("0012345", "LOSTITEMPROCESSFEE", "15.5", "102"),
    ("20260417", "OVERDUEFINE", "0.82", "103"),
    ("20260417", "LIBRARYCARDREPLACEMENT", "10", "104"),
    ("10400099123", "DAMAGEDITEMFINE", "42.25", "105"),
]
FIRST = [*GOOD, GOOD[2], ("20260417", "CUSTOMER_DEFINED_01", "7.00", "106"), ("X-77", "OVERDUEFINE", "3.00", "107")]
"""Good ones, one of them twice, a fee type without an item type, and a person without the match id."""
SECOND = [("0012345", "LOSTITEMREPLACEMENTFEE", "58", "101"), GOOD[1], ("20270001", "OVERDUEFINE", "2.18", "108")]
"""A known fee with another amount, the same fee again, and a new one."""


def found(folder: Path, database: str) -> Path:
    """Writes the example campus; `database` is an address, or "" for the SQLite file of the example."""
    write_example(folder)
    settle(folder, database)
    return folder


def settle(folder: Path, database: str) -> None:
    """Points a campus at another database of the same kind."""
    settings = folder / "bursarbridge.toml"
    lines = settings.read_text().splitlines(keepends=True)
    address = f'"{database}"' if database else _SQLITE
    settings.write_text("".join(f"database = {address}\n" if line.startswith("database = ") else line for line in lines))


def charges_wait(folder: Path) -> None:
    """The first evening: two exports lie there."""
    drop(folder / "alma/out/export-1.xml", export(FIRST), -20)
    drop(folder / "alma/out/export-2.xml", export(SECOND), -10)


def payments_wait(folder: Path) -> None:
    """The second evening. Before it: charges went out, one was paid at once and told to Alma, which took the file."""
    charges_wait(folder)
    child.run(folder, ("library-charges", 0))
    ours = references(folder)
    drop(folder / "peoplesoft/out/payments_20260803_060000.csv", payments([("0012345", ours["15.50"], "15.50", "15.50")]), 60)
    child.run(folder, ("library-payments", 1))
    for taken in (folder / "alma/in").iterdir():
        taken.unlink()
    (document,) = (folder / "peoplesoft/in").iterdir()
    answers = [
        ("RECEIVED", document.stem, "", "", "", ""),
        ("POSTED", document.stem, "G1", ours["85.00"], "0012345", ""),
        ("REFUSED", document.stem, "G1", ours["42.25"], "10400099123", "Invalid Employee ID"),
    ]
    drop(folder / "peoplesoft/out/result_1.csv", results(answers), 70)
    first = [("0012345", ours["15.50"], "15.50", "15.50"), ("20260417", ours["10.00"], "10.00", "4.00")]
    drop(folder / "peoplesoft/out/payments_20260804_060000.csv", payments(first), 80)
    second = [
        *first,
        ("20260417", ours["10.00"], "10.00", "7.00"),
        ("0012345", ours["85.00"], "85.00", "85.00"),
        ("0099999", "L0000000000", "1.00", "1.00"),
    ]
    drop(folder / "peoplesoft/out/payments_20260805_060000.csv", payments(second), 90)


def credits_wait(folder: Path) -> None:
    """A second evening of another kind: the charges are posted, and an export brings credits that fit, wait, and echo."""
    charges_wait(folder)
    child.run(folder, ("library-charges", 0))
    (document,) = (folder / "peoplesoft/in").iterdir()
    drop(folder / "peoplesoft/out/result_1.csv", results([("POSTED", document.stem, "", "", "", "")]), 5)
    child.run(folder, ("library-charges", 1))
    credited = [("0012345", "CREDIT", "-85", "901"), ("20260417", "CREDIT", "-10", "902"), ("0012345", "CREDIT", "-4", "903")]
    drop(folder / "alma/out/export-3.xml", export([*credited, ("10400099123", "OVERDUEFINE", "1.00", "109")]), 12)


def nothing_can_be_read(folder: Path) -> None:
    """An evening on which the library's folder is not there: the run fails and says so."""
    charges_wait(folder)
    shutil.rmtree(folder / "alma/out")


def copied(template: Path, folder: Path) -> Path:
    """The same campus again, times of its files included."""
    shutil.copytree(template, folder)
    return folder


def export(fees: Iterable[Fee]) -> str:
    """An Alma bursar export (alma.md 1.1), one person entry a fee."""
    return f'<xb:xml-fragment xmlns:xb="{_SPACE}"><xb:userExportedFineFees><xb:userExportedList>{"".join(map(_fee, fees))}' + (
        "</xb:userExportedList></xb:userExportedFineFees></xb:xml-fragment>"
    )


def results(rows: Iterable[tuple[str, str, str, str, str, str]]) -> str:
    """A posting result: status, document, group, reference, person, reason."""
    lines = [f"{status},{document},{group},{reference},{account},,,{reason}" for status, document, group, reference, account, reason in rows]
    return "".join(f"{line}\r\n" for line in ["Status,File Name,Group ID,Reference Number,Emplid,Amount,Count,Reason", *lines])


def payments(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """Arizona State's seven columns (peoplesoft.md 2): person, reference, charge, paid."""
    lines = [f"{account},08/02/2026,{reference},{charge},{paid},410000000100,Library" for account, reference, charge, paid in rows]
    return "".join(f"{line}\n" for line in ["Emplid,Date Paid,Reference Number,Charge Amount,Paid Amount,Item Type,Charge Description", *lines])


def _fee(fee: Fee) -> str:
    account, category, amount, number = fee
    return (
        f"<xb:userExportedFineFeesList><xb:user><xb:type>02</xb:type><xb:value>{account}</xb:value></xb:user><xb:finefeeList><xb:userFineFee>"
        f"<xb:fineFeeType>{category}</xb:fineFeeType><xb:lastTransactionDate>08/01/2026 09:00:00</xb:lastTransactionDate>"
        f"<xb:compositeSum><xb:currency>USD</xb:currency><xb:sum>{amount}</xb:sum></xb:compositeSum>"
        f"<xb:bursarTransactionId>{number}</xb:bursarTransactionId></xb:userFineFee></xb:finefeeList></xb:userExportedFineFeesList>"
    )


def references(folder: Path) -> dict[str, str]:
    """Amount -> our reference, read from the charge file by the columns of the generic layout."""
    (document,) = (folder / "peoplesoft/in").iterdir()
    details = [line for line in document.read_text().splitlines() if line.startswith("D")]
    return {line[36:52].lstrip("0").rjust(4, "0"): line[61:91].strip() for line in details}


def drop(path: Path, text: str, minutes: int) -> None:
    """A partner's file, written that long after the first run's instant (so that its time is the same on every try)."""
    path.write_bytes(text.encode())
    at = (child.START + timedelta(minutes=minutes)).timestamp()
    os.utime(path, (at, at))
