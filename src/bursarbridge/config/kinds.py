"""What a value may be: each function reads one node into a value or raises Flaw with the words and the cure."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final, NoReturn, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Flaw
from bursarbridge.config.nodes import Node
from bursarbridge.config.syntax import parse
from bursarbridge.errors import Unreadable
from bursarbridge.ledger.money import cents_of

T = TypeVar("T")
Kind = Callable[[Node, Desk], T]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_MONTH_DAY = re.compile(r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", re.ASCII)


def text(node: Node, desk: Desk) -> str:
    """Text that is not blank."""
    value = loose_text(node, desk)
    if not value.strip():
        raise Flaw("C009", f"{node.name} is blank", f"give {node.name} a value")
    return value


def loose_text(node: Node, _desk: Desk) -> str:
    """Text that may be empty."""
    value = node.value
    if node.kind != "value":
        raise Flaw("C005", f"{node.name} is a {node.kind}, but a text belongs here", f'{node.name} = "..."')
    if not isinstance(value, str):
        written = _written(value)
        raise Flaw("C006", f"{node.name} = {written} is not in quotes", f'write it in quotes: {node.name} = "{written}"')
    return value


def code(form: str, words: str) -> Kind[str]:
    """Text of a given form, said in words: a code of another system, kept letter by letter."""
    pattern = re.compile(form, re.ASCII)

    def read(node: Node, desk: Desk) -> str:
        value = text(node, desk)
        if not pattern.fullmatch(value):
            raise Flaw("C033", f'{node.name} "{value}" is not {words}', f"{node.name} is {words}: ask the office that gave the code")
        return value

    return read


def choice(*words: str) -> Kind[str]:
    """One of some words."""

    def read(node: Node, desk: Desk) -> str:
        value = text(node, desk)
        if value not in words:
            _not_known("C008", f'{node.name} "{value}" is not one of: {listed(words)}', value, words, node.name)
        return value

    return read


def zone(node: Node, desk: Desk) -> ZoneInfo:
    """A time zone by its IANA name."""
    value = text(node, desk)
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = tuple(sorted(available_timezones()))
        if not known:
            raise Flaw("C010", "this machine has no time zone database", "install the system package tzdata") from None
        _not_known("C010", f'"{value}" is not a time zone', value, known, node.name, otherwise='an IANA name such as "America/Los_Angeles"')


def span(*, zero: bool = False) -> Kind[timedelta]:
    """A length of time: "30s", "15m", "2h", "1d"; longer than none unless `zero`."""

    def read(node: Node, desk: Desk) -> timedelta:
        value = text(node, desk)
        match = _DURATION.fullmatch(value)
        if match is None:
            raise Flaw("C011", f'{node.name} "{value}" is not a length of time', f'a whole number and s, m, h or d: {node.name} = "30s"')
        seconds = int(match[1]) * _UNITS[match[2]]
        if not seconds and not zero:
            raise Flaw("C013", f'{node.name} "{value}" is no time at all', f'longer than 0: {node.name} = "2h"')
        return timedelta(seconds=seconds)

    return read


def span_or_never(node: Node, desk: Desk) -> timedelta | None:
    """A length of time, or "" for never."""
    return span()(node, desk) if loose_text(node, desk) else None


def limit(node: Node, desk: Desk) -> int:
    """An amount of money above zero, in cents; written as quoted decimal text."""
    value = text(node, desk)
    try:
        cents = cents_of(value)
    except Unreadable as error:
        raise Flaw("C012", f"{node.name}: {error.words}", f'{node.name} = "5000.00"') from None
    if cents <= 0:
        raise Flaw("C013", f'{node.name} "{value}" is not above zero', f'an amount above 0.00: {node.name} = "5000.00"')
    return cents


def yes_no(node: Node, _desk: Desk) -> bool:
    """true or false, without quotes."""
    value = node.value
    if node.variable and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise Flaw("C005", f"{node.name} is neither true nor false", f"without quotes: {node.name} = true")
    return value


def whole(low: int, high: int, unit: str) -> Kind[int]:
    """A whole number without quotes, within bounds."""

    def read(node: Node, _desk: Desk) -> int:
        value = node.value
        if node.variable and isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Flaw("C005", f"{node.name} is not a whole number", f"a number without quotes, from {low} to {high}: {node.name} = {low}")
        if not low <= value <= high:
            number = "C013" if value <= 0 < low else "C039"
            raise Flaw(number, f"{node.name} = {value} is not from {low} to {high} {unit}", f"{node.name} = a number from {low} to {high}")
        return value

    return read


def day(node: Node, desk: Desk) -> date:
    """A campus date, "2026-08-01"; TOML's own unquoted date is accepted as well."""
    if isinstance(node.value, date) and not isinstance(node.value, datetime):
        return node.value
    value = text(node, desk)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Flaw("C028", f'{node.name} "{value}" is not a date', f'year, month and day: {node.name} = "2026-08-01"') from None


def day_or_open(node: Node, desk: Desk) -> date:
    """A campus date, or "" for an end that is still open (the last day there is)."""
    return date.max if node.value == "" and node.kind == "value" else day(node, desk)


def month_day(node: Node, desk: Desk) -> str:
    """A day of every year, "07-01"."""
    value = text(node, desk)
    if not _MONTH_DAY.fullmatch(value):
        raise Flaw("C028", f'{node.name} "{value}" is not a day of the year', f'month and day: {node.name} = "07-01"')
    return value


def expression(*, groups: int = 0) -> Kind[re.Pattern[str]]:
    """A regular expression with at least so many groups, compiled for ASCII digits and letters."""

    def read(node: Node, desk: Desk) -> re.Pattern[str]:
        value = text(node, desk)
        try:
            pattern = re.compile(value, re.ASCII)
        except re.error as error:
            raise Flaw("C015", f"{node.name} is not a regular expression: {error}", f"{node.name} = '^\\d{{7,11}}$', between single quotes") from None
        if pattern.groups < groups:
            raise Flaw("C015", f"{node.name} has no group ( ) for the part that is wanted", f"put parentheses round it: {node.name} = '(\\d{{8}})'")
        return pattern

    return read


def words(each: Kind[T], *, least: int = 0) -> Kind[tuple[T, ...]]:
    """A list of texts, at least so many."""

    def read(node: Node, desk: Desk) -> tuple[T, ...]:
        if node.kind != "list" and not (node.variable and isinstance(node.value, str)):
            raise Flaw("C005", f"{node.name} is not a list", f'{node.name} = ["..."]')
        rows = node.rows if node.kind == "list" else _from_variable(node)
        if len(rows) < least:
            raise Flaw("C009", f"{node.name} is empty", f'name at least one: {node.name} = ["*.xml"]')
        return tuple(each(row, desk) for row in rows)

    return read


def _from_variable(node: Node) -> tuple[Node, ...]:
    """A list set by an environment variable: '["a", "b"]' as in the file, or a,b."""
    values = parse(f"list = {node.value}").values.get("list") if str(node.value).startswith("[") else str(node.value).split(",")
    return tuple(Node(node.path, node.place, value, variable=node.variable) for value in (values if isinstance(values, list) else []))


def _written(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _not_known(number: str, said: str, value: str, known: tuple[str, ...], key: str, *, otherwise: str = "") -> NoReturn:
    guess = nearest(value, known)
    raise Flaw(number, said, f'did you mean {key} = "{guess}"?' if guess else otherwise or f"write one of: {listed(known)}")
