"""Spreadsheets for people: a CSV that opens rightly in Excel and LibreOffice, and in which nothing is ever a formula.

Only people get these. Files for machines are written by formats/ and never altered so (reliability.md F9, D28).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from bursarbridge.ledger.money import text_of

Cell = str | int
"""A text, or an amount in cents."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?", re.ASCII)
_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What begins a formula, in half and full width."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows for a spreadsheet. `version` rises when a column changes its place or meaning, and is part of the file's name."""

    name: str
    version: int
    columns: tuple[str, ...]
    ids: frozenset[str]
    """The columns that hold ids: digits that a spreadsheet must not read as a number."""
    rows: tuple[tuple[Cell, ...], ...]
    title: str = "The whole list"
    """What it is, for whoever is told where to find it."""

    def file_name(self, today: str) -> str:
        """ "late_2026-11-17_v1.csv": fixed kind, campus date, version of the columns."""
        return f"{self.name}_{today}_v{self.version}.csv"


def csv_for_people(sheet: Sheet) -> bytes:
    """The sheet as UTF-8 with a byte order mark, CRLF lines and a header row (ux.md 5).

    A cell that could begin a formula gets an apostrophe in front unless it is a plain number, and so does an id, so that it keeps its
    leading zeros and its last digits; line ends and other control characters become blanks. Amounts are decimals without a currency mark.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    writer.writerows(_row(sheet, row) for row in sheet.rows)
    return out.getvalue().encode("utf-8-sig")


def _row(sheet: Sheet, row: Sequence[Cell]) -> Iterable[str]:
    for column, cell in zip(sheet.columns, row, strict=True):
        yield text_of(cell) if isinstance(cell, int) else inert(cell, as_text=column in sheet.ids)


def inert(cell: str, *, as_text: bool = False) -> str:
    """A cell that no spreadsheet calculates with, nor (`as_text`) reads as a number."""
    plain = _CONTROL.sub(" ", cell)
    begins = plain.lstrip()[:1]
    if (begins and begins in _FORMULA and not _NUMBER.fullmatch(plain)) or (as_text and plain):
        return f"'{plain}"
    return plain
