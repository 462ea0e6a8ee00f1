"""A fixed field's columns as a regular expression, and its padding on and off."""

import re
from collections.abc import Callable
from functools import lru_cache

from bursarbridge.formats.shape import ABSENT, Align, Blank, Field, FieldKind, Layout, Record, Sign, Value
from bursarbridge.formats.values import REMEMBERED, date_pattern, from_text, to_text, unfit
from bursarbridge.ledger.money import text_of


def line_pattern(layout: Layout, record: Record) -> str:
    """The expression of a whole line without its newline; one group per carried field, gaps are blanks."""
    pieces, at = [], 1
    for field in record.fields:
        group = f"({pattern(layout, field)})" if field.carries else pattern(layout, field)
        pieces += [" " * (field.start - at), group]
        at = field.end + 1
    return "".join(pieces) + " " * (record.width - at + 1 if record.fields[-1].width else 0)


def pattern(layout: Layout, field: Field) -> str:
    """The expression of the field's own columns, exactly as wide as they are; it has no group of its own."""
    if field.blank is Blank.ALWAYS:
        return f" {{{field.width}}}"
    if field.kind is FieldKind.LITERAL:
        return re.escape(field.literal.ljust(field.width))
    if field.kind is FieldKind.TEXT:
        return _text_pattern(layout, field)
    filled = _PATTERNS[field.kind](field)
    return f"(?:{filled}| {{{field.width}}})" if field.blank is Blank.ALLOWED else f"(?:{filled})"


def open_field(record: Record) -> Field | None:
    """The record's last field when it runs to the end of the line."""
    return None if record.fields[-1].width else record.fields[-1]


def padded(field: Field) -> Callable[[Value], str]:
    """A function that prints the value with its padding, as wide as the columns or wider when it does not fit.

    Raises Unreadable as the field's value does; text is not looked at (the line's guard does that).
    """
    width, zeros = field.width, field.pad == "0"
    if field.kind is FieldKind.AMOUNT:
        return _padded_amount(field)
    if field.kind in (FieldKind.DATE, FieldKind.CHOICE):  # few distinct values, all shorter than the columns or refused
        strict = to_text(field)
        return lru_cache(REMEMBERED)(lambda value: strict(value).ljust(width))
    printed = str if field.kind is FieldKind.TEXT else to_text(field)
    fill, right = "0" if zeros else " ", field.align is Align.RIGHT

    def text(value: Value) -> str:
        plain = printed(value)
        return plain.rjust(width, fill) if right and plain else plain.ljust(width)

    return text


def unfolded(field: Field) -> Callable[[str], Value]:
    """A function from the field's columns, which already match its pattern, to its value."""
    if field.kind is FieldKind.TEXT:
        return _unpadded_text(field)
    if field.kind is FieldKind.AMOUNT:
        return _unpadded_amount(field)
    if field.kind is FieldKind.COUNT:
        return lambda text: int(text) if text.strip(" ") else ABSENT
    read = from_text(field)
    return lru_cache(REMEMBERED)(lambda text: read(text.strip(" ")))


def stripped(value: Value) -> Value:
    """The value as its columns will show it: blanks at the end of a text do not count as content or width."""
    return value.strip(" ") if isinstance(value, str) else value


def _padded_amount(field: Field) -> Callable[[Value], str]:
    width, zeros, point = field.width, field.pad == "0", field.point
    absolute, unsigned, optional = field.sign is Sign.ABSOLUTE, field.sign is Sign.UNSIGNED, field.blank is Blank.ALLOWED
    strict = to_text(field)
    quick, whole, most = zeros and point, width - 3, 10 ** (width - 1)

    def amount(value: Value) -> str:
        if optional and value == ABSENT:
            return " " * width
        cents = abs(int(value)) if absolute else int(value)
        if quick and 0 <= cents < most:
            return f"{cents // 100:0{whole}d}.{cents % 100:02d}"
        if cents < 0 and unsigned:
            return strict(value)
        text = text_of(cents) if point else str(cents)
        if len(text) > width:
            return strict(value)
        return text.zfill(width) if zeros else text.rjust(width)

    return amount


def _unpadded_text(field: Field) -> Callable[[str], Value]:
    if field.pad == "0" or not field.width:
        return str
    return str.rstrip if field.align is Align.LEFT else str.lstrip  # the only white space the pattern lets through is the blank


def _unpadded_amount(field: Field) -> Callable[[str], Value]:
    optional = field.blank is Blank.ALLOWED

    def amount(text: str) -> Value:
        if optional and not text.strip(" "):
            return ABSENT
        cents = int(text.replace(".", ""))
        if not cents and "-" in text:
            raise unfit(field, "amount", f'"{text}" is a negative zero')
        return cents

    return amount


def _text_pattern(layout: Layout, field: Field) -> str:
    characters = "[ -~]" if layout.encoding == "ascii" else r"[^\x00-\x1f\x7f-\xa0]"
    width = field.width
    if not width:
        return f"{characters}*" if field.blank is Blank.ALLOWED else rf"(?= *[^ \x00-\x1f]){characters}+"
    return f"{characters}{{{width}}}" if field.blank is Blank.ALLOWED else f"(?! {{{width}}}){characters}{{{width}}}"


def _digits_pattern(field: Field) -> str:
    width = field.width
    if field.pad != " ":
        return f"[0-9]{{{width}}}"
    blanks = [(f"[0-9]{{{width - n}}}", f" {{{n}}}" if n else "") for n in range(width)]
    return "|".join(digits + blank if field.align is Align.LEFT else blank + digits for digits, blank in blanks)


def _amount_pattern(field: Field) -> str:
    end = r"\.[0-9]{2}" if field.point else ""
    spare = 3 if field.point else 0
    signed = field.sign is Sign.SIGNED

    def digits(width: int) -> str:
        plain = f"[0-9]{{{width - spare}}}"
        return f"(?:{plain}|-[0-9]{{{width - spare - 1}}})" if signed and width - spare > 1 else plain

    if field.pad == "0":
        return digits(field.width) + end
    return "|".join((f" {{{n}}}" if n else "") + digits(field.width - n) + end for n in range(field.width - spare))


def _date_pattern(field: Field) -> str:
    form = field.dates[0]
    return date_pattern(form) + " " * (field.width - len(form))


def _choice_pattern(field: Field) -> str:
    return "|".join(re.escape(text.ljust(field.width)) for _, text in field.choices)


_PATTERNS: dict[FieldKind, Callable[[Field], str]] = {
    FieldKind.DIGITS: _digits_pattern,
    FieldKind.COUNT: _digits_pattern,
    FieldKind.AMOUNT: _amount_pattern,
    FieldKind.DATE: _date_pattern,
    FieldKind.CHOICE: _choice_pattern,
}
