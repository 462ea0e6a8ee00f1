"""The hold files PeopleSoft's side loads: fixed lines with count and total on both ends, a bare list of ids, and its snapshot back."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from bursarbridge.sandbox.cents import cents_of, two_decimals
from bursarbridge.sandbox.columns import columns, cut, put, titles
from bursarbridge.sandbox.fees import FileRefused

HEADER_COLUMNS = columns(
    ("Record", 1, "H"),
    ("Count", 10, "number of details, zeros before"),
    ("Total", 16, "sum of the details' amounts, zeros before, point, two decimals"),
    ("Created", 8, "YYYYMMDD, campus date"),
)
DETAIL_COLUMNS = columns(
    ("Record", 1, "D"),
    ("EMPLID", 11, "left-justified; leading zeros are part of it"),
    ("INSTITUTION", 5, "left-justified"),
    ("SRVC_IND_CD", 3, "left-justified"),
    ("SRVC_IND_REASON", 5, "left-justified"),
    ("AMOUNT", 13, "the final total, which overwrites; zeros before, point, two decimals; 0 in Holds Released"),
    ("SRVC_IND_REFRNCE", 30, "the bridge's reference, left-justified"),
    ("CONTACT", 30, "left-justified"),
    ("DEPTID", 10, "left-justified"),
    ("SRVC_IND_ACTIVE_DT", 8, "YYYYMMDD, campus date"),
)
TRAILER_COLUMNS = columns(("Record", 1, "T"), ("Count", 10, "as in the header"), ("Total", 16, "as in the header"))
SNAPSHOT_TITLES = titles(
    ("EMPLID", ""),
    ("INSTITUTION", ""),
    ("SRVC_IND_CD", ""),
    ("SRVC_IND_REASON", ""),
    ("AMOUNT", "two decimals"),
    ("SRVC_IND_REFRNCE", "ours, where the bridge placed it"),
    ("SRVC_IND_ACTIVE_DT", "MM/DD/YYYY"),
)
_WIDTHS = {"H": HEADER_COLUMNS[-1].last, "D": DETAIL_COLUMNS[-1].last, "T": TRAILER_COLUMNS[-1].last}


class HoldVerb(StrEnum):
    """What a hold file asks for."""

    ADDED = "added"
    RELEASED = "released"


class HoldLine(NamedTuple):
    """One detail of a hold file."""

    emplid: str
    institution: str
    code: str
    reason: str
    cents: int
    reference: str = ""
    contact: str = ""
    department: str = ""
    active_on: str = ""
    """YYYYMMDD."""


class Standing(NamedTuple):
    """One row of a snapshot: what PeopleSoft has on a person."""

    emplid: str
    institution: str
    code: str
    reason: str
    cents: int
    reference: str = ""
    active_on: str = ""
    """YYYY-MM-DD, or ""."""


def verb_of(name: str) -> HoldVerb:
    """What a file is for, by its name, as the loader is set up to tell. Raises FileRefused for a name that says neither or both."""
    said = [verb for verb, part in ((HoldVerb.ADDED, "add"), (HoldVerb.RELEASED, "rel")) if part in name.lower()]
    if len(said) != 1:
        raise FileRefused(f"{name} says neither added nor released, or both")
    return said[0]


def hold_lines(content: bytes) -> list[HoldLine]:
    """Reads a whole hold file. Raises FileRefused, naming the line, when it has not the agreed form or its control totals disagree."""
    records = _records(content)
    lines = [_line(number, record) for number, record in enumerate(records[1:-1], start=2)]
    found = (len(lines), sum(line.cents for line in lines))
    for place, layout, number in (("header", HEADER_COLUMNS, 1), ("trailer", TRAILER_COLUMNS, len(records))):
        _, count, total = cut(layout, records[number - 1])[:3]
        promised = (_number(number, count), _cents(number, total))
        if promised != found:
            raise FileRefused(f"the {place} promises {promised[0]} lines and {promised[1]} cents; the file has {found[0]} and {found[1]}")
    return lines


def hold_file(lines: Sequence[HoldLine], made_on: date) -> bytes:
    """Writes a hold file of that form, as a sample for the other office."""
    ends = (f"{len(lines):010d}", two_decimals(sum(line.cents for line in lines)).zfill(16))
    details = [put(DETAIL_COLUMNS, ("D", *line[:4], two_decimals(line.cents).zfill(13), *line[5:])) for line in lines]
    records = [put(HEADER_COLUMNS, ("H", *ends, f"{made_on:%Y%m%d}")), *details, put(TRAILER_COLUMNS, ("T", *ends))]
    return "".join(f"{record}\n" for record in records).encode("ascii")


def emplids(content: bytes) -> list[str]:
    """Reads the list of Mass Assign or Mass Release: an id in the first column of every line, with or without a heading.

    Raises FileRefused for an empty list: nothing is selected, and a person set the run up for something.
    """
    try:
        rows = [row[0].strip() for row in csv.reader(io.StringIO(content.decode("ascii"))) if row]
    except UnicodeDecodeError as error:
        raise FileRefused(f"byte {error.start + 1} is not ASCII") from error
    listed = [one for one in rows if one and one.upper() != "EMPLID"]
    if not listed:
        raise FileRefused("nobody is selected")
    return listed


def snapshot_bytes(rows: Iterable[Standing]) -> bytes:
    """Writes a snapshot as a PS Query gives it: titles, then a row for every indicator."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(column.name for column in SNAPSHOT_TITLES)
    for row in rows:
        on = f"{date.fromisoformat(row.active_on):%m/%d/%Y}" if row.active_on else ""
        writer.writerow((*row[:4], two_decimals(row.cents), row.reference, on))
    return sheet.getvalue().encode()


def snapshot_rows(content: bytes) -> list[Standing]:
    """Reads a snapshot, its columns by their titles and further ones left alone. Raises FileRefused, naming the line.

    A real account may print dates and amounts in its own way; only ids, codes and amounts are looked at closely.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except UnicodeDecodeError as error:
        raise FileRefused(f"byte {error.start + 1} is not UTF-8") from error
    wanted = [column.name for column in SNAPSHOT_TITLES]
    heading = [title.strip().upper() for title in rows[0]] if rows else []
    missing = [name for name in wanted[:5] if name not in heading]
    if missing:
        raise FileRefused(f"line 1 has no column {', '.join(missing)}")
    taken = []
    for number, row in enumerate((row for row in rows[1:] if any(row)), 2):
        cells = dict(zip(heading, row, strict=False))
        emplid, institution, code, reason, amount, reference = (cells.get(name, "").strip() for name in wanted[:6])
        taken.append(Standing(emplid, institution, code, reason, _cents(number, amount.replace(",", "") or "0"), reference))
    return taken


def _records(content: bytes) -> list[str]:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise FileRefused(f"byte {error.start + 1} is not ASCII") from error
    if not text.endswith("\n"):
        raise FileRefused("the last line has no end: the file looks cut off")
    records = text[:-1].split("\n")
    for number, record in enumerate(records, start=1):
        wanted = "H" if number == 1 else "T" if number == len(records) else "D"
        if record[:1] != wanted or len(record) != _WIDTHS[wanted]:
            raise FileRefused(f"line {number} is not a record {wanted} of {_WIDTHS[wanted]} characters")
    if len(records) < 2:
        raise FileRefused("the file has no header and trailer")
    return records


def _line(number: int, record: str) -> HoldLine:
    _, emplid, institution, code, reason, amount, reference, contact, department, active_on = cut(DETAIL_COLUMNS, record)
    try:
        date.fromisoformat(active_on)
    except ValueError as error:
        raise FileRefused(f"line {number}: {error}") from error
    return HoldLine(emplid, institution, code, reason, _cents(number, amount), reference, contact, department, active_on)


def _number(line: int, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise FileRefused(f"line {line}: {error}") from error


def _cents(line: int, text: str) -> int:
    try:
        return cents_of(text)
    except ValueError as error:
        raise FileRefused(f"line {line}: {error}") from error
