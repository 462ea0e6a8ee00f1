"""Holds: a policy over what a person owes -> place, change or release; every decision says in one sentence why.

The amount of a hold is always the final total owed, never a difference (parking.md; peoplesoft.md 3.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import count, day

BY_HAND = "released by hand"
"""How the sentence of a release begins that a person ordered."""


class Verb(StrEnum):
    """What is to be done about a person's hold; `none` leaves it as it is."""

    NONE = "none"
    PLACE = "place"
    CHANGE = "change"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Policy:
    """Who gets a hold of one source, and under which code. Days are campus dates, YYYY-MM-DD."""

    code: str
    reason: str
    threshold_cents: int = 1
    """A new hold needs at least so much that counts."""
    grace_days: int = 0
    """An open item counts for a new hold when it is so many days old."""
    notice_days: int = 0
    """What is owed again after a release counts for a new hold only so many days later (reliability.md D16)."""
    user_types: tuple[str, ...] = ()
    """Only these kinds of people are held; none named is everybody."""
    exempt_types: tuple[str, ...] = ()
    """These kinds of people are never held (D34)."""
    left_out: tuple[str, ...] = ()
    """Categories that count for no hold."""
    exempt: tuple[tuple[str, str], ...] = ()
    """Stretches of dates, both ends included, in which no new hold is placed; changes and releases go on."""
    disputed: str = "wait"
    """wait: what is disputed counts for nothing while it is; count: it stays in the amount of a hold that is on. It never places one (D22)."""
    speaks_for: str = "oldest"
    """Which item gives a hold its type and date: oldest, newest, largest or first (as listed)."""
    impact: str = "registration"
    amounts: bool = True
    """Whether the bursar is told amounts at all; a list for Mass Assign has none, and a change has nothing to say in it."""
    transcript_allowed: bool = False
    """Without it a hold that keeps a transcript back is never placed (reliability.md F12)."""


class OpenItem(NamedTuple):
    """One thing a person owes money for."""

    reference: str
    category: str
    user_type: str
    since_on: str
    """Campus date, or "" when the source gives none."""
    cents: int
    disputed: bool = False


class Told(NamedTuple):
    """What the bursar was last told about a person's hold, and what is known of it there."""

    verb: str = ""
    """place, change or release; "" when nothing was ever told."""
    cents: int = 0
    at: str = ""
    """UTC."""
    on: str = ""
    """Campus date."""
    code: str = ""
    reason: str = ""
    confirmed: str = ""
    """assumed, seen, or "" while nothing shows that it was carried out."""
    repair: str = ""
    """What the bursar's list shows instead: missing, amount (another one), still (there after its release)."""
    reopened_on: str = ""
    """Campus date on which it was first seen that money is owed again after the release, or ""."""

    @property
    def active(self) -> bool:
        """Whether the bursar was last told that there is a hold."""
        return self.verb in (Verb.PLACE, Verb.CHANGE)


class Today(NamedTuple):
    """The campus date of a run, and whether its evidence is older than the limit (I7)."""

    on: str
    stale: bool = False


class Override(NamedTuple):
    """A person's order that somebody be released although money is open."""

    at: str
    """UTC."""
    on: str
    """Campus date: what was open by then places no new hold while the order runs."""
    until_on: str
    actor: str
    reason: str


class Decision(NamedTuple):
    """What follows for one person."""

    verb: Verb
    cents: int
    """The total owed that the bursar is told; 0 for a release."""
    because: str
    speaking: OpenItem | None = None
    by_hand: bool = False
    again: bool = False
    """The same as was told before; no new decision."""
    reopened_on: str = ""
    """As Told.reopened_on is to be from now on."""


class PlanNumbers(NamedTuple):
    """A plan as a guard judges it; repeats and releases by hand are not in it."""

    active: int
    """Holds that the bursar was told are on."""
    to_place: int
    to_change: int
    to_release: int
    cents: int
    """The totals owed of those to be placed or changed."""
    largest: int
    """The largest of them, in cents."""


def decide(policy: Policy, items: Sequence[OpenItem], told: Told, today: Today, override: Override | None = None) -> Decision:
    """What is to be done about one person's hold. Pure: deciding again after it was told gives `none`."""
    counted = [item for item in items if _counts(policy, item)]
    running = override if override is not None and today.on <= override.until_on else None
    if told.active:
        return _on(policy, items, counted, told, today, running)
    return _off(policy, items, counted, told, today, running)


def exempt_on(policy: Policy, on: str) -> bool:
    """Whether a campus date lies in a stretch without new holds."""
    return any(begin <= on <= end for begin, end in policy.exempt)


def in_amount(policy: Policy, items: Sequence[OpenItem]) -> list[OpenItem]:
    """The items that make the amount of a hold."""
    return _within(policy, (item for item in items if _counts(policy, item)))


def _on(policy: Policy, items: Sequence[OpenItem], counted: list[OpenItem], told: Told, today: Today, running: Override | None) -> Decision:
    """A hold is on: it goes at exactly 0.00, and is told the final total until then."""
    if running is not None and told.at <= running.at:
        return Decision(Verb.RELEASE, 0, f"{BY_HAND} by {running.actor} until {day(running.until_on)}: {running.reason}", by_hand=True)
    if (told.code, told.reason) != (policy.code, policy.reason):
        return Decision(Verb.RELEASE, 0, f"the hold code is {_coded(policy)} now; the hold {told.code} {told.reason} goes first")
    if _forbidden(policy):
        return Decision(Verb.RELEASE, 0, "holds that keep a transcript back are not switched on")
    within = _within(policy, counted)
    total = sum(item.cents for item in within)
    if not total:
        return Decision(Verb.RELEASE, 0, _why_nothing(policy, items))
    speaking, owed = _speaking(policy, within), f"{shown(total)} is open in {count(len(within), 'item')}"
    if total > told.cents and today.stale:
        return Decision(Verb.NONE, total, f"{owed}; the evidence is too old to raise the hold of {shown(told.cents)}")
    if not policy.amounts and not told.repair:
        return Decision(Verb.NONE, total, f"{owed}; the hold stands since {day(told.on)}, and tells no amount")
    if total != told.cents and policy.amounts:
        return Decision(Verb.CHANGE, total, f"{owed}; the bursar was told {shown(told.cents)}", speaking)
    if told.repair == "amount":
        return Decision(Verb.CHANGE, total, f"{owed}; the bursar's list shows another amount", speaking, again=True)
    if told.repair == "missing":
        halted = _halted(policy, today)
        if halted:
            return Decision(Verb.NONE, total, f"{owed}; the bursar's list does not show the hold, and {halted}")
        return Decision(Verb.PLACE, total, f"{owed}; the bursar's list does not show the hold", speaking)
    return Decision(Verb.NONE, total, f"{owed}; the hold stands since {day(told.on)} with that amount")


def _off(policy: Policy, items: Sequence[OpenItem], counted: list[OpenItem], told: Told, today: Today, running: Override | None) -> Decision:
    """No hold is on: one is placed for what counts, else a release is told again until it is confirmed."""
    pending = told.verb == Verb.RELEASE and (not told.confirmed or told.repair == "still")
    within = _within(policy, counted)
    total = sum(item.cents for item in within)
    reopened = ""
    if told.verb == Verb.RELEASE and policy.notice_days and any(item.since_on <= told.on for item in within):
        reopened = told.reopened_on or today.on
    other = pending and (told.code, told.reason) != (policy.code, policy.reason)
    calls = [] if other else [item for item in counted if _calls(policy, item, told, today, running, reopened)]
    called = sum(item.cents for item in calls)
    halted = _halted(policy, today)
    if called >= policy.threshold_cents and not halted:
        words = f"{shown(total)} is open in {count(len(within), 'item')}{_calling(policy, called, total)}"
        back = "; it is owed again after the release" if told.verb == Verb.RELEASE else ""
        return Decision(Verb.PLACE, total, f"{words}{back}", _speaking(policy, calls), reopened_on=reopened)
    if pending:
        words = "the bursar's list still shows the hold" if told.repair == "still" else "its release is not confirmed yet"
        return Decision(Verb.RELEASE, 0, f"{words}; told last on {day(told.on)}", again=True, reopened_on=reopened)
    because = _why_not(policy, items, within, called, halted, today, running, reopened)
    return Decision(Verb.NONE, 0, because, reopened_on=reopened)


def _counts(policy: Policy, item: OpenItem) -> bool:
    if item.category in policy.left_out or item.user_type in policy.exempt_types:
        return False
    return not policy.user_types or item.user_type in policy.user_types


def _within(policy: Policy, counted: Iterable[OpenItem]) -> list[OpenItem]:
    """What is in the amount of a hold that is on."""
    return [item for item in counted if item.cents and not (item.disputed and policy.disputed == "wait")]


def _calls(policy: Policy, item: OpenItem, told: Told, today: Today, running: Override | None, reopened: str) -> bool:
    """Whether an item counts towards placing a hold."""
    if item.disputed or (policy.grace_days and not item.since_on) or item.since_on > _back(today.on, policy.grace_days):
        return False
    if running is not None and item.since_on <= running.on:
        return False
    again = reopened and item.since_on <= told.on
    return not again or reopened <= _back(today.on, policy.notice_days)


def _halted(policy: Policy, today: Today) -> str:
    """Why nobody gets a new hold today; "" when nothing stands against it."""
    if _forbidden(policy):
        return "holds that keep a transcript back are not switched on"
    if today.stale:
        return "the evidence is too old for a new hold"
    ends = [end for begin, end in policy.exempt if begin <= today.on <= end]
    return f"no new holds are placed until {day(max(ends))}" if ends else ""


def _forbidden(policy: Policy) -> bool:
    return policy.impact == "transcript" and not policy.transcript_allowed


def _speaking(policy: Policy, items: Sequence[OpenItem]) -> OpenItem:
    """The item whose type and date the hold carries."""
    if policy.speaks_for == "largest":
        return min(items, key=lambda item: (-item.cents, item.since_on, item.reference))
    if policy.speaks_for == "newest":
        return max(items, key=lambda item: (item.since_on, item.reference))
    if policy.speaks_for == "first":
        return items[0]
    return min(items, key=lambda item: (item.since_on or "9999", item.reference))


def _why_nothing(policy: Policy, items: Sequence[OpenItem]) -> str:
    """Why the total that counts is 0.00."""
    opened = [item for item in items if item.cents]
    if not opened:
        return "nothing is owed any more"
    if all(item.disputed for item in opened if _counts(policy, item)) and any(_counts(policy, item) for item in opened):
        return f"{shown(sum(item.cents for item in opened))} is open, and all that counts of it is disputed"
    return f"{shown(sum(item.cents for item in opened))} is open, and none of it counts for a hold ({_kinds(opened)})"


def _why_not(
    policy: Policy,
    items: Sequence[OpenItem],
    within: Sequence[OpenItem],
    called: int,
    halted: str,
    today: Today,
    running: Override | None,
    reopened: str,
) -> str:
    total = sum(item.cents for item in within)
    if not total:
        return _why_nothing(policy, items)
    owed = f"{shown(total)} is open"
    if called >= policy.threshold_cents:
        return f"{owed}; {halted}"
    if total < policy.threshold_cents:
        return f"{owed}, below the limit of {shown(policy.threshold_cents)} for a new hold"
    if running is not None and any(item.since_on <= running.on for item in within):
        return f"{owed}; {BY_HAND} by {running.actor} until {day(running.until_on)}: {running.reason}"
    if reopened and reopened > _back(today.on, policy.notice_days):
        return f"{owed} again after the release; the notice of {count(policy.notice_days, 'day')} runs since {day(reopened)}"
    if all(item.disputed for item in within):
        return f"{owed}, and all of it is disputed"
    return f"{owed}; {shown(called)} of it is older than the grace of {count(policy.grace_days, 'day')}, the limit is {shown(policy.threshold_cents)}"


def _calling(policy: Policy, called: int, total: int) -> str:
    older = f", {shown(called)} of it past the grace of {count(policy.grace_days, 'day')}" if policy.grace_days and called != total else ""
    return f"{older}; the limit is {shown(policy.threshold_cents)}" if policy.threshold_cents > 1 else older


def _kinds(items: Sequence[OpenItem]) -> str:
    return ", ".join(sorted({item.user_type or item.category or "of no kind" for item in items}))


def _coded(policy: Policy) -> str:
    return f"{policy.code} {policy.reason}".strip()


def _back(on: str, days: int) -> str:
    return (date.fromisoformat(on) - timedelta(days=days)).isoformat() if days else on
