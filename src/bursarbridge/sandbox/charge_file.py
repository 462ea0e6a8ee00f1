"""The generic fixed-width charge file as PeopleSoft's loader reads it: positions, then control totals (peoplesoft.md 1.2)."""

from typing import NamedTuple

from bursarbridge.sandbox.cents import cents_of
from bursarbridge.sandbox.fees import FileRefused
from bursarbridge.sandbox.items import ChargeLine

HEADER_TAG = "BBCHG01"
_WIDTHS = {"H": 81, "D": 129, "T": 25}
# First and last column, counted from 1, in the order of ChargeLine's fields.
_DETAIL = ((2, 6), (7, 17), (18, 29), (30, 32), (33, 36), (37, 52), (53, 53), (54, 61), (62, 91), (92, 121), (122, 129))


class ChargeFile(NamedTuple):
    """A charge file as read; `imbalance` says how its control totals disagree with its lines, or ""."""

    business_unit: str
    lines: list[ChargeLine]
    imbalance: str


def charge_file(content: bytes) -> ChargeFile:
    """Reads a whole charge file. Raises FileRefused, naming the line, when it does not have the agreed form."""
    records = _records(content)
    header, trailer = records[0], records[-1]
    if header[0] != "H" or trailer[0] != "T" or _cut(header, 2, 9) != HEADER_TAG:
        raise FileRefused(f"the first line must be a header tagged {HEADER_TAG} and the last one a trailer")
    lines = [_line(number, record) for number, record in enumerate(records[1:-1], start=2)]
    promised = {
        "header": _control(1, _cut(header, 28, 35), _cut(header, 36, 51)),
        "trailer": _control(len(records), _cut(trailer, 2, 9), _cut(trailer, 10, 25)),
    }
    found = (len(lines), sum(line.cents for line in lines))
    wrong = [f"Control total of the {place} does not match the lines" for place, total in promised.items() if total != found]
    return ChargeFile(_cut(header, 15, 19), lines, "; ".join(wrong))


def _records(content: bytes) -> list[str]:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise FileRefused(f"byte {error.start + 1} is not ASCII") from error
    if not text.endswith("\n"):
        raise FileRefused("the last line has no end: the file looks cut off")
    records = text[:-1].split("\n")
    for number, record in enumerate(records, start=1):
        width = _WIDTHS.get(record[:1], -1)
        if len(record) > width:
            raise FileRefused(f"line {number} is not a header, detail or trailer of at most its width")
    if len(records) < 2:
        raise FileRefused("the file has no header and trailer")
    return records


def _line(number: int, record: str) -> ChargeLine:
    if record[0] != "D":
        raise FileRefused(f"line {number} is not a detail line")
    unit, emplid, item_type, account, term, amount, direction, due, reference, description, effective = (
        _cut(record, *columns) for columns in _DETAIL
    )
    try:
        cents = cents_of(amount)
    except ValueError as error:
        raise FileRefused(f"line {number}: {error}") from error
    return ChargeLine(unit, emplid, item_type, account, term, cents, direction, due, reference, description, effective)


def _control(number: int, count: str, total: str) -> tuple[int, int]:
    try:
        return int(count), cents_of(total)
    except ValueError as error:
        raise FileRefused(f"line {number}: the control total is no number: {error}") from error


def _cut(record: str, first: int, last: int) -> str:
    return record[first - 1 : last].strip()
