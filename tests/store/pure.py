"""The specification of posting, fact by fact, from ledger.posting alone: what the store's set statements are compared with."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import AnswerStatus, Charge
from bursarbridge.ledger.posting import (
    AlreadyPosted,
    AppliedLevel,
    Conflict,
    Decision,
    KnownCharge,
    LineState,
    Posted,
    Standing,
    Suspended,
    decide_answer,
    decide_applied,
    decide_charge,
)
from bursarbridge.store.tally import Tally

FEE_CENTS = (100, 100, 140, 100)
UNKNOWN = len(FEE_CENTS)
"""A fee that no export ever named."""


class Row(NamedTuple):
    """One row of a payment file."""

    fee: int
    period: int
    cents: int
    account: str
    """same, other, or "" where the file names nobody."""


class Statement(NamedTuple):
    """One payment file."""

    as_of: str
    rows: tuple[Row, ...]


class PureCharges:
    """Fees by decide_charge, one after another."""

    def __init__(self) -> None:
        self.known: dict[str, KnownCharge] = {}
        self.source: dict[str, int] = {}
        self.conflicts: set[tuple[str, str]] = set()

    def post(self, fees: list[Charge]) -> Tally:
        """Posts one file; returns where its records ended."""
        tally = Tally()
        for fee in fees:
            decision = decide_charge(fee, self.known.get(fee.reference))
            if isinstance(decision, Posted):
                self.known[fee.reference] = KnownCharge(fee.account, fee.category, fee.cents)
                self.source[fee.reference] = sum(entry.cents for entry in decision.entries)
                (tally.posted if decision.entries else tally.noted).add(1, fee.cents)
            elif isinstance(decision, AlreadyPosted):
                tally.already.add(1, fee.cents)
            else:
                assert isinstance(decision, Conflict)
                tally.conflicts.add(1, fee.cents)
                self.conflicts.add((fee.reference, decision.words))
        return tally


@dataclass
class _Known:
    cents: int
    rows: int
    as_of: str


@dataclass
class _Line:
    fee: int
    cents: int
    state: str = "sent"


@dataclass
class _Item:
    code: str
    as_of: str


@dataclass
class _Level:
    cents: int = 0
    rows: int = 0
    other: bool = False


Key = tuple[int, int]
"""A fee and a period."""


@dataclass
class PurePayments:
    """Payment files by decide_applied, level by level."""

    starts: list[str]
    cumulative: bool
    standings: list[Standing] = field(default_factory=list)
    applied: dict[Key, _Known] = field(default_factory=dict)
    items: dict[Key, _Item] = field(default_factory=dict)
    vanished: dict[tuple[int, int, int], str] = field(default_factory=dict)
    told: list[_Line] = field(default_factory=list)
    charge_lines: dict[int, str] = field(default_factory=dict)
    newest: str = ""

    def __post_init__(self) -> None:
        places = {"source": "source", "sent": "in_transit", "bursar": "bursar"}
        self.standings = [Standing(**{places[start]: cents}) for start, cents in zip(self.starts, FEE_CENTS, strict=True)]
        self.charge_lines = {fee: "sent" for fee, start in enumerate(self.starts) if start == "sent"}

    def post(self, statement: Statement) -> Tally:
        """Posts one file; returns where its records ended."""
        tally = Tally()
        older = self.cumulative and self.newest > statement.as_of
        self.newest = max(self.newest, statement.as_of)
        levels = self._levels(statement)
        listed = {key for key, level in levels.items() if key[0] != UNKNOWN and not level.other}
        if not older:
            for key, level in levels.items():
                if key not in listed:
                    self._wait(key, "payment_unknown" if key[0] == UNKNOWN else "payment_other_person", statement, level, tally)
        for fee in {fee for fee, _ in listed}:
            self._seen(fee)
        for key in sorted(listed if not older else levels):
            if older:
                tally.already.add(levels[key].rows, levels[key].cents)
            else:
                self._level(key, levels[key], statement, tally)
        if self.cumulative and not older:
            self._missing(statement, set(levels), listed)
        return tally

    def _levels(self, statement: Statement) -> dict[Key, _Level]:
        levels: dict[Key, _Level] = {}
        for row in statement.rows:
            level = levels.setdefault((row.fee, row.period), _Level())
            level.cents += row.cents
            level.rows += 1
            level.other |= row.account == "other"
        return levels

    def _level(self, key: Key, level: _Level, statement: Statement, tally: Tally) -> None:
        known = self.applied.get(key, _Known(0, 0, ""))
        before = AppliedLevel(known.cents, "" if self.cumulative else known.as_of)
        told = AppliedLevel(level.cents, statement.as_of)
        decision = self._decide(key[0], told, before)
        if isinstance(decision, AlreadyPosted):
            tally.already.add(level.rows, level.cents)
            if told.as_of >= before.as_of:
                self._said(key, statement.as_of)
                if not self.cumulative:
                    self.applied[key] = _Known(known.cents, known.rows if key in self.applied else level.rows, statement.as_of)
        elif isinstance(decision, Posted):
            repeated = min(known.rows, level.rows - 1)
            tally.posted.add(level.rows - repeated, level.cents - known.cents)
            tally.already.add(repeated, known.cents)
            self._move(key[0], decision.entries)
            self.applied[key] = _Known(level.cents, level.rows, statement.as_of)
            self._said(key, statement.as_of)
        else:
            assert isinstance(decision, Suspended)
            self._wait(key, decision.code, statement, level, tally)

    def _decide(self, fee: int, told: AppliedLevel, before: AppliedLevel) -> Decision:
        decision = decide_applied(told, before, self.standings[fee])
        sent = [line for line in self.told if line.fee == fee and line.state == "sent"]
        if isinstance(decision, Suspended) and decision.code == "reversal_in_flight" and sent:
            self._confirm(sent)
            return decide_applied(told, before, self.standings[fee])
        return decision

    def _wait(self, key: Key, code: str, statement: Statement, level: _Level, tally: Tally) -> None:
        tally.suspended.add(level.rows, level.cents)
        if key not in self.items or self.items[key].as_of <= statement.as_of:
            self.items[key] = _Item(code, statement.as_of)

    def _said(self, key: Key, as_of: str) -> None:
        if key in self.items and self.items[key].as_of <= as_of:
            del self.items[key]

    def _seen(self, fee: int) -> None:
        """A charge in a payment file is on the account."""
        if self.charge_lines.get(fee) == "sent":
            line = LineState("sent", Place.SOURCE, Place.BURSAR, FEE_CENTS[fee], Kind.CHARGE, FEE_CENTS[fee])
            decision = decide_answer(AnswerStatus.POSTED, line)
            assert isinstance(decision, Posted)
            self._move(fee, decision.entries)
            self.charge_lines[fee] = "posted"

    def _missing(self, statement: Statement, said: set[Key], listed: set[Key]) -> None:
        periods = {period for _, period in said} | {0}
        for key, item in self.items.items():
            if key[1] in periods and key not in said:
                item.code = "payment_unlisted"
        fees = {fee for fee, _ in listed}
        self.vanished = {key: code for key, code in self.vanished.items() if key[0] not in fees}
        for (fee, period), known in self.applied.items():
            waits = any(key[0] == fee and item.code == "payment_other_person" for key, item in self.items.items())
            if period in periods and known.cents > 0 and (fee, period) not in listed and not waits:
                self.vanished[fee, period, known.cents] = "payment_vanished"

    def _move(self, fee: int, entries: tuple[Entry, ...]) -> None:
        places = self.standings[fee]._asdict()
        for entry in entries:
            for place, cents in ((entry.target, entry.cents), (entry.source, -entry.cents)):
                if place is not Place.OUTSIDE:
                    places[place.word] += cents
        self.standings[fee] = Standing(**places)
        assert min(self.standings[fee]) >= 0, (fee, self.standings[fee])

    def remit(self) -> list[tuple[int, int]]:
        """Tells the source of what was paid, never more than the fee in all; returns fee and cents of every line."""
        lines = []
        for fee, standing in enumerate(self.standings):
            told = sum(line.cents for line in self.told if line.fee == fee)
            cents = min(standing.paid, FEE_CENTS[fee] - told)
            rest = standing.paid - cents
            self._move(fee, tuple(_entry(Place.PAID, target, part) for target, part in ((Place.SETTLED, rest), (Place.IN_TRANSIT, cents)) if part))
            if cents:
                lines.append((fee, cents))
        self.told.extend(_Line(*line) for line in lines)
        return lines

    def confirm(self) -> None:
        """Time has passed: the source has what it was told."""
        self._confirm([line for line in self.told if line.state == "sent"])

    def _confirm(self, lines: list[_Line]) -> None:
        for line in lines:
            line.state = "assumed"
            self._move(line.fee, (_entry(Place.IN_TRANSIT, Place.SETTLED, line.cents),))

    def levels(self) -> dict[Key, tuple[int, int]]:
        """What is known to be applied, and by how many rows."""
        return {key: (known.cents, known.rows) for key, known in self.applied.items() if known.cents or known.rows}

    def codes(self) -> Counter[str]:
        """What waits."""
        return Counter([*(item.code for item in self.items.values()), *self.vanished.values()])


def _entry(source: Place, target: Place, cents: int) -> Entry:
    return Entry(source, target, cents, Kind.PAYMENT)
