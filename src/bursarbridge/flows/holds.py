"""Holds: what people owe against what the bursar was last told. Read, decide, ask the guards, seal two documents, deliver them.

1 collect: the bursar's own list, then what is owed. 2 carry on: plans that people approved leave, as far as the policy makes them of that.
3 plan: the policy over the people for whom something changed. 4 guard: an unusual plan waits for people, and nothing of it leaves.
5 seal and deliver: Holds Added and Holds Released. 6 confirm: a release is repeated in every run until it is confirmed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypedDict
from zoneinfo import ZoneInfo

from bursarbridge.flows.collect import Channel, collect
from bursarbridge.flows.deliver import Outlet, confirm, deliver
from bursarbridge.flows.hold_files import Sealed, Sheets, seal
from bursarbridge.flows.library import Summary, summary_of
from bursarbridge.flows.run import Run, utc_text
from bursarbridge.flows.submit import Submitted
from bursarbridge.ledger.holds import PlanNumbers, Policy, Today, decide, exempt_on
from bursarbridge.store import deliveries, formers, found_holds, hold_batches, hold_views, holds, indicators, open_items, runs
from bursarbridge.store.books import Books
from bursarbridge.store.holds import Decided
from bursarbridge.store.open_items import Basis, Marks


class Gate(Protocol):
    """Who decides whether a plan may leave at once, and remembers what people said of one that may not."""

    def judge(self, books: Books, plan: PlanNumbers, content: Callable[[], str]) -> tuple[str, ...]:
        """Why the plan must wait for people; () when it may leave. It takes the place of an older one that waits, unless `content` is the same."""
        ...

    def approved(self, books: Books) -> bool:
        """Whether the plan that waits was approved."""
        ...

    def carried(self, books: Books) -> None:
        """The approved plan was carried out."""
        ...


@dataclass(frozen=True)
class HoldsFlow:
    """The holds of one source: where its facts come from, the policy, and where the two documents go."""

    name: str
    source: str
    prefix: str
    policy: Policy
    basis: Basis
    facts: tuple[Channel, ...]
    evidence: tuple[tuple[str, ZoneInfo], ...]
    """The channels whose newest file is the age of what is known, with the zone in which they tell their time."""
    evidence_age: timedelta
    """Older evidence places no hold (I7)."""
    snapshot: Channel | None
    """Of the bursar's service indicators."""
    sheets: Sheets
    outlets: Mapping[str, Outlet]
    gate: Gate
    zone: ZoneInfo
    everybody: bool = False
    """Full re-synchronisation: decides everybody instead of those for whom something changed."""


class Holds(TypedDict):
    """What a run did about holds, in people."""

    added: int
    changed: int
    released: int
    repeated: int
    """Told once more: releases that are not confirmed, holds that the bursar's list lacks."""
    held: int
    """Waiting until people approve."""
    overtaken: int
    """Lines of an approved plan that the policy does not make any more."""
    confirmed: int
    stuck: int
    """Told and not confirmed in time, and lines that cannot be written."""
    theirs: int
    """Holds under our code that the bridge never told of."""
    active: int
    standing: list[hold_views.CodeTotal]
    """What stands, by code."""
    differences: dict[str, int]
    """What the bursar's newest list showed otherwise, by kind: missing, amount, still."""
    stale: bool
    reasons: list[str]
    """Why a plan is held."""
    words: list[str]
    """What else is to be said, in sentences."""


class HoldSummary(Summary):
    """A run's summary with what it did about holds."""

    holds: Holds


class Carried(TypedDict):
    """What became of a plan that people approved."""

    sealed: Sealed
    overtaken: int


class Planned(TypedDict):
    """What the plan step did."""

    sealed: Sealed
    counts: dict[str, int]
    held: int
    reasons: list[str]
    stale: bool
    seen: int
    theirs: int
    differences: dict[str, int]
    words: list[str]


def run_holds(run: Run, flow: HoldsFlow) -> HoldSummary:
    """Facts in first; then what people approved, as it holds by them; then the plan; then its delivery."""
    delivered = deliver(run, flow.outlets)
    confirmed = sum(confirm(run, outlet, _assume) for outlet in flow.outlets.values())
    shown = [] if flow.snapshot is None else collect(run, flow.snapshot)
    read = [ended for channel in flow.facts for ended in collect(run, channel)]
    carried = run.post("approved plan", partial(_carry_on, run, flow))
    run.world.reached("holds.carried")
    delivered += deliver(run, flow.outlets) if carried["sealed"]["documents"] else []
    planned = run.post("plan", partial(_plan, run, flow))
    run.world.reached("holds.sealed")
    delivered += deliver(run, flow.outlets)
    submitted = [_submitted(carried["sealed"]), _submitted(planned["sealed"])]
    summary = summary_of(confirmed + planned["seen"], shown, read, submitted, delivered)
    told = run.post("holds told", partial(_told, run, flow, planned, carried["overtaken"], confirmed))
    outcome = "held" if planned["held"] else summary["outcome"]
    whole = HoldSummary(**{**summary, "holds": told, "outcome": outcome, "held": summary["held"] + planned["reasons"]})
    run.post("finish", lambda books: runs.finish(books, run.number, whole["outcome"], dict(whole)))
    return whole


def decided(books: Books, source: int, flow: HoldsFlow, today: Today) -> Iterator[Decided]:
    """The decisions about everybody on the list, by account."""
    policy = flow.policy
    for person in open_items.people(books, source, flow.basis):
        told = person.told
        decision = decide(policy, person.items, told, today, person.override)
        releasing = decision.verb == "release" and told.code
        yield Decided(
            person.account, decision, told.code if releasing else policy.code, told.reason if releasing else policy.reason, told.reopened_on
        )


def _known_at(books: Books, flow: HoldsFlow) -> str:
    """The time of the newest evidence, UTC; "" when there is none."""
    return max((drawn_at(deliveries.newest_as_of(books, channel), zone) for channel, zone in flow.evidence), default="")


def today_of(books: Books, flow: HoldsFlow, on: str) -> Today:
    """The campus date, and whether the newest evidence is older than the limit."""
    known = _known_at(books, flow)
    return Today(on, stale=not known or datetime.fromisoformat(books.now) - datetime.fromisoformat(known) > flow.evidence_age)


def drawn_at(as_of: str, zone: ZoneInfo) -> str:
    """A source's own time (YYYYMMDDHHMMSS on campus) as UTC text, a day without a time as its beginning; "" when it is none."""
    try:
        told = datetime.strptime(as_of, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return ""
    return utc_text(told.astimezone(UTC))


def source_of(books: Books, flow: HoldsFlow) -> int:
    """The lasting number of the flow's source."""
    return runs.source_number(books, flow.source, flow.prefix)


def _carry_on(run: Run, flow: HoldsFlow, books: Books) -> Carried:
    """Seals a plan that people approved; lines that today's evidence does not bear out are dropped and decided anew."""
    source = source_of(books, flow)
    plan = holds.held_plan(books, source)
    if not plan or found_holds.awaited(books, source, _known_at(books, flow)) or not flow.gate.approved(books):
        return Carried(sealed=Sealed(documents=[], count=0, suspended_count=0, suspended_cents=0), overtaken=0)
    open_items.begin(books)
    open_items.choose_planned(books, plan)
    holds.put_decided(books, decided(books, source, flow, today_of(books, flow, run.today)))
    overtaken = holds.keep_agreed(books, source, plan)
    done = seal(run, books, source, [plan], flow.sheets)
    flow.gate.carried(books)
    return Carried(sealed=done, overtaken=overtaken)


def _plan(run: Run, flow: HoldsFlow, books: Books) -> Planned:
    """Decides whoever has to be decided, and seals what may leave; what a guard stops is kept as it is."""
    source = source_of(books, flow)
    if until := found_holds.awaited(books, source, _known_at(books, flow)):
        return _nothing_planned(books, flow, until, today_of(books, flow, run.today))
    since = open_items.marks(books, source)
    compared, list_number = _compare(books, source, flow, since)
    today = today_of(books, flow, run.today)
    waiting = holds.held_plan(books, source)
    if waiting:
        holds.overtake(books, source, waiting)
    fingerprint = _fingerprint(flow.policy, today)
    open_items.begin(books)
    if flow.everybody or fingerprint != since.fingerprint:
        open_items.choose_all(books, source, flow.basis, run.today, since)
    else:
        open_items.choose(books, source, flow.basis, flow.policy.grace_days, run.today, since)
    open_items.forget_touched(books, source)
    open_items.leave_out_told(books, source)
    holds.note_reopened(books, source, holds.put_decided(books, decided(books, source, flow, today)))
    if compared.former:
        formers.release(books)
    holds.close_unneeded(books, source)
    open_items.mark(books, source, open_items.newest(books, fingerprint, run.today, list_number))
    return _leave(run, flow, books, source, today, compared)


def _nothing_planned(books: Books, flow: HoldsFlow, until: str, today: Today) -> Planned:
    """Nobody is decided by less than was known to a run before a restore: that would release who owes and hold who has paid."""
    at = datetime.fromisoformat(until).astimezone(flow.zone)
    words = f"nobody is decided before a list of {at:%Y-%m-%d %H:%M} or later is read: holds left after the backup that was put back, by such a list"
    return Planned(
        sealed=Sealed(documents=[], count=0, suspended_count=0, suspended_cents=0),
        counts=holds.numbers(books, source_of(books, flow), 0)._asdict(),
        held=0,
        reasons=[],
        stale=today.stale,
        seen=0,
        theirs=0,
        differences={},
        words=[words],
    )


def _leave(run: Run, flow: HoldsFlow, books: Books, source: int, today: Today, compared: indicators.Compared) -> Planned:
    """Repeats and releases by hand leave in any case; the rest when no guard stops it."""
    free = holds.open_plan(books, source, run.flow, judged=False)
    plan = holds.open_plan(books, source, run.flow, judged=True)
    numbers = holds.numbers(books, source, plan)
    reasons = flow.gate.judge(books, numbers, partial(holds.content, books, plan))
    if plan and reasons:
        holds.hold_back(books, plan, numbers, reasons)
    leaving = [one for one in (free, 0 if reasons else plan) if one]
    sealed = seal(run, books, source, leaving, flow.sheets)
    return Planned(
        sealed=sealed,
        counts=numbers._asdict(),
        held=numbers.to_place + numbers.to_change + numbers.to_release if reasons else 0,
        reasons=list(reasons),
        stale=today.stale,
        seen=compared.seen,
        theirs=compared.theirs,
        differences={name: number for name, number in compared._asdict().items() if name in ("missing", "amount", "still", "former") and number},
        words=[compared.unused] if compared.unused else [],
    )


def _compare(books: Books, source: int, flow: HoldsFlow, since: Marks) -> tuple[indicators.Compared, int]:
    """Holds the bursar's newest list against what was told, once."""
    if flow.snapshot is None:
        return indicators.Compared(), 0
    number, as_of = indicators.newest(books, flow.snapshot.name)
    drawn = drawn_at(as_of, flow.snapshot.zone)
    if not drawn or number == since.compared:
        return indicators.Compared(), since.compared
    code = (flow.policy.code, flow.policy.reason)
    return indicators.compare(books, source, flow.snapshot.name, flow.sheets.form, code, drawn), number


def _fingerprint(policy: Policy, today: Today) -> str:
    """Another one has everybody decided anew: the policy changed, or what stopped new holds began or ended."""
    return hashlib.sha256(repr((policy, exempt_on(policy, today.on), today.stale)).encode()).hexdigest()


def _assume(batch: int, _why: str, books: Books) -> int:
    return hold_batches.assume(books, batch)


def _submitted(sealed: Sealed) -> Submitted:
    return Submitted(
        document="",
        sha256="",
        count=0,
        cents=0,
        suspended_count=sealed["suspended_count"],
        suspended_cents=sealed["suspended_cents"],
        held=[],
        warned=[],
    )


def _told(run: Run, flow: HoldsFlow, planned: Planned, overtaken: int, confirmed: int, books: Books) -> Holds:
    """What the run did, counted from what it sealed."""
    source = source_of(books, flow)
    found = hold_views.told_in(books, run.number)
    standing = hold_views.standing(books, source)
    return Holds(
        added=found.get("place", 0),
        changed=found.get("change", 0),
        released=found.get("release", 0),
        repeated=found.get("again", 0),
        held=planned["held"],
        overtaken=overtaken,
        confirmed=confirmed + planned["seen"],
        stuck=hold_views.stuck_count(books, source),
        theirs=planned["theirs"],
        active=sum(one["count"] for one in standing),
        standing=standing,
        differences=planned["differences"],
        stale=planned["stale"],
        reasons=planned["reasons"],
        words=planned["words"],
    )
