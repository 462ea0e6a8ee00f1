"""What a layout is, as values: a file's form, its records, their fields. Nothing here reads or writes."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

Value = str | int
"""What a field carries inside: text, digits, choice and date (YYYY-MM-DD, "" when blank) as str; cents and counts as int."""

Row = tuple[Value, ...]
"""One record's values, in the order of `Record.names`."""

ABSENT = -1
"""A blank amount or count; so an amount that may be blank cannot be signed."""


class Form(StrEnum):
    """How a line is cut into fields."""

    FIXED = "fixed"
    DELIMITED = "delimited"


class RecordKind(StrEnum):
    """Where a record stands: the first line, any line between, the last line."""

    HEADER = "header"
    DETAIL = "detail"
    TRAILER = "trailer"


class FieldKind(StrEnum):
    """What the characters of a field mean."""

    TEXT = "text"
    DIGITS = "digits"
    AMOUNT = "amount"
    COUNT = "count"
    DATE = "date"
    CHOICE = "choice"
    LITERAL = "literal"


class Align(StrEnum):
    """Where a value stands in its columns."""

    LEFT = "left"
    RIGHT = "right"


class Blank(StrEnum):
    """Whether a field may be empty; an always blank field carries no value."""

    NEVER = "never"
    ALLOWED = "allowed"
    ALWAYS = "always"


class Sign(StrEnum):
    """How an amount shows its direction: never negative, a leading minus, or without its sign."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    ABSOLUTE = "absolute"


class Credits(StrEnum):
    """The sign a credit's amount gets in this field."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True)
class Field:
    """One field of a record. Columns are 1-based; `start` is 0 in a delimited file."""

    name: str
    kind: FieldKind
    start: int = 0
    width: int = 0
    """Columns; in a delimited file the most characters, 0 for no limit; 0 in a fixed one runs to the end of the line."""
    title: str = ""
    """The column's heading in a delimited file."""
    align: Align = Align.LEFT
    pad: str = " "
    """What fills the columns; "" for digits that have to fill them themselves."""
    blank: Blank = Blank.NEVER
    literal: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Our word and the text that stands for it."""
    dates: tuple[str, ...] = ()
    """Accepted forms made of YYYY, YY, MM, DD; the first is the one written."""
    sign: Sign = Sign.UNSIGNED
    point: bool = True
    """Whether an amount shows its decimal point; without, the last two digits are cents."""
    credits: Credits = Credits.POSITIVE
    about: str = ""

    @property
    def carries(self) -> bool:
        """Whether the field has a value of its own."""
        return self.kind is not FieldKind.LITERAL and self.blank is not Blank.ALWAYS

    @property
    def end(self) -> int:
        """The last column; for a field that runs to the end of the line, its first."""
        return self.start + max(self.width, 1) - 1

    @property
    def where(self) -> str:
        """The field in words, for errors."""
        return f"field {self.title or self.name}"


@dataclass(frozen=True)
class Record:
    """One kind of line."""

    kind: RecordKind
    fields: tuple[Field, ...]
    width: int = 0
    """The whole line's columns when it is longer than its last field; else 0."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the fields that carry values, in order: what a Row's places mean."""
        return tuple(field.name for field in self.fields if field.carries)


@dataclass(frozen=True)
class Layout:
    """One file layout: the same declaration reads and writes."""

    name: str
    form: Form
    encoding: str
    newline: str
    records: tuple[Record, ...]
    delimiter: str = ","
    heading: bool = False
    """Whether a delimited file begins with a row of titles."""
    about: str = ""

    def record(self, kind: RecordKind) -> Record | None:
        """The record of that kind, if the layout has one."""
        return next((record for record in self.records if record.kind is kind), None)

    @cached_property
    def detail(self) -> Record:
        """The detail record, which every layout has."""
        return next(record for record in self.records if record.kind is RecordKind.DETAIL)
