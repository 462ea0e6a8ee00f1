"""What a campus and its parking office agreed about one kind of file, as values, and what each column of it becomes.

No parking system publishes the columns of its files (parking.md), so all of it is settings; docs/systems/parking.md shows `COLUMNS`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bursarbridge.ledger.facts import Standing


class Column(NamedTuple):
    """One column the reader knows."""

    name: str
    """As the settings call it."""
    becomes: str
    """The part of `Violation` it fills, or ""."""
    rule: str
    sure: str
    """Where the knowledge is from: documented (the maker's public manual), inferred, assumed (a setting stands in for it)."""


COLUMNS = (
    Column("id", "account", "text, leading zeros kept, blanks round it let go; the whole must match the agreed pattern; needed", "documented (H, B)"),
    Column("amount", "cents", "what is still owed: exact, never negative, at most two decimals; needed", "documented (H)"),
    Column("user_type", "user_type", "text", "documented (H)"),
    Column("reference", "reference", "the violation's number, at most 60 characters; without it a row is the person's whole balance", "inferred"),
    Column("category", "category", "the violation type; text", "documented (H)"),
    Column("violated_on", "violated_on", "a date in one of the agreed forms, or blank; a time of day after it is not read", "documented (H)"),
    Column("status", "status", "one of the agreed words; without this column a row is open, or paid when it owes 0.00", "documented (W, A)"),
    Column("currency", "", "must be the agreed code; without this column the amounts are in it", "assumed"),
    Column("environment", "", "must fit the agreed pattern in every row, else the whole file is another environment's", "assumed"),
)
"""Every column there can be, in the order of a kept record."""

NOT_EVIDENCE = "not_evidence"
"""What a status word may mean beside a `Standing`: the row says nothing about what is owed (parking.md A: a *system processed* payment)."""

MEANINGS = (*(one.value for one in Standing if one is not Standing.ABSENT), NOT_EVIDENCE)
"""What a status word of the office may mean. That a violation is gone from a list is our own conclusion, never a word of theirs."""

Place = tuple[int, int]
"""Where a value stands: first column and width, both from 1, in fixed columns; the number of the column from 1, and 0, in a delimited row."""


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last line, which speaks of the whole file."""

    mark: str
    """What it begins with: in a delimited file its whole first column."""
    count: Place | None
    """How many rows the file has."""
    total: Place | None
    """The sum of the amounts as printed."""


@dataclass(frozen=True, slots=True)
class ViolationForm:
    """One kind of file. Patterns are regular expressions as text, so that the whole can be handed to another process and compared."""

    name: str
    """By which errors call the file."""
    kind: str
    """full, changes, added or released."""
    columns: tuple[tuple[str, Place], ...]
    """Names of `COLUMNS` with their places."""
    account_pattern: str
    """The whole of an id matches it."""
    currency: str
    amount_max_cents: int
    """A single row that owes more waits for a person."""
    delimiter: str = ""
    """"" for fixed columns."""
    titles: tuple[str, ...] = ()
    """Of a delimited file: all its columns in order, those nobody reads as well."""
    heading: bool = True
    """Whether a delimited file says its titles in a line of their own."""
    spanning: bool = False
    """Whether a text in quotes may hold a line end."""
    width: int = 0
    """Of fixed columns: the length of every line."""
    encoding: str = "utf-8"
    dates: tuple[str, ...] = ("YYYY-MM-DD",)
    point: bool = True
    """Whether amounts show their decimal point; without, the last two digits are cents."""
    statuses: tuple[tuple[str, str], ...] = ()
    """The office's words and what each means (`MEANINGS`)."""
    first_line: str = ""
    """A line before all others fits it; "" when there is none."""
    environment: str = ""
    """The column environment fits it in every row."""
    trailer: Trailer | None = None
