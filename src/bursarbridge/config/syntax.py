"""TOML text to values, naming every syntax fault at once: a broken line is noted, stilled, and the rest is read all the same."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final, NamedTuple

Value = str | int | float | bool | datetime | date | time | list["Value"] | dict[str, "Value"]

STILLED: Final = "\ue000stilled"
"""Stands for a value (or begins the name of a section) on a line that could not be read, so that nobody calls it missing or unknown."""


class Slip(NamedTuple):
    """One syntax fault: line and column from 1."""

    line: int
    column: int
    words: str
    cure: str


class Text(NamedTuple):
    """What could be read of a settings file, the text in which the broken lines are stilled, and the faults."""

    values: Mapping[str, Value]
    stilled: str
    slips: tuple[Slip, ...]


_SLIPS_MAX = 30
_NO_COMMA: Final = "no comma between two rows of a list"
_AT = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w\-]+(?:\s*\.\s*[\w\-]+)*)\s*(?:\]{0,2}\s*(?:#.*)?)?$")
_PAIR = re.compile(r"\s*([A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*)\s*(?:=|\s|$)")
_OPENS_LIST = re.compile(r"\s*[\w.\-\"']+\s*=\s*\[(?!.*\]\s*(?:#.*)?$)")
_LEADING_ZERO = re.compile(r"=\s*0\d+\s*(?:#.*)?$")
_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "Illegal character '\\n'": ("a text is not closed by a quotation mark on its own line", "close the text with a quotation mark"),
    "Unescaped '\\' in a string": ("a backslash stands in a text between double quotes", "put the text between single quotes: '...'"),
    "Unterminated string": ("a text is never closed", "close it with the same quotation marks it began with"),
    "Expected '='": ("a key has no value", "write key = value, with the text in quotes"),
    "Invalid value": ("the value is missing or not in quotes", 'put texts between quotation marks: key = "text"'),
    "Cannot overwrite": ("this key stands here a second time", "keep one of the two"),
    "Cannot declare": ("this section stands here a second time, or its values already stand above", "put the keys of both in one section"),
    "Cannot mutate immutable": ("this section adds to a list or table that was already closed above", "write every line of it in the same form"),
    "Unclosed array": ("a list [ ... ] is not closed, or a comma is missing in it", "close it with ] and put a comma between its values"),
    "Unclosed inline table": ("a table { ... } is not closed, or a comma is missing in it", "close it with } and put a comma between its keys"),
    "Invalid initial character": ("a name of a key was expected here", "a table { ... } stands on one line, with no comma after its last key"),
    "Expected ']": ("the name of a section is not closed", "close it: [section], or [[section]] for one of several"),
    "Expected newline": ("something follows after the value", "one key a line; put codes and texts in quotes"),
}


def parse(text: str) -> Text:
    """Reads TOML text; every line that is not TOML gives one slip and the others are read as if it were not there."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    slips: list[Slip] = []
    while len(slips) < _SLIPS_MAX:
        try:
            return Text(tomllib.loads("\n".join(lines)), "\n".join(lines), _once(slips))
        except tomllib.TOMLDecodeError as error:
            slips.append(_slip(str(error), lines))
            _still(lines, slips)
    return Text({}, "", _once(slips))


def _once(slips: list[Slip]) -> tuple[Slip, ...]:
    return tuple(dict.fromkeys(slips))


def _slip(message: str, lines: list[str]) -> Slip:
    match = _AT.fullmatch(message)
    reason, line, column = match.groups() if match else (message, None, None)
    at = int(line) if line else _last(lines)
    if _LEADING_ZERO.search(lines[at - 1]):
        return Slip(
            at, lines[at - 1].index("=") + 2, "a number with a leading zero is not TOML", "write codes in quotes, so that their zeros are kept"
        )
    before = _row_before(lines, at) if reason == "Unclosed array" else 0
    if before:
        return Slip(before, len(lines[before - 1].rstrip()), _NO_COMMA, "put a comma after it")
    opened = _opened(lines, at, whole=line is None)
    if opened != at:
        reason, at, column = "Unclosed array", opened, "1"
    words, cure = next((plain for start, plain in _PLAIN.items() if reason.startswith(start)), (reason, "see toml.io for how values are written"))
    return Slip(at, int(column or 1), words, cure)


def _row_before(lines: list[str], at: int) -> int:
    """The row of a list whose comma is missing, when line `at` begins the next row; else 0."""
    if lines[at - 1].lstrip()[:1] not in ("{", '"', "'"):
        return 0
    return next((number for number in range(at - 1, 0, -1) if lines[number - 1].strip()), 0)


def _last(lines: list[str]) -> int:
    """The line to blame when the end of the file came too soon: where the last text of several lines opened, else the last line."""
    marked = [number for number, line in enumerate(lines, 1) if '"""' in line or "'''" in line]
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    return (marked or filled or [1])[-1]


def _opened(lines: list[str], at: int, *, whole: bool) -> int:
    """Where the list began that a key, a section or the end of the file ran into; `at` itself when there is none."""
    text = lines[at - 1]
    if not whole and not _HEADER.fullmatch(text) and not re.match(r"\s*[\w.\-]+\s*=", text):
        return at
    for number in range(at if whole else at - 1, 0, -1):
        if _OPENS_LIST.match(lines[number - 1]):
            return number
        if _HEADER.fullmatch(lines[number - 1]) or lines[number - 1].rstrip().endswith("]"):
            break
    return at


def _still(lines: list[str], slips: list[Slip]) -> None:
    """Makes the blamed line harmless but keeps its key or section known; a line blamed twice is emptied."""
    slip = slips[-1]
    line = lines[slip.line - 1]
    again = any(other.line == slip.line and other.words == slip.words for other in slips[:-1])
    header, pair = _HEADER.fullmatch(line), _PAIR.match(line)
    if slip.words == _NO_COMMA and not again:
        following = next(number for number in range(slip.line, len(lines)) if lines[number].strip())
        lines[following] = f",{lines[following][1:] if lines[following][:1].isspace() else lines[following]}"
    elif header and "second time" in slip.words:
        lines[slip.line - 1] = f'["{STILLED}{slip.line}"]'
    elif header and not again:
        opening, name = header.groups()
        lines[slip.line - 1] = f"{opening}{name}{']' * len(opening)}"
    elif pair and not again and "second time" not in slip.words:
        lines[slip.line - 1] = f'{pair[1]} = "{STILLED}"'
        _empty_rest_of_list(lines, line, slip.line)
    else:
        lines[slip.line - 1] = ""


def _empty_rest_of_list(lines: list[str], opening: str, at: int) -> None:
    """After a list that never closed, the rows that belonged to it go as well."""
    if not _OPENS_LIST.match(opening):
        return
    for number in range(at, len(lines)):
        if lines[number].lstrip()[:1] not in ('"', "'", "{", "]", "#", ""):
            return
        lines[number] = ""
