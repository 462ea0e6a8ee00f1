"""Violations in: what a parking source says is owed, by complete lists, by changes, or by its own Holds Added and Holds Released."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bursarbridge.errors import Unreadable
from bursarbridge.flows.guarding import EMPTY_LIST, is_approved
from bursarbridge.flows.reading import Reading
from bursarbridge.ledger.facts import Fact, Violation
from bursarbridge.ledger.money import shown
from bursarbridge.ports import Rejected
from bursarbridge.store import runs, suspense, violation_lists, violations
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.tally import Count
from bursarbridge.store.violation_cases import Told
from bursarbridge.store.violation_lists import FullList
from bursarbridge.store.violations import Heard


@dataclass(frozen=True)
class ViolationPoster:
    """Posts the violations of one source; a source has at most one channel of complete lists."""

    source: str
    prefix: str
    kind: str
    """full: all that is outstanding; changes: rows that speak for themselves; added, released: a person's whole balance, and 0.00."""
    absent: str = "cleared"
    """What a complete list says by leaving a violation out: "cleared" (nothing is owed for it any more) or "ask" (a person is asked)."""
    fingerprint: str = ""
    """Settings of the reader and version of the program, as text that changes with them: a list of another one is never compared by line."""

    def __call__(self, reading: Reading, facts: Iterator[Fact]) -> None:
        """Posts a delivery. Raises Unreadable EMPTY_LIST for a complete list without a violation while something is open, unless approved (H01)."""
        books, told = reading.books, self.told(reading)
        if self._is_older(books, told):
            self._pass_over(reading, facts)
            return
        heard = violations.begin(books, told, reading.tally)
        if told.kind == "full":
            reading.watch = lambda rejected: _hold(books, rejected)
        rows = self._released(reading, facts) if self.kind == "released" else _violations(facts)
        while chunk := list(islice(rows, CHUNK)):
            violations.post(books, told, chunk, heard)
        reading.put_rejected()
        if told.kind == "full":
            self._refuse_empty(books, told, heard.facts)
            read, suspended = reading.tally.read.count, reading.tally.suspended.count
            # None that a person dismissed stands among its records, and it is the last word on every violation.
            heard.plain = heard.plain and read - suspended == heard.facts and violation_lists.is_newest_word(books, told)
            violation_lists.find_missing(books, told)
            self.close(reading, told, heard)
        # A row that is a question is no better than one that cannot be read: of many the guard makes one question about the file (D06, H02).
        reading.put_rejected()
        reading.rejected = reading.tally.suspended.count + reading.tally.conflicts.count
        violations.touch_late(books, told)

    def told(self, reading: Reading) -> Told:
        """What the delivery is. A single record that is decided again (its reading has no time) speaks for itself, as of its own file."""
        books, kind, as_of = reading.books, self.kind, reading.arrived.as_of
        source = runs.source_number(books, self.source, self.prefix)
        if not as_of:
            kind, as_of = "changes", str(books.one("select as_of from delivery where id = :id", id=reading.delivery))
        newest = violation_lists.newest(books, source)
        told = Told(source, self.source, reading.channel, reading.delivery, as_of, kind)
        if newest is None or newest.delivery_id == reading.delivery or newest.as_of < as_of:
            return told
        return told._replace(listed=newest.as_of, list_delivery=newest.delivery_id)

    def close(self, reading: Reading, told: Told, heard: Heard) -> None:
        """What follows from what a complete list leaves out (the table missing), and that it was read."""
        books, read, suspended = reading.books, reading.tally.read, reading.tally.suspended
        sure = violation_lists.is_sure(books, told)
        reading.words = violation_lists.doubt(books, told, sure)
        asked = violation_lists.ask(books, told) if sure and self.absent == "ask" else 0
        cleared = violation_lists.clear(books, told) if sure else Count()
        if cleared.count:
            reading.words = f"{cleared.count:,} no longer listed, {shown(cleared.cents)}: nothing is owed for them any more"
        if asked:
            reading.words = "; ".join(filter(None, (reading.words, f"{asked:,} no longer listed: a person is asked about each")))
        one = FullList(
            reading.delivery,
            told.source,
            told.channel,
            reading.arrived.sha256,
            told.as_of,
            self.fingerprint,
            covers=sure and self.absent == "cleared",
            plain=sure and heard.plain,
            row_count=read.count - suspended.count,
            cents=read.cents - suspended.cents,
            suspended_count=suspended.count,
            suspended_cents=suspended.cents,
        )
        violation_lists.record(books, one)

    def _is_older(self, books: Books, told: Told) -> bool:
        """Whether nothing of the delivery can be news: a complete list has spoken of every violation since (reliability.md T08)."""
        newest = violation_lists.newest(books, told.source)
        return newest is not None and told.as_of < newest.as_of and (told.kind == "full" or newest.covers)

    def _pass_over(self, reading: Reading, facts: Iterator[Fact]) -> None:
        rows = _violations(facts)
        while chunk := list(islice(rows, CHUNK)):
            reading.tally.already.add(len(chunk), sum(one.cents for one in chunk))
        reading.words = "older than a complete list that was read; it changes nothing"
        reading.idle = True

    def _released(self, reading: Reading, facts: Iterator[Fact]) -> Iterator[Violation]:
        """A file of releases says 0.00 and nothing else; another amount is a question."""
        for one in _violations(facts):
            if not one.cents:
                yield one
                continue
            words = f"a release of {one.account} with {shown(one.cents)} still owed; nothing was changed. Ask the parking office which is right"
            key = f"released:{self.source}:{one.reference}"
            item = suspense.Item(key, "released_not_zero", words, one.reference, one.account, one.cents, delivery=reading.delivery)
            undecided = suspense.put_undecided(reading.books, reading.channel, [item])
            (reading.tally.suspended if undecided else reading.tally.already).add(1, one.cents)

    def _refuse_empty(self, books: Books, told: Told, facts: int) -> None:
        if facts or not violation_lists.is_anything_open(books, told.source) or is_approved(books, told.delivery):
            return
        words = (
            f"a complete list without a single violation, while violations of {self.source} are open; absence is never evidence of so much. "
            "Have the parking office look whether its export ran"
        )
        raise Unreadable(EMPTY_LIST, words)


def _violations(facts: Iterator[Fact]) -> Iterator[Violation]:
    for fact in facts:
        assert isinstance(fact, Violation)
        yield fact


def _hold(books: Books, rejected: Sequence[Rejected]) -> None:
    violations.hold(books, [one.reference for one in rejected if one.reference])
