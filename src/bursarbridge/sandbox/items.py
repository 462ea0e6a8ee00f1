"""What PeopleSoft keeps: groups of loaded lines, items on student accounts, and the payments applied to them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ChargeLine(NamedTuple):
    """One detail line of a charge file, as loaded."""

    business_unit: str
    emplid: str
    item_type: str
    account_type: str
    term: str
    cents: int
    direction: str
    """`C` for a charge, `R` for a reversal."""
    due_on: str
    reference: str
    description: str
    effective_on: str

    @property
    def takes_back(self) -> bool:
        """Whether it lowers the account instead of charging it: a reversal, a credit, or an amount below zero."""
        return self.direction != "C" or self.cents < 0


class PostStatus(StrEnum):
    """How far a group got; the letters are POST_STATUS in GROUP_CONT_INFO (peoplesoft.md 1.3)."""

    NOT_POSTED = "N"
    COMPLETE = "C"
    ERRORS = "E"


class LoadedLine(NamedTuple):
    """A line of a group with the bursar's words for why it cannot post (peoplesoft.md 1.4), or ""."""

    line: ChargeLine
    objection: str


@dataclass(slots=True)
class Group:
    """A loaded file, suspended until it is posted."""

    number: str
    file_name: str
    lines: list[LoadedLine]
    blocked_because: str
    """Why nothing of the group may post ("Do Not Post", peoplesoft.md 1.4), or ""."""
    post_status: PostStatus = PostStatus.NOT_POSTED

    @property
    def cents(self) -> int:
        """The sum of every line in cents, good or bad."""
        return sum(loaded.line.cents for loaded in self.lines)

    @property
    def turned(self) -> bool:
        """Whether its lines take charges back: flagged, or below zero."""
        return any(loaded.line.takes_back for loaded in self.lines)

    @property
    def good(self) -> list[ChargeLine]:
        """The lines that will post."""
        return [] if self.blocked_because else [loaded.line for loaded in self.lines if not loaded.objection]

    @property
    def refused(self) -> list[LoadedLine]:
        """The lines that will not, each with its reason."""
        return [loaded for loaded in self.lines if loaded.objection]


@dataclass(slots=True)
class Item:
    """One charge on an account: ITEM_SF with its amount and what has been applied to it (peoplesoft.md 2.1)."""

    number: str
    emplid: str
    item_type: str
    term: str
    reference: str
    description: str
    amount_cents: int
    posted_at: datetime
    applied_cents: int = 0
    credited_cents: int = 0
    """Taken back by waivers and reversals."""

    @property
    def open_cents(self) -> int:
        """What the student still owes on it."""
        return max(0, self.amount_cents - self.applied_cents - self.credited_cents)

    @property
    def excess_cents(self) -> int:
        """Paid or taken back beyond its amount: a credit on the account."""
        return max(0, self.applied_cents + self.credited_cents - self.amount_cents)


@dataclass(slots=True)
class Payment:
    """Money received for one item; what the item had no room for is credit on the account."""

    number: str
    item: Item
    cents: int
    applied_cents: int
    method: str
    paid_at: datetime
    reversed: bool = False
