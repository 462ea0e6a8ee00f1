"""Guards: what stops a file, a plan or a batch until a person has looked (reliability.md 2.4). Absence is never evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import count

HOLD, WARN, OFF = "hold", "warn", "off"
"""What a guard does when its limit is passed: stop for a person, only tell, or nothing."""
COMPARABLE: Final = 8
"""How many earlier runs the usual size is taken from (H03)."""
_AHEAD: Final = timedelta(hours=26)
"""A file from further ahead than zones and clocks can explain."""
_ENOUGH: Final = 4
"""With fewer of them nobody knows what is usual; the other limits hold all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What one guard does, and how many different people have to approve what it stopped (I11)."""

    action: str = HOLD
    approvers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Guard):
    """At most so many, or so many in a hundred where that is more."""

    most: int
    percent: int

    def limit(self, of: int) -> int:
        """The most that passes, of a whole of that size."""
        return max(self.most, of * self.percent // 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Guard):
    """Rows and total between a part and a multiple of what is usual, from so many rows on."""

    factor: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Guard):
    """A sum, and a multiple of the largest of the last 90 days."""

    most_cents: int
    factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Single(Guard):
    """A single amount."""

    most_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail(Guard):
    """How many people may be lacking at the end of a list, one behind the other, and nobody else behind them."""

    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale(Guard):
    """How old a statement of what is true may be."""

    older_than: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every guard of a flow; the defaults are reliability.md's, 2.4 and D01."""

    releases: Share = Share(most=10, percent=5, approvers=2)
    placements: Share = Share(most=25, percent=10, approvers=2)
    changes: Share = Share(most=25, percent=25)
    volume: Volume = Volume(factor=4, rows=25)
    total: Total = Total(most_cents=5_000_000, factor=3, approvers=2)
    single: Single = Single(most_cents=500_000)
    empty: Guard = Guard()
    stale: Stale = Stale(older_than=timedelta(hours=26))
    unreadable: Share = Share(most=5, percent=2)
    settings: Guard = Guard()
    cut_short: Tail = Tail(most=2)


STANDARD: Final = Limits()


class Trip(NamedTuple):
    """One limit that was passed."""

    code: str
    """The guard's name in the settings."""
    short: str
    """For a subject: "14 would be released, limit 10"."""
    words: str
    """A sentence with what was found and the limit."""
    action: str
    approvers: int
    less: bool = False
    """Whether there was less than usual, and not more."""


class Plan(NamedTuple):
    """What a run would change at the bursar's, in numbers."""

    active: int
    """Holds that stand now."""
    to_place: int
    to_change: int
    to_release: int
    cents: int
    """The total of the amounts it would write."""
    largest: int
    """The largest of them, in cents."""
    fingerprint: str = ""
    """Of the settings that made it: reader, policy and limits."""
    content: str = ""
    """Of its lines; "" while nobody has asked. What people approve are these lines, and not as many others (I11)."""

    def same(self, other: Plan) -> bool:
        """Whether it says the same about the same people, by the same settings; how many holds stand is not of it."""
        return self._replace(active=0) == other._replace(active=0)

    @property
    def rows(self) -> int:
        """How many people it is about."""
        return self.to_place + self.to_change + self.to_release


class BatchNumbers(NamedTuple):
    """What a batch of money would carry."""

    rows: int
    cents: int


class FileNumbers(NamedTuple):
    """What a file says, in numbers."""

    rows: int
    cents: int
    rejected: int
    """Records of it that cannot be read and that no person has dismissed."""
    as_of: str
    """The source's own time, UTC; "" where it tells none."""
    whole: bool
    """Whether it states all that is true, so that what is missing from it would mean something."""
    dated: bool = False
    """Whether a newer one is believed rather than an older one."""
    cut_off: int = 0
    """People who stand in the one before behind the line with which this one ends, and not in this one (flows.ending)."""


class Past(NamedTuple):
    """The size of an earlier one that was accepted."""

    rows: int
    cents: int


class History(NamedTuple):
    """What was accepted before, newest first."""

    recent: tuple[Past, ...] = ()
    """At most COMPARABLE."""
    peak_cents: int = 0
    """The largest total of the last 90 days."""
    fingerprint: str = ""
    """Of the settings of the last plan that changed something; "" when there was none."""


def judge_plan(limits: Limits, plan: Plan, history: History) -> tuple[Trip, ...]:
    """The limits a plan passes. A plan that changes nothing passes none (H01, H02, H04)."""
    if not plan.rows:
        return ()
    return _tripped(
        [
            _share(limits.releases, "releases", plan.to_release, plan.active, "would be released"),
            _share(limits.placements, "placements", plan.to_place, plan.active, "would be placed"),
            _share(limits.changes, "changes", plan.to_change, plan.active, "would be changed"),
            _most(limits.total, plan.cents),
            _peak(limits.total, plan.rows, plan.cents, limits.volume.rows, history),
            _single(limits.single, plan.largest),
            _settings(limits.settings, plan, history),
        ]
    )


def judge_batch(limits: Limits, batch: BatchNumbers, history: History) -> tuple[Trip, ...]:
    """The limits a batch of money passes (H03, H04). A single large charge waits in suspense by itself (`amount_max`).

    One that is smaller than usual is only told: what it carries is right, and holding it back would not bring what it lacks.
    """
    if not batch.rows:
        return ()
    sizes = [
        one._replace(action=WARN) if one.action == HOLD and one.less else one for one in _volume(limits.volume, batch.rows, batch.cents, history)
    ]
    return _tripped([_most(limits.total, batch.cents), _peak(limits.total, batch.rows, batch.cents, limits.volume.rows, history), *sizes])


def judge_file(limits: Limits, numbers: FileNumbers, history: History, now: str) -> tuple[Trip, ...]:
    """The limits a file passes; `now` is UTC. Only a statement of everything can be empty, stale or too small (H01, H03, D01)."""
    found: list[Trip | None] = [_unreadable(limits.unreadable, numbers), _ahead(limits.stale, numbers, now) if numbers.dated else None]
    if numbers.whole:
        found += [_empty(limits.empty, numbers, history), _stale(limits.stale, numbers, now), _cut_short(limits.cut_short, numbers)]
        found += _volume(limits.volume, numbers.rows, numbers.cents, history) if numbers.rows else []
    return _tripped(found)


def holding(trips: Sequence[Trip]) -> tuple[Trip, ...]:
    """Those that stop for a person; the others are only told."""
    return tuple(one for one in trips if one.action == HOLD)


def approvers(trips: Sequence[Trip]) -> int:
    """How many different people have to approve."""
    return max((one.approvers for one in trips), default=1)


def person_key(name: str) -> str:
    """By what a person is the same one, however the name is written."""
    return " ".join(name.split()).casefold()


def may_approve(who: str, started_by: str) -> bool:
    """Whoever started a run by hand approves nothing that it made; what the timetable started ("") anybody approves (I11)."""
    return not started_by or person_key(who) != person_key(started_by)


def _tripped(found: Sequence[Trip | None]) -> tuple[Trip, ...]:
    return tuple(one for one in found if one is not None and one.action != OFF)


def _trip(guard: Guard, code: str, short: str, words: str) -> Trip:
    return Trip(code, short, words, guard.action, guard.approvers)


def _share(guard: Share, code: str, found: int, active: int, verb: str) -> Trip | None:
    limit = guard.limit(active)
    if found <= limit:
        return None
    words = f"{count(found, 'hold')} {verb}; the limit is {limit:,} ({guard.most:,}, or {guard.percent} % of {active:,} that stand if that is more)"
    return _trip(guard, code, f"{found:,} {verb}, limit {limit:,}", words)


def _most(guard: Total, cents: int) -> Trip | None:
    if cents <= guard.most_cents:
        return None
    limit = shown(guard.most_cents)
    return _trip(guard, "total", f"{shown(cents)}, limit {limit}", f"the total is {shown(cents)}; the limit is {limit}")


def _peak(guard: Total, rows: int, cents: int, least: int, history: History) -> Trip | None:
    limit = history.peak_cents * guard.factor
    if rows < least or len(history.recent) < _ENOUGH or not limit or cents <= limit:
        return None
    words = f"the total is {shown(cents)}; the limit is {shown(limit)}, {guard.factor} times the largest of the last 90 days"
    return _trip(guard, "total", f"{shown(cents)}, limit {shown(limit)}", words)


def _single(guard: Single, cents: int) -> Trip | None:
    if cents <= guard.most_cents:
        return None
    limit = shown(guard.most_cents)
    return _trip(guard, "single", f"one of {shown(cents)}, limit {limit}", f"the largest single amount is {shown(cents)}; the limit is {limit}")


def _settings(guard: Guard, plan: Plan, history: History) -> Trip | None:
    """A mapping mistake looks like a night of many changes, or of few wrong ones: only a person can tell (H02)."""
    if not plan.fingerprint or plan.fingerprint == history.fingerprint:
        return None
    since = "since the last plan that was carried out" if history.fingerprint else "and no plan was ever carried out with them"
    words = f"the settings are new {since}; this is the first that changes something: {count(plan.rows, 'hold')}, limit 0 until a person has looked"
    return _trip(guard, "settings", f"new settings, {count(plan.rows, 'hold')}", words)


def _volume(guard: Volume, rows: int, cents: int, history: History) -> list[Trip]:
    if len(history.recent) < _ENOUGH:
        return []
    usual = _median([one.rows for one in history.recent])
    if max(rows, usual) < guard.rows:
        return []
    usual_cents = _median([one.cents for one in history.recent])
    by_rows = _band(guard, rows, usual, lambda number: count(number, "record"), "volume")
    by_cents = _band(guard, cents, usual_cents, shown, "total")
    return [one for one in (by_rows, by_cents) if one is not None]


def _band(guard: Volume, found: int, usual: int, said: Callable[[int], str], noun: str) -> Trip | None:
    if not usual or usual <= found * guard.factor <= usual * guard.factor**2:
        return None
    limit = said(usual * guard.factor) if found > usual else said(-(-usual // guard.factor))
    side = "at most" if found > usual else "at least"
    words = f"the {noun} is {said(found)}, usual is {said(usual)}; the limit is {side} {limit}"
    return _trip(guard, "volume", f"{said(found)}, usual {said(usual)}, limit {side} {limit}", words)._replace(less=found < usual)


def _median(sizes: list[int]) -> int:
    ordered = sorted(sizes)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def _empty(guard: Guard, numbers: FileNumbers, history: History) -> Trip | None:
    """Once a person has approved an empty one, another is no news."""
    last = history.recent[0].rows if history.recent else 0
    if numbers.rows or not last:
        return None
    words = f"the file states nothing; the one before it had {count(last, 'record')}, and the limit is 1: an empty file is no evidence"
    return _trip(guard, "empty", f"0 records, last {last:,}, limit 1", words)


def _stale(guard: Stale, numbers: FileNumbers, now: str) -> Trip | None:
    if not numbers.as_of:
        return None
    age = datetime.fromisoformat(now) - datetime.fromisoformat(numbers.as_of)
    if age <= guard.older_than:
        return None
    words = f"the file states what was true {_hours(age)} ago; the limit is {_hours(guard.older_than)}"
    return _trip(guard, "stale", f"{_hours(age)} old, limit {_hours(guard.older_than)}", words)


def _ahead(guard: Stale, numbers: FileNumbers, now: str) -> Trip | None:
    """One that was believed would silence every file until its day comes."""
    if not numbers.as_of:
        return None
    ahead = datetime.fromisoformat(numbers.as_of) - datetime.fromisoformat(now)
    if ahead <= _AHEAD:
        return None
    words = f"the file states what will be true in {_hours(ahead)}; the limit is {_hours(_AHEAD)}: is as_of read from the right place of its name?"
    return _trip(guard, "stale", f"{_hours(ahead)} ahead, limit {_hours(_AHEAD)}", words)


def _unreadable(guard: Share, numbers: FileNumbers) -> Trip | None:
    limit = guard.limit(numbers.rows)
    if numbers.rejected <= limit:
        return None
    words = (
        f"{numbers.rejected:,} of {count(numbers.rows, 'record')} cannot be read; the limit is {limit:,} "
        f"({guard.most:,}, or {guard.percent} % if that is more)"
    )
    return _trip(guard, "unreadable", f"{numbers.rejected:,} of {numbers.rows:,} unreadable, limit {limit:,}", words)


def _cut_short(guard: Tail, numbers: FileNumbers) -> Trip | None:
    """People pay from anywhere in a list: that all behind one line are gone, and nobody else, is a cut (reliability.md T01, H01)."""
    if numbers.cut_off <= guard.most:
        return None
    words = (
        f"the list ends where the one before it went on: {numbers.cut_off:,} people with something open stand behind that line there, "
        f"and none of them here; the limit is {guard.most:,}. Was it cut?"
    )
    return _trip(guard, "cut_short", f"the last {numbers.cut_off:,} people lacking, limit {guard.most:,}", words)


def _hours(age: timedelta) -> str:
    return count(int(age.total_seconds() // 3600), "hour")
