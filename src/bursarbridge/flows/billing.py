"""Violations that are billed to the student account instead of held: a parking office's lists become charges and counter entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bursarbridge.flows.reading import Reading
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.billing import EXACT
from bursarbridge.ledger.crediting import CreditRules
from bursarbridge.ledger.facts import Fact
from bursarbridge.store import billing, runs
from bursarbridge.store import credits as credit_book
from bursarbridge.store.books import Books

CLEANED_UP = frozenset({"not_evidence"})
"""The office closed a violation that it had handed over: nobody paid, nothing is owed less (parking.md A)."""


@dataclass(frozen=True)
class BilledPoster:
    """Posts the violations of one source, and what follows from them for the student account, in one transaction."""

    violations: ViolationPoster
    user_types: tuple[str, ...]
    """Whose violations are billed, as the source writes it; () for everybody's."""
    tells_paid: bool
    """Whether the source's lists have a word for paid."""
    rules: CreditRules = EXACT

    @property
    def prefix(self) -> str:
        """What begins our references of this source."""
        return self.violations.prefix

    def __call__(self, reading: Reading, facts: Iterator[Fact]) -> None:
        """Posts a delivery. Raises Unreadable as ViolationPoster does."""
        books, tally = reading.books, reading.tally
        reading.passed_over = CLEANED_UP
        self.violations(reading, facts)
        source = runs.source_number(books, self.violations.source, self.prefix)
        bill = billing.Bill(source, reading.channel, reading.delivery, reading.cause, self.user_types, self.tells_paid)
        asked = billing.change_billed(books, bill)
        billing.charge_new(books, bill)
        moved = min(asked.count, tally.posted.count)
        cents = min(asked.cents, tally.posted.cents)
        # A record whose word on money is a question has not ended as posted.
        tally.posted.add(-moved, -cents)
        tally.conflicts.add(moved, cents)

    def decide_parked(self, books: Books) -> int:
        """Carries out the counter entries that waited for an answer of the bursar's; returns how many."""
        return credit_book.decide_parked(books, runs.source_number(books, self.violations.source, self.prefix), self.rules)
