"""How the facts of each kind of delivery are posted: charges, payments, answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import cast

from bursarbridge.errors import Unreadable
from bursarbridge.flows.reading import Reading
from bursarbridge.ledger.facts import Answer, Charge, Fact, Payments
from bursarbridge.ledger.reference import number_in
from bursarbridge.store import answers, charges, payments, runs, suspense
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.payment_levels import Statement
from bursarbridge.store.payments import PARKED, Row
from bursarbridge.store.tally import Tally


@dataclass(frozen=True)
class ChargePoster:
    """Posts the fees that a source assessed."""

    source: str
    prefix: str

    def __call__(self, reading: Reading, facts: Iterator[Fact]) -> None:
        """Posts a delivery, a chunk at a time."""
        books = reading.books
        source = runs.source_number(books, self.source, self.prefix)
        charges.begin(books)
        fees = cast(Iterator[Charge], facts)
        while chunk := list(islice(fees, CHUNK)):
            charges.post(books, source, reading.channel, reading.delivery, reading.cause, chunk, reading.tally)


@dataclass(frozen=True)
class PaymentPoster:
    """Posts a bursar's payment file, cumulative or a snapshot, matched by our reference or by the source's."""

    prefixes: Mapping[str, str]
    """Source name -> reference prefix."""
    match_source: str
    """The source whose own references the file carries; "" when it carries ours."""
    cumulative: bool
    period_begins: str
    """MM-DD: the day a cumulative report starts from nothing again (Arizona State: the fiscal year); "" for never."""

    def __call__(self, reading: Reading, facts: Iterator[Fact]) -> None:
        """Posts a delivery as one statement of what is applied to date."""
        books = reading.books
        payments.begin(books)
        numbers = {name: runs.source_number(books, name, prefix) for name, prefix in self.prefixes.items()}
        statement = Statement(
            reading.channel,
            reading.delivery,
            reading.arrived.as_of,
            numbers[self.match_source] if self.match_source else None,
            self.cumulative,
            self.period_of(f"{reading.arrived.as_of[:4]}-{reading.arrived.as_of[4:6]}-{reading.arrived.as_of[6:8]}"),
        )
        start = 0
        rows = self._rows(facts)
        while chunk := list(islice(rows, CHUNK)):
            payments.stage(books, start, chunk)
            start += len(chunk)
        payments.post(books, statement, reading.cause, reading.tally)

    def period_of(self, day: str) -> int:
        """The year in which the period of a campus date (YYYY-MM-DD) began; 0 when levels never start again."""
        if not self.cumulative or not self.period_begins or len(day) < 10:
            return 0
        return int(day[:4]) - (day[5:10] < self.period_begins)

    def _rows(self, facts: Iterator[Fact]) -> Iterator[Row]:
        periods: dict[str, int] = {}
        ours = not self.match_source
        for fact in facts:
            assert isinstance(fact, Payments)
            period = periods.get(fact.paid_on)
            if period is None:
                period = periods[fact.paid_on] = self.period_of(fact.paid_on)
            number = obligation_number(tuple(self.prefixes.values()), fact.reference) if ours else None
            yield Row(number, fact.reference, fact.account, period, fact.cents)


def obligation_number(prefixes: tuple[str, ...], reference: str) -> int | None:
    """The number of the obligation a reference of ours names; None when it is not one (or was mistyped)."""
    for prefix in prefixes:
        try:
            return number_in(prefix, reference)
        except Unreadable:
            continue
    return None


def retry_parked(channel: str, books: Books) -> int:
    """Posts the parked payments of a channel that can be posted now, and returns how many; the others stay as they are."""
    codes = ", ".join(f"'{code}'" for code in PARKED)
    found = books.rows(
        "select id, raw, delivery_id, obligation_id from suspense where resolved_at is null "
        f"and channel = :channel and code in ({codes}) order by id",
        channel=channel,
    )
    again = [decide_again(books, channel, int(one[0]), str(one[1]), int(one[2]), None if one[3] is None else int(one[3])) for one in found]
    return sum(again)


def decide_again(books: Books, channel: str, item: int, raw: str, delivery: int, obligation: int | None) -> bool:
    """Decides one parked payment again; True when it was posted and its item closed."""
    told = json.loads(raw)
    number = obligation if obligation is not None else _obligation_of(books, str(told["reference"]))
    if number is None:
        return False
    tally = Tally()
    payments.begin(books)
    account = str(told["account"]) if obligation is None else ""
    payments.stage(books, 0, [Row(number, str(told["reference"]), account, int(told["period"]), int(told["cents"]))])
    statement = Statement(channel, delivery, str(told["as_of"]), None, cumulative=False, period=0)
    cause = books.cause("evidence", delivery=delivery, words="decided again")
    payments.post(books, statement, cause, tally)
    if obligation is None or not tally.suspended.count:
        key = str(books.one("select item_key from suspense where id = :id", id=item))
        suspense.close(books, key, "waits with its charge now" if tally.suspended.count else "posted")
    return not tally.suspended.count


def _obligation_of(books: Books, reference: str) -> int | None:
    found = books.rows("select prefix from source")
    number = obligation_number(tuple(str(row[0]) for row in found), reference)
    if number is None:
        known = books.rows("select id from obligation where source_reference = :r", r=reference)
        return int(known[0][0]) if len(known) == 1 else None
    return number if books.one("select exists (select 1 from obligation where id = :id)", id=number) else None


Explain = Callable[[str], tuple[str, str, bool]]
"""The bursar's words of a line -> (code, plain words, whether it is only a warning)."""


@dataclass(frozen=True)
class AnswerPoster:
    """Posts what the bursar answered about the documents we sent."""

    prefixes: tuple[str, ...]
    explain: Explain

    def __call__(self, reading: Reading, facts: Iterator[Fact]) -> None:
        """Posts a result file."""
        said = []
        for fact in facts:
            assert isinstance(fact, Answer)
            code, words, _warning = self.explain(fact.reason) if fact.reason else ("", "", False)
            number = obligation_number(self.prefixes, fact.reference) if fact.reference else None
            said.append(answers.Said(fact, number, code, words))
        answers.post(reading.books, reading.channel, reading.delivery, reading.cause, said, reading.tally)
