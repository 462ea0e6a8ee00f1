"""What people get wrong about a parking list and its settings, as a table: each with a change to the settings, or to tonight's file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tests.garage import SECTIONS

TRAILER = 'trailer = { mark = "TRAILER", count = 2, total = 3 }\ndates = ["MM/DD/YYYY"]'
COURTESY = "Café courtesy"
"""A violation type that counts for no hold."""
AGREED = (
    SECTIONS.replace('dates = ["MM/DD/YYYY"]', TRAILER, 1)
    .replace('threshold = "0.01"', 'threshold = "25.00"')
    .replace('grace = "0d"', 'grace = "3d"')
    .replace("user_types = []", f'user_types = ["Student", "Staff"]\nleft_out = ["{COURTESY}"]')
)
"""The settings as the two offices agreed them; every guard stands at its default."""

NAME = "violations_full_{stamp}_0001.csv"


class List(NamedTuple):
    """Tonight's list as it arrives."""

    name: str
    content: bytes


class Sabotage(NamedTuple):
    """One mistake."""

    words: str
    settings: Callable[[str], str] | None = None
    file: Callable[[List], List] | None = None


def _set(words: str, *changes: tuple[str, str]) -> Sabotage:
    def spoil(text: str) -> str:
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text

    return Sabotage(words, settings=spoil)


def _file(words: str, change: Callable[[bytes], bytes]) -> Sabotage:
    return Sabotage(words, file=lambda one: one._replace(content=change(one.content)))


def _name(words: str, pattern: str, put: str) -> Sabotage:
    return Sabotage(words, file=lambda one: one._replace(name=re.sub(pattern, put, one.name)))


def _rows(change: Callable[[list[list[str]]], list[list[str]]]) -> Callable[[bytes], bytes]:
    """A change of the rows of a list, whose trailer is made right again: the office's own program went wrong."""

    def spoil(content: bytes) -> bytes:
        head, *rows, _trailer = (line.split(",") for line in content.decode().splitlines())
        made = change([list(row) for row in rows])
        cents = sum(round(float(row[5]) * 100) if re.fullmatch(r"-?\d+(\.\d+)?", row[5]) else 0 for row in made)
        end = ["TRAILER", str(len(made)), f"{cents / 100:.2f}", "", "", "", ""]
        return "".join(f"{','.join(row)}\r\n" for row in [head, *made, end]).encode()

    return spoil


def _column(at: int, change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return _rows(lambda rows: [[change(one) if n == at else one for n, one in enumerate(row)] for row in rows])


def _sorted_ids(rows: list[list[str]]) -> list[list[str]]:
    return [[account, *row[1:]] for account, row in zip(sorted((row[0] for row in rows), reverse=True), rows, strict=True)]


_TITLES = '"User ID", "User Type", "Violation Number", "Violation Type", "Violation Date", "Amount Owed", "Status"]'
_FULL, _CHANGES = 'files = ["violations_full_*.csv"]', 'files = ["violations_changes_*.csv"]'

_STATUSES = "[sources.parking.violations.statuses]" + AGREED.partition("[sources.parking.violations.statuses]")[2].partition("[[")[0]

TABLE = (
    _set("the id is read from the violation number", ('id = "User ID"', 'id = "Violation Number"')),
    _set("the id is read from the user type", ('id = "User ID"', 'id = "User Type"')),
    _set("the amount is read from the violation number", ('amount = "Amount Owed"', 'amount = "Violation Number"')),
    _set("the amount is read from the date", ('amount = "Amount Owed"', 'amount = "Violation Date"')),
    _set("the amount is read from the id", ('amount = "Amount Owed"', 'amount = "User ID"')),
    _set("the violation's number is read from the id", ('reference = "Violation Number"', 'reference = "User ID"')),
    _set("the violation's number is read from its type", ('reference = "Violation Number"', 'reference = "Violation Type"')),
    _set("no column is the violation's number: each row is a person's whole balance", ('reference = "Violation Number"\n', "")),
    _set("user type and violation type are swapped", ('user_type = "User Type"', 'user_type = "Violation Type"')),
    _set("no column is the user type", ('user_type = "User Type"\n', "")),
    _set("the status is read from the violation type", ('status = "Status"', 'status = "Violation Type"')),
    _set(
        "no column is the status",
        ('status = "Status"\n', ""),
        (_STATUSES, ""),
    ),
    _set("the date is read from the amount", ('violated_on = "Violation Date"', 'violated_on = "Amount Owed"')),
    _set("no column is the date, and a grace is agreed", ('violated_on = "Violation Date"\n', "")),
    _set(
        "two titles stand in the wrong order: id and number",
        (_TITLES, _TITLES.replace("User ID", "?").replace("Violation Number", "User ID").replace("?", "Violation Number")),
    ),
    _set(
        "two titles stand in the wrong order: amount and date",
        (_TITLES, _TITLES.replace("Amount Owed", "?").replace("Violation Date", "Amount Owed").replace("?", "Violation Date")),
    ),
    _set("a title is missing", (_TITLES, _TITLES.replace('"User Type", ', ""))),
    _set("the list is said to have no heading", ('settle = "0s"\n', 'settle = "0s"\nheading = false\n')),
    _set("the columns are said to be parted by semicolons", ('settle = "0s"\n', 'settle = "0s"\ndelimiter = ";"\n')),
    _set("the encoding is said to be windows-1252", ('settle = "0s"\n', 'settle = "0s"\nencoding = "windows-1252"\n')),
    _set("the encoding is said to be ASCII", ('settle = "0s"\n', 'settle = "0s"\nencoding = "ascii"\n')),
    _set("amounts are said to have no decimal point", ('settle = "0s"\n', 'settle = "0s"\npoint = false\n')),
    _set("columns are said to be fixed", ('settle = "0s"\n', 'settle = "0s"\nform = "fixed"\nwidth = 80\n')),
    _set("days and months are swapped", ('"MM/DD/YYYY"', '"DD/MM/YYYY"')),
    _set("the trailer's total is said to stand in another column", ("total = 3", "total = 2")),
    _set('"Open" is said to mean void', ('Open = "open"', 'Open = "void"')),
    _set('"Open" is said to mean paid', ('Open = "open"', 'Open = "paid"')),
    _set('"Open" is said to mean disputed', ('Open = "open"', 'Open = "disputed"')),
    _set('"Open" is said to be no evidence', ('Open = "open"', 'Open = "not_evidence"')),
    _set('"Open" is not explained', ('Open = "open"\n', "")),
    _set('"Appealed" is said to mean open', ('Appealed = "disputed"', 'Appealed = "open"')),
    _set('"Appealed" is said to mean paid', ('Appealed = "disputed"', 'Appealed = "paid"')),
    _set('"Appealed" is not explained', ('Appealed = "disputed"\n', "")),
    _set("lists of changes are taken for complete ones, and the other way round", (_FULL, "?"), (_CHANGES, _FULL), ("?", _CHANGES)),
    _set("lists of changes are said to be complete", ('kind = "changes"', 'kind = "full"')),
    _set("the time of a list is read from its running number", (r"as_of = '(\d{8})_(\d{6})'", r"as_of = '_(\d{4})\.csv'")),
    _set(
        "the amount of a violation may be at most 5.00",
        ('timezone = "America/Los_Angeles"\n[[', 'timezone = "America/Los_Angeles"\namount_max = "5.00"\n[['),
    ),
    _set("threshold: 0.25 for 25.00", ('"25.00"', '"0.25"')),
    _set("threshold: 0.00", ('"25.00"', '"0.00"')),
    _set("threshold: 2500.00 for 25.00", ('"25.00"', '"2500.00"')),
    _set("the grace is dropped", ('grace = "3d"', 'grace = "0d"')),
    _set("students are dropped from the user types", ('["Student", "Staff"]', '["Staff"]')),
    _set("a user type is misspelt", ('["Student", "Staff"]', '["Studnet", "Staff"]')),
    _set("the user types are dropped", ('user_types = ["Student", "Staff"]\n', "")),
    _set("students are said to be exempt", ('disputed = "wait"', 'disputed = "wait"\nexempt_types = ["Student"]')),
    _set("the types that count for no hold are dropped", (f'left_out = ["{COURTESY}"]', "left_out = []")),
    _set("the commonest type is said to count for no hold", (f'left_out = ["{COURTESY}"]', 'left_out = ["No permit"]')),
    _set("what is disputed is to count", ('disputed = "wait"', 'disputed = "count"')),
    _set("the hold code is misspelt", ('code = "PRK"', 'code = "PRX"')),
    _set("the reason is misspelt", ('reason = "PKCIT"', 'reason = "PKCTI"')),
    _set("the institution is misspelt", ('institution = "EXCCD"', 'institution = "EXCDC"')),
    _set("no hold above 10.00 may be written", ('disputed = "wait"', 'disputed = "wait"\namount_max = "10.00"')),
    _set("the evidence may be one minute old", ('disputed = "wait"', 'disputed = "wait"\nevidence_max_age = "1m"')),
    _set("added holds go out in the layout of releases", ('"generic-holds-added"', '"generic-holds-released"')),
    _file("the list is empty", lambda content: content.splitlines(keepends=True)[0] + b"TRAILER,0,0.00,,,,\r\n"),
    _file("the file has no byte", lambda _content: b""),
    _file("the list is cut in the middle of a line", lambda content: content[: len(content) // 2 - 7]),
    _file("the list is cut at a line end", lambda content: b"".join(content.splitlines(keepends=True)[:-9])),
    _file("the office's program lists the first half only", _rows(lambda rows: rows[: len(rows) // 2])),
    _file("the office's program lists one row only", _rows(lambda rows: rows[:1])),
    _file("each row stands there twice", _rows(lambda rows: [*rows, *rows])),
    _file(
        "each row stands there twice, the second time with another amount", _rows(lambda rows: [*rows, *([*row[:5], "1.00", row[6]] for row in rows)])
    ),
    _file("amounts are in cents", _column(5, lambda amount: amount.replace(".", ""))),
    _file("amounts are a hundred times too large", _column(5, lambda amount: f"{amount.replace('.', '')}.00")),
    _file("every amount is 0.00", _column(5, lambda _amount: "0.00")),
    _file("every amount is negative", _column(5, lambda amount: f"-{amount}")),
    _file("every amount is blank", _column(5, lambda _amount: "")),
    _file("ids have lost their leading zeros", _column(0, lambda account: account.lstrip("0"))),
    _file("ids are another system's", _column(0, lambda account: f"9{account[1:]}")),
    _file("one column was sorted and the others were not", _rows(_sorted_ids)),
    _file("the user type is blank", _column(1, lambda _one: "")),
    _file("every status is in another language", _column(6, lambda _one: "Offen")),
    _file("every violation is said to be under appeal", _column(6, lambda _one: "Appealed")),
    _file("a column was put in front", lambda content: b"".join(b"1," + line for line in content.splitlines(keepends=True))),
    _file(
        "the list is the test system's: other numbers, few people",
        _rows(lambda rows: [[row[0], row[1], f"T{row[2]}", *row[3:]] for row in rows[:40]]),
    ),
    _file("the numbers begin anew: every violation has a new one", _rows(lambda rows: [[*row[:2], f"N{row[2]}", *row[3:]] for row in rows])),
    _file("the file is in UTF-16", lambda content: content.decode().encode("utf-16")),
    _file("an error page lies there instead", lambda _content: b"<html><body>502 Bad Gateway</body></html>\n"),
    _name("the list's name says last week", r"\d{8}", "20260901"),
    _name("the list's name says ten years from now", r"_(\d{4})(\d{4})_", r"_2036\2_"),
    _name("the list lies there under the name of a list of changes", "full", "changes"),
)
