"""What is found of the time after a backup: documents of ours, their lines, and which fee each of them is about. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

from bursarbridge.ledger.facts import Charge

UNNAMED = "ours:"
"""Begins the source's reference of a fee of which only our own document is left: no source ever writes such a name."""


class FoundLine(NamedTuple):
    """A line of a document of ours, read back."""

    source: str
    """Whose fee it is about."""
    number: int
    """The obligation's, from our reference; 0 where the document carries none."""
    source_reference: str
    """The source's name of the fee; "" where the document does not carry it."""
    account: str
    category: str
    cents: int


class FoundHold(NamedTuple):
    """A line of a hold file of ours, read back."""

    number: int
    """The hold's, from our reference; 0 where the file carries none."""
    account: str
    cents: int
    """-1 where the file carries no amounts."""
    code: str
    reason: str


class FoundDocument(NamedTuple):
    """A document of ours that the ledger does not know, or knows only as not sent yet."""

    name: str
    sequence: int
    destination: str
    flow: str
    kind: str
    """charge, credit, payment, holds_added or holds_released, as far as its name or lines tell; else ""."""
    made_at: str
    """UTC: when it was sealed, or as old as the file is."""
    left: bool
    """Whether it is proven that it left."""
    told: bool
    """Whether its lines are told one by one rather than sent as a file."""
    sha256: str
    """"" where only a trace of it is left."""
    size: int
    where: str
    """Where it was found, for people."""


class Claims:
    """Which numbers were given to which fees before the restore: by person, type and amount, the lower number to the fee read earlier."""

    def __init__(self, lines: Iterable[FoundLine]) -> None:
        self._numbers: dict[tuple[str, str, str, int], deque[int]] = defaultdict(deque)
        for line in sorted(set(lines), key=lambda one: one.number):
            if line.number:
                self._numbers[(line.source, line.account, line.category, line.cents)].append(line.number)

    def take(self, source: str, charge: Charge) -> int:
        """The number that this fee had; 0 when no document of ours speaks of it."""
        waiting = self._numbers.get((source, charge.account, charge.category, charge.cents))
        return waiting.popleft() if waiting else 0
