"""Where the cents of one obligation are."""

from __future__ import annotations

from bursarbridge.ledger.entries import Place
from bursarbridge.ledger.posting import Standing
from bursarbridge.store.books import Books


def standing_of(books: Books, obligation: int) -> Standing:
    """Where the cents of one obligation are."""
    found = books.rows("select place, cents from position where place in (1, 2, 3, 4, 5, 6, 7) and obligation_id = :id", id=obligation)
    return Standing(**{Place(int(row[0])).word: int(row[1]) for row in found})
