"""Remittances told one by one: each line of a batch is an intent of its own, booked when the source shows it (reliability.md P16)."""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.reference import reference_of
from bursarbridge.store import answers, moves, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.epochs import NOTHING_LEAVES


class Untold(NamedTuple):
    """A line that the source does not know of yet."""

    batch: int
    document: str
    line_no: int
    obligation: int
    cents: int
    account: str
    source_reference: str
    ours: str
    """The lasting name of this very payment: our reference and the batch."""


def untold(books: Books, destination: str, quiet_before: str) -> list[Untold]:
    """The lines of batches opened for telling that wait, oldest first; a batch that left as a file is none of them.

    Those in doubt since `quiet_before` (an instant) are left out: they may be under way.
    """
    found = books.rows(
        "select b.id, b.document, l.line_no, l.obligation_id, l.cents, o.account, o.source_reference, s.prefix from batch b "
        "join batch_line l on l.batch_id = b.id join obligation o on o.id = l.obligation_id join source s on s.id = o.source_id "
        "where b.destination = :d and b.state = 'SENT' and b.proof = 'told' and l.state = 'sent' and not exists (select 1 from suspense x where "
        "x.item_key = 'telling:' || b.id || ':' || l.line_no and x.resolved_at is null and x.opened_at > :quiet) "
        f"and {NOTHING_LEAVES} order by b.id, l.line_no",
        d=destination,
        quiet=quiet_before,
    )
    return [
        Untold(int(r[0]), str(r[1]), int(r[2]), int(r[3]), int(r[4]), str(r[5]), str(r[6]), f"{reference_of(str(r[7]), int(r[3]))}-{r[0]}")
        for r in found
    ]


def told(books: Books, line: Untold) -> bool:
    """The source shows the payment: it is settled, and not merely assumed to be."""
    _move(books, line, Place.SETTLED, "posted", "")
    suspense.close(books, f"telling:{line.batch}:{line.line_no}", "seen in the source")
    return True


def refused(books: Books, line: Untold, words: str) -> bool:
    """The source will not have it: the money stands at `paid` again and waits for a person."""
    _move(books, line, Place.PAID, "refused", words)
    suspense.close(books, f"telling:{line.batch}:{line.line_no}", "refused by the source")
    suspense.put(books, f"tell:{line.document}", [_item(line, f"told:{line.batch}:{line.line_no}", "told_refused", words, blocks=True)])
    return True


def doubtful(books: Books, line: Untold, words: str) -> bool:
    """Nobody can see whether the source has it; it is looked for again later."""
    key = f"telling:{line.batch}:{line.line_no}"
    suspense.close(books, key, "asked again")
    suspense.put(books, f"tell:{line.document}", [_item(line, key, "telling_in_doubt", words, blocks=False)])
    return True


def _move(books: Books, line: Untold, target: Place, state: str, words: str) -> None:
    moves.begin(books)
    moves.plan(books, [(line.obligation, Entry(Place.IN_TRANSIT, target, line.cents, Kind.PAYMENT))])
    moves.carry_out(books, books.cause("answer", batch=line.batch, words=words or f"seen in the source as {line.ours}"))
    books.do(
        "update batch_line set state = :state, reason = :words where batch_id = :b and line_no = :n",
        state=state,
        words=words,
        b=line.batch,
        n=line.line_no,
    )
    answers.settle(books, line.batch)


def _item(line: Untold, key: str, code: str, words: str, *, blocks: bool) -> suspense.Item:
    return suspense.Item(
        key, code, words, line.source_reference, line.account, line.cents, blocks=blocks, batch=line.batch, obligation=line.obligation
    )
