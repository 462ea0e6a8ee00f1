"""What came back and is still charged: three lists, by who moves next (ux.md 5, "Not lost with fees")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple


class ReturnedItem(NamedTuple):
    """One fee of an item that is not lost any more. A text that is not known is ""."""

    library: str
    """The code of the campus library that owns the item; its report lists it."""
    account: str
    """The person's agreed number."""
    reference: str
    """Our reference of the fee."""
    fee: str
    """The source's own id of the fee."""
    category: str
    """What the fee is, as people read it: "Library lost item"."""
    cents: int
    """What is open, or for a refund question what was paid, in cents."""
    returned_on: str
    """Campus date YYYY-MM-DD."""
    stands: str
    """Where the fee stands: one sentence of ours, without a name, an id or a title."""
    barcode: str = ""
    title: str = ""
    """What was borrowed: shown only to the library, and only where the settings say so (reliability.md R13)."""
    initials: str = ""
    name: str = ""
    link: str = ""
    """A web address (https) of the fee or the user in the library's system."""


@dataclass(frozen=True, slots=True)
class StillCharged:
    """The three lists, each oldest return first as the maker gives them."""

    waive: tuple[ReturnedItem, ...] = ()
    """The library waives these now."""
    refund: tuple[ReturnedItem, ...] = ()
    """Paid before the item came back: the bursar decides about a refund."""
    in_flight: tuple[ReturnedItem, ...] = ()
    """Waived already, the credit is on its way: nobody does anything."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """The codes of the libraries that have an item here, in order."""
        return tuple(sorted({one.library for one in self}))

    def of(self, library: str) -> StillCharged:
        """The same lists with the items of one library."""
        lists = {name: tuple(one for one in found if one.library == library) for name, found in self.named()}
        return replace(self, **lists)

    def named(self) -> tuple[tuple[str, tuple[ReturnedItem, ...]], ...]:
        """The lists with their names, in the order in which people should read them."""
        return (("waive", self.waive), ("refund", self.refund), ("in_flight", self.in_flight))

    def __iter__(self) -> Iterator[ReturnedItem]:
        return (one for _name, found in self.named() for one in found)
