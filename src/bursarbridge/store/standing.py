"""Where the cents of one obligation are."""

from __future__ import annotations

from bursarbridge.ledger.entries import Place
from bursarbridge.ledger.posting import Standing
from bursarbridge.store.books import Books


def standing_of(books: Books, obligation: int) -> Standing:
    """Where the cents of one obligation are."""
    found = books.rows("select place, cents from position where place in (1, 2, 3, 4, 5, 6, 7) and obligation_id = :id", id=obligation)
    return Standing(**{Place(int(row[0])).word: int(row[1]) for row in found})


def forgiven_after_payment(books: Books, obligation: int) -> int:
    """The cents that the source forgave of what was paid: the student's credit, of which the bursar knows nothing."""
    return int(books.one("select coalesce(sum(cents), 0) from entry where obligation_id = :id and kind = 'credit' and to_place = 7", id=obligation))


def payable_of(books: Books, obligation: int) -> Standing:
    """The same for a payment's decision: what was waived stands at `settled` or `paid` too, and no reversal may take that back (D16, D18).

    Nor what the source has forgiven after it was paid: the bursar was not told of that, so a check that comes back opens the charge there (D20).
    """
    whole = standing_of(books, obligation)
    standing = whole._replace(student_credit=max(whole.student_credit - forgiven_after_payment(books, obligation), 0))
    flying = books.one(
        "select coalesce(sum(cents), 0) from batch_line where obligation_id = :id and from_place = 4 and state = 'sent'", id=obligation
    )
    covered = books.one("select coalesce(sum(cents), 0) from applied where obligation_id = :id", id=obligation)
    waived = max(standing.student_credit + standing.paid + standing.settled + int(flying) - int(covered), 0)
    settled = max(standing.settled - waived, 0)
    return standing._replace(settled=settled, paid=max(standing.paid - max(waived - standing.settled, 0), 0))
