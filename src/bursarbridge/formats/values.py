"""One field's value to text and back, strictly: exact or Unreadable. Padding is the fixed form's business, quoting the delimited one's."""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from bursarbridge.errors import Unreadable
from bursarbridge.formats.shape import ABSENT, Blank, Field, FieldKind, Sign, Value
from bursarbridge.ledger.money import CENTS_MAX, cents_of, text_of

_TOKENS = re.compile("YYYY|YY|MM|DD")
_PARTS = {"YYYY": "(?P<year>[0-9]{4})", "YY": "(?P<short>[0-9]{2})", "MM": "(?P<month>[0-9]{2})", "DD": "(?P<day>[0-9]{2})"}
_ISO = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
REMEMBERED = 4096
"""Distinct dates or words kept per field; a file names few."""


def to_text(field: Field) -> Callable[[Value], str]:
    """A function that prints the field's value without padding.

    It raises Unreadable with the field's name: "blank", "amount", "count", "date", "digits", "choice", "too_wide".
    """
    return _optional_to(field, _PRINT[field.kind](field))


def from_text(field: Field) -> Callable[[str], Value]:
    """A function that reads the field's text, already without padding; the inverse of to_text, with the same errors."""
    return _optional_from(field, _READ[field.kind](field))


def date_pattern(form: str) -> str:
    """The regular expression of one date form: "MMDDYY" -> six digits."""
    return _TOKENS.sub(lambda token: f"[0-9]{{{len(token[0])}}}", re.escape(form))


def unfit(field: Field, code: str, words: str) -> Unreadable:
    """The error of one field's value."""
    return Unreadable(code, words, where=field.where)


def _optional_to(field: Field, written: Callable[[Value], str]) -> Callable[[Value], str]:
    empty: Value = ABSENT if field.kind in (FieldKind.AMOUNT, FieldKind.COUNT) else ""
    if field.blank is Blank.ALLOWED:
        return lambda value: "" if value == empty else written(value)
    if empty == ABSENT or field.kind is FieldKind.CHOICE:
        return written

    def required(value: Value) -> str:
        if value == "":
            raise unfit(field, "blank", "nothing stands here, and the layout asks for a value")
        return written(value)

    return required


def _optional_from(field: Field, read: Callable[[str], Value]) -> Callable[[str], Value]:
    empty: Value = ABSENT if field.kind in (FieldKind.AMOUNT, FieldKind.COUNT) else ""
    if field.blank is Blank.ALLOWED and read is str:
        return str
    if field.blank is Blank.ALLOWED:
        return lambda text: read(text) if text else empty
    if field.kind is FieldKind.CHOICE:
        return read

    def required(text: str) -> Value:
        if not text:
            raise unfit(field, "blank", "nothing stands here, and the layout asks for a value")
        return read(text)

    return required


def _print_text(field: Field) -> Callable[[Value], str]:
    width = field.width

    def printed(value: Value) -> str:
        text = str(value)
        if width and len(text) > width:
            raise unfit(field, "too_wide", f'"{text[:80]}" has {len(text)} characters, and the layout has room for {width}; nothing is cut')
        return text

    return printed


def _read_text(field: Field) -> Callable[[str], Value]:
    return _print_text(field) if field.width else str


def _print_digits(field: Field) -> Callable[[Value], str]:
    printed = _print_text(field)
    exact = field.width if field.pad == "" else 0

    def digits(value: Value) -> str:
        text = printed(value)
        if not (text.isascii() and text.isdecimal()):
            raise unfit(field, "digits", f'"{text[:40]}" has other characters than the digits 0 to 9')
        if exact and len(text) != exact:
            raise unfit(field, "too_narrow", f'"{text}" has {len(text)} digits, and the layout wants exactly {exact}; zeros are not made up')
        return text

    return digits


def _print_amount(field: Field) -> Callable[[Value], str]:
    width, absolute, signed, point = field.width, field.sign is Sign.ABSOLUTE, field.sign is Sign.SIGNED, field.point

    def amount(value: Value) -> str:
        cents = abs(int(value)) if absolute else int(value)
        if cents < 0 and not signed:
            raise unfit(field, "amount", f"{text_of(cents)} is negative, and this field has no sign")
        text = text_of(cents) if point else str(cents)
        if len(text) > width if width else abs(cents) > CENTS_MAX:
            raise unfit(field, "too_wide", f"{text} has {len(text)} characters, and the layout has room for {width or 12}; nothing is cut")
        return text

    return amount


def _read_amount(field: Field) -> Callable[[str], Value]:
    signed, point = field.sign is Sign.SIGNED, field.point

    def amount(text: str) -> Value:
        plain = text[:-3] + text[-2:]
        if point and text[-3:-2] == "." and 3 <= len(plain) <= 11 and plain.isascii() and plain.isdecimal():
            return int(plain)
        cents = _slow_cents(field, text) if point else _bare_cents(field, text)
        if cents < 0 and not signed:
            raise unfit(field, "amount", f'"{text[:40]}" is negative, and this field has no sign')
        return cents

    return amount


def _slow_cents(field: Field, text: str) -> int:
    try:
        return cents_of(text)
    except Unreadable as error:
        raise unfit(field, error.code, error.words) from error


def _bare_cents(field: Field, text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,11}", text, re.ASCII):
        raise unfit(field, "amount", f'"{text[:40]}" is not an amount in cents: at most eleven digits and no point')
    return int(text)


def _print_count(field: Field) -> Callable[[Value], str]:
    width = field.width

    def count(value: Value) -> str:
        text = str(value)
        if int(value) < 0:
            raise unfit(field, "count", f"{text} is negative")
        if width and len(text) > width:
            raise unfit(field, "too_wide", f"{text} has {len(text)} digits, and the layout has room for {width}; nothing is cut")
        return text

    return count


def _read_count(field: Field) -> Callable[[str], Value]:
    def count(text: str) -> Value:
        if not (len(text) <= 10 and text.isascii() and text.isdecimal()):
            raise unfit(field, "count", f'"{text[:40]}" is not a count: at most ten digits')
        return int(text)

    return count


def _print_date(field: Field) -> Callable[[Value], str]:
    form = field.dates[0]
    short = "YYYY" not in form

    @lru_cache(REMEMBERED)
    def printed(value: Value) -> str:
        text = str(value)
        day = _day(field, text, text)
        if short and not 2000 <= day.year <= 2099:
            raise unfit(field, "date", f'"{text}": a year of two digits here means 2000 to 2099')
        parts = {"YYYY": text[:4], "YY": text[2:4], "MM": text[5:7], "DD": text[8:10]}
        return _TOKENS.sub(lambda token: parts[token[0]], form)

    return printed


def _read_date(field: Field) -> Callable[[str], Value]:
    patterns = [re.compile(_TOKENS.sub(lambda token: _PARTS[token[0]], re.escape(form)), re.ASCII) for form in field.dates]

    @lru_cache(REMEMBERED)
    def read(text: str) -> Value:
        for pattern in patterns:
            match = pattern.fullmatch(text)
            if match:
                part = match.groupdict()
                iso = f"{part.get('year') or '20' + part['short']}-{part['month']}-{part['day']}"
                _day(field, iso, text)
                return iso
        raise unfit(field, "date", f'"{text[:40]}" is not a date written as {" or ".join(field.dates)}')

    return read


def _day(field: Field, iso: str, found: str) -> date:
    try:
        if _ISO.fullmatch(iso):  # fromisoformat alone would take a week form of the same length
            return date.fromisoformat(iso)
    except ValueError:
        pass
    raise unfit(field, "date", f'"{found[:40]}" is not a day of the calendar')


def _print_choice(field: Field) -> Callable[[Value], str]:
    texts: dict[Value, str] = dict(field.choices)

    def choice(value: Value) -> str:
        if value not in texts:
            raise unfit(field, "choice", f'"{str(value)[:40]}" is none of {", ".join(str(word) for word in texts)}')
        return texts[value]

    return choice


def _read_choice(field: Field) -> Callable[[str], Value]:
    words = {text: word for word, text in field.choices}

    def choice(text: str) -> Value:
        word = words.get(text)
        if word is None:
            raise unfit(field, "choice", f'"{text[:40]}" is none of {", ".join(words)}')
        return word

    return choice


def _literal(field: Field) -> Callable[[Value], str]:
    return lambda _: field.literal


_PRINT: dict[FieldKind, Callable[[Field], Callable[[Value], str]]] = {
    FieldKind.TEXT: _print_text,
    FieldKind.DIGITS: _print_digits,
    FieldKind.AMOUNT: _print_amount,
    FieldKind.COUNT: _print_count,
    FieldKind.DATE: _print_date,
    FieldKind.CHOICE: _print_choice,
    FieldKind.LITERAL: _literal,
}
_READ: dict[FieldKind, Callable[[Field], Callable[[str], Value]]] = {
    FieldKind.TEXT: _read_text,
    FieldKind.DIGITS: _print_digits,
    FieldKind.AMOUNT: _read_amount,
    FieldKind.COUNT: _read_count,
    FieldKind.DATE: _read_date,
    FieldKind.CHOICE: _read_choice,
    FieldKind.LITERAL: _literal,
}
