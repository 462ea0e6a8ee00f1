"""How the rows of a source's export are posted: its charges first, then its credits; and credits that are decided again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bursarbridge.errors import Refused
from bursarbridge.flows.billing import BilledPoster
from bursarbridge.flows.posters import ChargePoster, obligation_number
from bursarbridge.flows.reading import Reading
from bursarbridge.ledger.crediting import Applied, CreditRules, Echo
from bursarbridge.ledger.facts import Credit, Fact
from bursarbridge.ledger.money import shown
from bursarbridge.store import credits as credit_book
from bursarbridge.store import runs
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.views import ItemView


@dataclass(frozen=True)
class LibraryPoster:
    """Posts what a source assessed and what it took back."""

    source: str
    prefix: str
    rules: CreditRules

    def __call__(self, reading: Reading, facts: Iterator[Fact]) -> None:
        """Posts a delivery: a credit may stand before its charge in one file, so all charges go first."""
        books = reading.books
        source = runs.source_number(books, self.source, self.prefix)
        credit_book.begin(books)
        ChargePoster(self.source, self.prefix)(reading, _charges(books, facts))
        credit_book.post(books, source, reading.channel, reading.delivery, reading.cause, self.rules, reading.tally)
        credit_book.decide_parked(books, source, self.rules)

    def decide_parked(self, books: Books) -> int:
        """Decides the credits again that waited for time; returns how many were decided for good."""
        return credit_book.decide_parked(books, runs.source_number(books, self.source, self.prefix), self.rules)


def _charges(books: Books, facts: Iterator[Fact]) -> Iterator[Fact]:
    """The charges, as they come; credits are staged on the way, a chunk at a time."""
    held: list[Credit] = []
    staged = 0
    for fact in facts:
        if not isinstance(fact, Credit):
            yield fact
            continue
        held.append(fact)
        if len(held) == CHUNK:
            credit_book.stage(books, staged, held)
            staged += len(held)
            held = []
    credit_book.stage(books, staged, held)


def resolve_credit(books: Books, item: ItemView, action: str, note: str, cause: int, poster: LibraryPoster | BilledPoster) -> str:
    """Carries out what a person decided about a credit that waits: apply, retry or dismiss. Raises Refused when it is not lawful."""
    number = int(item.key.removeprefix("credit:"))
    if action == "dismiss":
        credit_book.dismiss(books, number)
        return "noted; nothing follows from this credit"
    chosen = None
    if action == "apply":
        one = credit_book.waiting(books, number)
        words = [word.strip(".,;:()") for word in note.split()]
        ours = {word: found for word in words if (found := obligation_number((poster.prefix,), word.upper())) is not None}
        exact = [one.credit.item] if poster.rules.exact else []
        named = credit_book.chosen_in(books, one, exact or words, {} if exact else ours)
        if len(named) != 1:
            many = "none" if not named else f"{len(named)} of them"
            raise Refused(f"name the fee in the reason, by our reference or the library's: it names {many} of person {one.credit.account}")
        chosen = named[0]
    decision = credit_book.decide_again(books, number, poster.rules, chosen=chosen, cause=cause)
    if isinstance(decision, Applied):
        if decision.refund_cents:
            return f"{shown(decision.refund_cents)} was paid before and is the student's credit; see the question for the cashier"
        return f"{shown(item.cents)} is applied to the fee"
    if isinstance(decision, Echo):
        return "decided again: it is an echo of our own payment, and nothing follows from it"
    raise Refused(f"decided again, and it still waits: {getattr(decision, 'words', '')}")
