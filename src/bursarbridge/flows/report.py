"""What a report says, before anybody decides how it looks: a verdict, tables, what to do next, and a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bursarbridge.flows.sheet import Sheet
from bursarbridge.ledger.words import moment

PII = ("none", "id", "id+initials", "full")
"""How much a report says about a person, least first (ux.md 5)."""
SHOWN = 50
"""Rows of one list in a mail."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every report knows beside its facts."""

    campus: str
    zone: ZoneInfo
    now: str
    """UTC, ISO 8601."""
    sandbox: bool
    pii: str = "id+initials"
    titles: bool = False

    @property
    def as_of(self) -> str:
        """`now` for people, in campus time: "Tue Nov 17, 7:30 AM PST"."""
        return moment(self.now, self.zone)

    @property
    def day(self) -> str:
        """The day for a subject: "Tue Nov 17"."""
        return self.as_of.partition(",")[0]

    @property
    def today(self) -> date:
        """The campus date of `now`."""
        return datetime.fromisoformat(self.now).astimezone(self.zone).date()

    def person(self, account: str, initials: str = "", name: str = "") -> str:
        """As much of a person as this report may say; "" for nobody, and at level none for everybody."""
        if self.pii == "none":
            return ""
        more = {"id+initials": initials, "full": name or initials}.get(self.pii, "")
        return f"{account} {more}".strip()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a few cells, each of lines; the first line is the important one. The last cell is an amount in cents.

    In a table of numbers the cells after the first are numbers, of one line each.
    """

    cells: tuple[tuple[str, ...], ...]
    cents: int
    link: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A list with what it means. `mark` and `tone` tell its urgency in a sign and a word of the palette: bad, warn, info or idle."""

    title: str
    mark: str
    tone: str
    words: str
    columns: tuple[str, ...]
    """One name for each cell, and one for the amount."""
    rows: tuple[Row, ...]
    """At most SHOWN: a mail is no archive, and the sheet has them all."""
    count: int
    """How many things it is about, shown or not."""
    cents: int
    """Their sum."""
    noun: str = "item"
    complete: bool = True
    """Whether each row is one of those things, so that rows can be missing."""
    money: bool = True
    """Whether the sum of the amounts means anything."""
    numbers: bool = False
    """A table of numbers: a few rows with a number in every column, and no count of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report for one reader."""

    name: str
    subject: str
    """Kind, numbers and day; never a name or an id of a person."""
    verdict: str
    """The first line anybody reads."""
    tables: tuple[Table, ...]
    steps: tuple[str, ...]
    """What to do or type next."""
    sheet: Sheet
    library: str = ""
    people: bool = False
    """Whether it says anything of a person."""
    more_sheets: tuple[Sheet, ...] = ()
    asked: str = ""
    """What fetches the same report again, behind its name: " --run NAME"."""
    comes: str = "This report comes when its lists are empty too, so a day without it means trouble."
    """When it comes, for its foot."""
