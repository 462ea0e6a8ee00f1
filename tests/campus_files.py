"""The files of Alma and PeopleSoft for tests, written and read by a few lines of their own. All people are invented."""

import re
from collections.abc import Sequence
from typing import NamedTuple

WREN, TAM = "0012345", "20260417"


class Fee(NamedTuple):
    """One fee as Alma exports it."""

    reference: str
    cents: int
    account: str = WREN
    category: str = "OVERDUEFINE"
    institution: str = "0999"
    item: str = ""
    comment: str = ""


def credit(reference: str, cents: int, item: str = "", comment: str = "item returned", account: str = WREN) -> Fee:
    """One credit row as Alma exports it: type CREDIT, below zero, an id of its own (alma.md 0, item 3)."""
    return Fee(reference, -cents, account, "CREDIT", item=item, comment=comment)


class Paid(NamedTuple):
    """One row of a payment report, or of a snapshot."""

    reference: str
    cents: int
    account: str = WREN
    paid_on: str = "08/01/2026"


class Answer(NamedTuple):
    """One row of a result file; a row without reference speaks of the whole document."""

    status: str
    document: str
    reference: str = ""
    cents: int = -1
    lines: int = -1
    reason: str = ""


class ChargeLine(NamedTuple):
    """One line of a charge file of ours, as it stands there."""

    reference: str
    account: str
    cents: int
    item_type: str
    direction: str = "C"
    term: str = ""


def export_bytes(fees: Sequence[Fee]) -> bytes:
    """An Alma export, one user a fee."""
    parts = []
    for fee in fees:
        entity = f"<xb:owneredEntity><xb:InstitutionId>{fee.institution}</xb:InstitutionId></xb:owneredEntity>"
        comment = f"<xb:fineFeeComment>{fee.comment}</xb:fineFeeComment>" if fee.comment else ""
        item = f"<xb:itemBarcode>{fee.item}</xb:itemBarcode>" if fee.item else ""
        parts.append(
            f"<xb:userExportedFineFeesList><xb:user><xb:type>02</xb:type><xb:value>{fee.account}</xb:value>{entity}</xb:user>"
            f"<xb:patronName>Marlow, Wren</xb:patronName><xb:finefeeList><xb:userFineFee>{comment}<xb:fineFeeType>{fee.category}</xb:fineFeeType>"
            f"{entity}<xb:lastTransactionDate>07/28/2026 16:00:12</xb:lastTransactionDate>{item}"
            f"<xb:compositeSum><xb:currency>USD</xb:currency><xb:sum>{dollars(fee.cents)}</xb:sum></xb:compositeSum>"
            f"<xb:bursarTransactionId>{fee.reference}</xb:bursarTransactionId></xb:userFineFee></xb:finefeeList></xb:userExportedFineFeesList>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xb:xml-fragment xmlns:xb="http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans">'
        f"<xb:userExportedFineFees><xb:userExportedList>\n{''.join(parts)}</xb:userExportedList></xb:userExportedFineFees></xb:xml-fragment>\n"
    ).encode()


def answer_bytes(answers: Sequence[Answer]) -> bytes:
    """A result file."""
    lines = ["Status,File Name,Group ID,Reference Number,Emplid,Amount,Count,Reason"]
    for one in answers:
        amount = "" if one.cents < 0 else dollars(one.cents)
        count = "" if one.lines < 0 else str(one.lines)
        lines.append(f"{one.status},{one.document},G1,{one.reference},,{amount},{count},{one.reason}")
    return _csv(lines)


def report_bytes(paid: Sequence[Paid]) -> bytes:
    """A cumulative payment report of seven columns."""
    head = "Emplid,Date Paid,Reference Number,Charge Amount,Paid Amount,Item Type,Charge Description"
    return _csv([head, *(f"{one.account},{one.paid_on},{one.reference},0.00,{dollars(one.cents)},,Library" for one in paid)])


def snapshot_bytes(paid: Sequence[Paid]) -> bytes:
    """A snapshot of what is applied to each charge."""
    head = "Emplid,Reference Number,Item Type,Item Amount,Applied Amount,As Of Date"
    return _csv([head, *(f"{one.account},{one.reference},,0.00,{dollars(one.cents)}," for one in paid)])


def charge_lines(content: bytes) -> list[ChargeLine]:
    """The details of a generic charge file, after its control totals were compared."""
    head, *details, tail = content.decode("ascii").splitlines()
    found = [ChargeLine(row[61:91].strip(), row[6:17].strip(), cents_in(row[36:52]), row[17:29], row[52], row[32:36]) for row in details]
    total = (len(found), sum(one.cents for one in found))
    assert (int(head[27:35]), cents_in(head[35:51])) == (int(tail[1:9]), cents_in(tail[9:25])) == total
    return found


def told_in(content: bytes) -> list[tuple[str, int]]:
    """Fee and cents of every row of a payment file for Alma."""
    pattern = r"<xb:sum>([^<]*)</xb:sum></xb:compositeSum><xb:bursarTransactionId>([^<]*)<"
    return [(reference, cents_in(amount)) for amount, reference in re.findall(pattern, content.decode("utf-8"))]


def dollars(cents: int) -> str:
    """Cents as files print them."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def cents_in(text: str) -> int:
    """The other way round."""
    sign, plain = (-1, text.strip()[1:]) if text.strip().startswith("-") else (1, text.strip())
    whole, _, rest = plain.partition(".")
    return sign * (100 * int(whole) + int(rest.ljust(2, "0")))


def _csv(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def stray_reference(pick: int) -> str:
    """A reference as a bursar might mistype or invent it."""
    return ("L0000000000", "L9999999999", "x", "L0000003V3V")[pick % 4]
