"""Guards at work: a file, a plan or a batch is judged against what is usual; what passes a limit waits until people have approved it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursarbridge.errors import Unreadable
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.run import utc_text
from bursarbridge.ledger import guards
from bursarbridge.ledger.guards import BatchNumbers, FileNumbers, Limits, Past, Plan, Trip, holding
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import count
from bursarbridge.store import batches, guarded
from bursarbridge.store.books import Books
from bursarbridge.store.guarded import Guarded

EMPTY_LIST = "empty_list"
"""The fault of a complete list that states nothing while something is open."""


class Judged(NamedTuple):
    """What a guard says."""

    number: int
    """Under which it is held; 0 when it may go on."""
    reasons: tuple[str, ...]
    """Why it is held."""
    warnings: tuple[str, ...]
    """What is only told."""


@dataclass(frozen=True)
class FileGuard:
    """Judges the files of a channel, each after it was posted and before that is committed."""

    flow: str
    """The one that reads on when people have approved."""
    limits: Limits
    zone: ZoneInfo
    """The campus's: sources tell their time in it."""
    whole: bool = False
    """Whether the files state all that is true."""
    dated: bool = False
    """Whether what a file says holds from its own time on, so that one from the future would silence all that come before it."""

    def judge(self, reading: Reading) -> tuple[Trip, ...]:
        """The limits it passes and that nobody has approved, worst first; a file that may be read is remembered. Those of WARN come too."""
        books, numbers = reading.books, self._numbers(reading)
        if reading.idle:
            _end(books, guarded.of_file(books, reading.delivery))
            return ()
        trips = guards.judge_file(self.limits, numbers, guarded.history(books, reading.channel, "file"), books.now)
        known = guarded.of_file(books, reading.delivery)
        if holding(trips) and not _approved(known, trips, {"rejected": numbers.rejected}):
            return trips
        _end(books, known)
        guarded.remember(books, reading.channel, "file", Past(numbers.rows, numbers.cents), delivery=reading.delivery)
        return tuple(one for one in trips if one.action != guards.HOLD)

    def asks(self, reading: Reading, error: Unreadable) -> tuple[Trip, ...]:
        """What people are asked of a file that would be refused: whether a list without a record is true, for it may be (H01)."""
        empty = self.limits.empty
        if error.code != EMPTY_LIST or reading.rejected or empty.action != guards.HOLD:
            return ()
        return (Trip("empty", "0 records, limit 1", error.words, empty.action, empty.approvers),)

    def hold(self, reading: Reading, trips: Sequence[Trip]) -> str:
        """Holds the file, whose postings were taken back; returns the words for it."""
        books, numbers = reading.books, self._numbers(reading)
        known = guarded.of_file(books, reading.delivery)
        if known is not None:
            guarded.supersede(books, known.id)
        told = {"rows": numbers.rows, "cents": numbers.cents, "rejected": numbers.rejected}
        number = guarded.hold(books, self.flow, "file", holding(trips), told, reading.delivery)
        return f"held as {number}: {_said(holding(trips))}; nothing of {reading.arrived.name} was posted"

    def _numbers(self, reading: Reading) -> FileNumbers:
        read, at = reading.tally.read, told_at(reading.arrived.as_of, self.zone)
        return FileNumbers(read.count, read.cents, reading.rejected, at, self.whole, self.dated, reading.cut_off)


@dataclass(frozen=True)
class BatchGuard:
    """Judges what a flow is about to put into documents."""

    flow: str
    limits: Limits

    def judge(self, books: Books, rows: int, cents: int) -> Judged:
        """Whether so many lines with so many cents may leave. What people approved may leave up to the numbers they approved."""
        trips = guards.judge_batch(self.limits, BatchNumbers(rows, cents), guarded.history(books, self.flow, "batch"))
        numbers = {"rows": rows, "cents": cents}
        known = guarded.open_of(books, self.flow, "batch")
        if holding(trips) and not _approved(known, trips, numbers):
            return _held(books, self.flow, "batch", known, trips, numbers, same=_covers(known, trips, numbers))
        _end(books, known)
        if rows:
            guarded.remember(books, self.flow, "batch", Past(rows, cents))
        return Judged(0, (), _warnings(trips))


@dataclass(frozen=True)
class PlanGuard:
    """Judges what a run would change at the bursar's. The plan itself, its lines, belongs to the flow."""

    limits: Limits
    flow: str
    fingerprint: str = ""
    """Of the settings behind the plan; "" leaves changed settings unjudged."""

    def judge(self, books: Books, plan: Plan, content: Callable[[], str] = str) -> Judged:
        """Whether a fresh plan may be carried out at once; it takes the place of an older one that waits, and of its approvals.

        The same lines again are the same plan: it keeps its number and what people said. `content` tells lines apart, and is asked only of
        a plan that waits. Call it after what was approved was carried out.
        """
        plan = plan._replace(fingerprint=self.fingerprint)
        trips = guards.judge_plan(self.limits, plan, guarded.history(books, self.flow, "plan"))
        known = guarded.open_of(books, self.flow, "plan")
        if holding(trips):
            plan = plan._replace(content=content())
            same = known is not None and known.approvers >= guards.approvers(holding(trips)) and plan_of(known).same(plan)
            return _held(books, self.flow, "plan", known, trips, plan._asdict(), same=same)
        if known is not None:
            guarded.supersede(books, known.id)
        if plan.rows:
            guarded.remember(books, self.flow, "plan", Past(plan.rows, plan.cents), fingerprint=plan.fingerprint)
        return Judged(0, (), _warnings(trips))


def plan_of(held: Guarded) -> Plan:
    """The plan that was held, as it was judged."""
    return Plan(**held.numbers)  # type: ignore[arg-type]


def is_approved(books: Books, delivery: int) -> bool:
    """Whether people approved a file that was held."""
    known = guarded.of_file(books, delivery)
    return known is not None and known.state == "approved"


def approved_plan(books: Books, flow: str) -> int | None:
    """The number of the plan of a flow that people approved and that waits to be carried out."""
    known = guarded.open_of(books, flow, "plan")
    return known.id if known is not None and known.state == "approved" else None


def plan_carried(books: Books, number: int) -> None:
    """An approved plan was carried out: it and its settings count as accepted from now on."""
    known = guarded.one(books, number)
    plan = plan_of(known)
    guarded.carried(books, number)
    guarded.remember(books, known.flow, "plan", Past(plan.rows, plan.cents), fingerprint=plan.fingerprint)


def decide(books: Books, number: int, actor: str, verdict: str, reason: str) -> str:
    """Takes down a person's `approve` or `reject`; returns what follows, in one sentence. Raises Refused when it is not lawful."""
    known = guarded.vote(books, number, actor, verdict, reason)
    if known.state == "rejected":
        if known.kind == "plan":
            batches.reject_open(books, known.flow)
        return f"{number} is rejected: {_REJECTED[known.kind]}"
    if known.missing:
        return f"{number} still waits: {known.missing} more, somebody else, must approve it"
    return f"{number} is approved: the next run of {known.flow} carries it on"


_REJECTED = {
    "plan": "nothing of it is sent, and the next run plans anew",
    "batch": "nothing of it is sent; what it holds waits where it is, and the next run judges it anew",
    "file": "it stays unread; take it away and have a right one sent",
}
NOT_DONE = {
    "plan": "Nothing was sent, and every hold stands as it was.",
    "batch": "Nothing was sent, and nobody was billed or credited.",
    "file": "Nothing of the file was posted, and it still lies where it was.",
}
"""What did not happen, for each kind of thing that is held."""


def about(one: Guarded) -> str:
    """What is held, in words: "a plan for 14 holds"."""
    numbers = {name: int(number) for name, number in one.numbers.items() if not isinstance(number, str)}
    if one.kind == "plan":
        parts = [f"{numbers[name]:,} {word}" for name, word in (("to_place", "placed"), ("to_change", "changed"), ("to_release", "released"))]
        return f"a plan: {', '.join(parts)}, {numbers['active']:,} active"
    noun = "line" if one.kind == "batch" else "record"
    said = f"{count(numbers['rows'], noun)}, {shown(numbers['cents'])}"
    return f"a batch: {said}" if one.kind == "batch" else f"{one.file}: {said}"


def told_at(as_of: str, zone: ZoneInfo) -> str:
    """A source's own time (YYYYMMDDHHMMSS, campus) as UTC text; "" when it is none, a running number for one.

    A day without a time is true until it ends.
    """
    try:
        told = datetime.strptime(as_of, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return ""
    return utc_text((told + timedelta(days=1) if as_of.endswith("000000") else told).astimezone(UTC))


def _covers(known: Guarded | None, trips: Sequence[Trip], numbers: dict[str, int]) -> bool:
    """Whether what people see, or have approved, is at least this much."""
    if known is None or known.approvers < guards.approvers(holding(trips)):
        return False
    return all(found <= int(known.numbers.get(name, 0)) for name, found in numbers.items())


def _approved(known: Guarded | None, trips: Sequence[Trip], numbers: dict[str, int]) -> bool:
    return known is not None and known.state == "approved" and _covers(known, trips, numbers)


def _end(books: Books, known: Guarded | None) -> None:
    """It goes on: as approved, or because it passes no limit any more."""
    if known is not None:
        (guarded.carried if known.state == "approved" else guarded.supersede)(books, known.id)


def _held(books: Books, flow: str, kind: str, known: Guarded | None, trips: Sequence[Trip], numbers: guarded.Numbers, *, same: bool) -> Judged:
    held = holding(trips)
    if known is not None and same:
        number = known.id
    else:
        if known is not None:
            guarded.supersede(books, known.id)
        number = guarded.hold(books, flow, kind, held, numbers)
    return Judged(number, tuple(one.words for one in held), _warnings(trips))


def _warnings(trips: Sequence[Trip]) -> tuple[str, ...]:
    return tuple(one.words for one in trips if one.action == guards.WARN)


def _said(trips: Sequence[Trip]) -> str:
    return "; ".join(one.words for one in trips)
