"""Places money can be, and the entries that move it: append-only, positive, one obligation each."""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Place(IntEnum):
    """Where cents of an obligation are; the number is how the store writes it and never changes meaning."""

    OUTSIDE = 0
    SOURCE = 1
    IN_TRANSIT = 2
    BURSAR = 3
    PAID = 4
    WAIVED = 5
    SETTLED = 6
    STUDENT_CREDIT = 7

    @property
    def word(self) -> str:
        """The place's name in files, tables and pages: "in_transit"."""
        return self.name.lower()


class Kind(StrEnum):
    """Why cents moved; all amounts are positive, the kind and the two places carry the direction."""

    CHARGE = "charge"
    PAYMENT = "payment"
    REVERSAL = "reversal"
    WAIVER = "waiver"
    CREDIT = "credit"
    WITHDRAWAL = "withdrawal"


class Entry(NamedTuple):
    """`cents` of one obligation went from one place to another."""

    source: Place
    target: Place
    cents: int
    kind: Kind
