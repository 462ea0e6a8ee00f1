"""The files of the parking office: lists of violations, ready-made hold files, and the payments it takes back. Columns are ours: no
public manual gives any (parking.md)."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from bursarbridge.sandbox.cents import cents_of, two_decimals
from bursarbridge.sandbox.columns import Column, columns, put, titles
from bursarbridge.sandbox.fees import FileRefused, Sent
from bursarbridge.sandbox.tickets import Ticket, UserType

VIOLATION_TITLES = titles(
    ("User ID", "the id that all systems share; blank for somebody nobody has matched"),
    ("User Type", "Student, Staff or Visitor"),
    ("Violation Number", "lasting; the same in every file"),
    ("Violation Type", "in words"),
    ("Violation Date", "MM/DD/YYYY, campus date"),
    ("Amount Owed", "what is owed now, two decimals; 0.00 when nothing is"),
    ("Status", "Open, Appealed, Paid, Spoiled, Warning or System Processed"),
)
VIOLATION_COLUMNS = columns(
    ("Record", 1, "D"),
    ("User ID", 15, "left-justified"),
    ("User Type", 10, "left-justified"),
    ("Violation Number", 12, "left-justified"),
    ("Violation Type", 20, "left-justified"),
    ("Violation Date", 8, "YYYYMMDD, campus date"),
    ("Amount Owed", 12, "zeros before, point, two decimals"),
    ("Status", 16, "left-justified"),
)
TRAILER_COLUMNS = columns(("Record", 1, "T"), ("Count", 10, "number of violations, zeros before"), ("Total", 16, "sum of the amounts, zeros before"))
HOLD_TITLES = titles(
    ("User ID", "the id that all systems share"),
    ("Total Owed", "the final total, which overwrites; 0.00 in Holds Released"),
    ("User Type", "Student, Staff or Visitor"),
    ("Violation Type", "of the oldest violation that is open; of the last one in Holds Released"),
    ("Violation Date", "MM/DD/YYYY, of the same violation"),
)
PAYMENT_TITLES = titles(
    ("Violation Number", "as in the list of violations"),
    ("Amount", "what was paid, positive, two decimals"),
    ("Payment Date", "MM/DD/YYYY, campus date"),
)


class HoldRow(NamedTuple):
    """One row of a ready-made hold file."""

    user_id: str
    cents: int
    user_type: UserType
    violation_type: str
    violated_on: date


class PaidRow(NamedTuple):
    """One row of a payment file."""

    number: str
    cents: int


def violations_csv(name: str, tickets: Sequence[Ticket], *, trailer: bool = False) -> Sent:
    """A list of violations with a row of titles; with `trailer` the last row is TRAILER, count and total."""
    rows = [
        [one.user.user_id, one.user.user_type, one.number, one.violation_type, _american(one.issued_at), two_decimals(one.owed_cents), one.status]
        for one in tickets
    ]
    if trailer:
        rows.append(["TRAILER", str(len(tickets)), two_decimals(sum(one.owed_cents for one in tickets)), "", "", "", ""])
    return Sent(name, _csv(VIOLATION_TITLES, rows))


def violations_fixed(name: str, tickets: Sequence[Ticket]) -> Sent:
    """The same list in fixed columns; its last line is a trailer with count and total."""
    lines = [put(VIOLATION_COLUMNS, _fields(one)) for one in tickets]
    lines.append(put(TRAILER_COLUMNS, ("T", f"{len(tickets):010d}", two_decimals(sum(one.owed_cents for one in tickets)).zfill(16))))
    return Sent(name, "".join(f"{line}\n" for line in lines).encode("ascii"))


def holds_csv(name: str, rows: Iterable[HoldRow]) -> Sent:
    """Holds Added or Holds Released with OPSCOM's five fields (parking.md H)."""
    listed = [(row.user_id, two_decimals(row.cents), row.user_type, row.violation_type, _american(row.violated_on)) for row in rows]
    return Sent(name, _csv(HOLD_TITLES, listed))


def payment_rows(content: bytes) -> list[PaidRow]:
    """Reads a payment file. Raises FileRefused, naming the line, when it has not the agreed form."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(f"not a CSV file in UTF-8: {error}") from error
    wanted = [column.name for column in PAYMENT_TITLES]
    if not rows or rows[0] != wanted:
        raise FileRefused(f"line 1 must be {','.join(wanted)}")
    return [_paid(number, row) for number, row in enumerate(rows[1:], 2)]


def _paid(line: int, row: Sequence[str]) -> PaidRow:
    if len(row) != len(PAYMENT_TITLES):
        raise FileRefused(f"line {line} has {len(row)} fields, not {len(PAYMENT_TITLES)}")
    try:
        month, day, year = map(int, row[2].split("/"))
        date(year, month, day)
        return PaidRow(row[0], cents_of(row[1]))
    except ValueError as error:
        raise FileRefused(f"line {line}: {error}") from error


def _fields(one: Ticket) -> tuple[str, ...]:
    amount = two_decimals(one.owed_cents).zfill(12)
    return ("D", one.user.user_id, one.user.user_type, one.number, one.violation_type, f"{one.issued_at:%Y%m%d}", amount, one.status)


def _american(on: date) -> str:
    return f"{on:%m/%d/%Y}"


def _csv(layout: Sequence[Column], rows: Iterable[Sequence[str]]) -> bytes:
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(column.name for column in layout)
    writer.writerows(rows)
    return sheet.getvalue().encode()
