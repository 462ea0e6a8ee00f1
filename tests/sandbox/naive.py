"""A naive bridge for tests of the sandbox alone: a charge-file writer, an export reader and an import writer in a few lines each."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 10, 14, 12, 0, tzinfo=ZONE)
ITEM_TYPE = "410000000120"


class Charge(NamedTuple):
    """One line to write."""

    emplid: str
    reference: str
    cents: int
    item_type: str = ITEM_TYPE
    term: str = "2267"
    direction: str = "C"


def money(cents: int) -> str:
    """Sixteen columns, zero-padded, two decimals."""
    return f"{cents // 100:013d}.{cents % 100:02d}"


def cents_in(total: str) -> int:
    """A sum as Alma prints it, in cents."""
    whole, _, rest = total.partition(".")
    return 100 * int(whole) + int(rest.ljust(2, "0"))


def charge_bytes(charges: Sequence[Charge], *, unit: str = "EXCCD", count: int | None = None, cents: int | None = None) -> bytes:
    """A generic charge file; `count` and `cents` falsify the header's control total."""
    total = sum(charge.cents for charge in charges)
    lines = [f"HBBCHG01 LIB01{unit:5}20261014{len(charges) if count is None else count:08d}{money(total if cents is None else cents)}{'LIB_1':30}"]
    for charge in charges:
        lines.append(
            f"D{unit:5}{charge.emplid:11}{charge.item_type:12}SFS{charge.term:4}{money(charge.cents)}{charge.direction}20261113"
            f"{charge.reference:30}{'Library lost item':30}20261014"
        )
    lines.append(f"T{len(charges):08d}{money(total)}")
    return ("\n".join(lines) + "\n").encode("ascii")


def exported(content: bytes) -> list[dict[str, str]]:
    """Every fee of an export by plain text search, with the user value added under `user`."""
    text = content.decode("utf-8")
    fees = []
    for block in text.split("<xb:userExportedFineFeesList>")[1:]:
        user = _between(block, "value")
        for row in block.split("<xb:userFineFee>")[1:]:
            names = ("fineFeeType", "sum", "currency", "bursarTransactionId", "itemBarcode", "itemTitle", "lastTransactionDate", "libraryCode")
            fees.append({"user": user, **{name: _between(row, name) for name in names}})
    return fees


def import_bytes(rows: Sequence[tuple[str, str]]) -> bytes:
    """A payment file for Alma: (fee id, sum as text) rows under one user, in the form of alma.md 2.2."""
    fees = "".join(
        f"<f:userFineFee><f:compositeSum><f:currency>USD</f:currency><f:sum>{total}</f:sum></f:compositeSum>"
        f"<f:bursarTransactionId>{fee}</f:bursarTransactionId></f:userFineFee>"
        for fee, total in rows
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><f:xml-fragment xmlns:f="http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans">'
        "<f:userExportedFineFees><f:exportNumber>1</f:exportNumber></f:userExportedFineFees><f:userExportedFineFees><f:userExportedList>"
        f"<f:userExportedFineFeesList><f:finefeeList>{fees}</f:finefeeList></f:userExportedFineFeesList>"
        "</f:userExportedList></f:userExportedFineFees></f:xml-fragment>"
    ).encode()


def _between(text: str, name: str) -> str:
    match = re.search(rf"<xb:{name}>(.*?)</xb:{name}>", text, re.DOTALL)
    return match.group(1) if match else ""
