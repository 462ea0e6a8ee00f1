"""When flows run, in campus time. Pure: it knows no flow but by name, no store, and no clock.

An instance of a run is (flow, campus date, slot), never an instant: so it happens once in the autumn hour that the clock shows twice,
and at the next moment there is in the spring hour that it skips (reliability.md T13, T14).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

EVERY_MIN = 5
"""The shortest interval in minutes: what runs oftener is a mistake in the settings (reliability.md H06)."""
DAY = 24 * 60
"""The minutes of a campus day, as its clock shows them."""
LATE_AFTER = timedelta(minutes=30)
"""A slot that is not over by then is late."""
REMEMBERED = timedelta(days=31)
"""How far back slots are made up after a long silence; what is older is not counted one by one."""
AHEAD = timedelta(days=400)
"""How far ahead the next runs are looked for."""

_PAUSES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
"""Before a slot whose run found nobody there is tried again; they grow."""


@dataclass(frozen=True, slots=True)
class Closures:
    """When nothing runs: whole campus dates, and stretches from an instant up to another. An instant without a zone is campus time."""

    days: frozenset[date] = frozenset()
    stretches: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one flow runs. Minutes count from campus midnight, as the clock on the wall shows them."""

    flow: str
    at: tuple[int, ...] = ()
    every: int = 0
    """An interval in minutes, counted from the first of `between`; 0 for none."""
    between: tuple[int, int] = (0, DAY)
    """The first and the last minute of the day for intervals, both included."""
    weekdays: frozenset[int] = frozenset(range(7))
    """0 is Monday."""
    closed: Closures = field(default=Closures())
    after: str = ""
    """Another flow: the slots are that flow's, and each waits until that flow's is over."""


class Slot(NamedTuple):
    """One instance of a run."""

    flow: str
    local_date: date
    name: str
    """The campus time it stands for, "18:20": with flow and date the identity, whatever the instant."""
    due_at: datetime
    """UTC."""


class Waiting(NamedTuple):
    """A slot whose time has come."""

    slot: Slot
    tries: int = 0
    tried_at: datetime | None = None
    """When its last run began, which found the other system out of reach."""


class Verdict(NamedTuple):
    """What is done with the waiting slots of one flow."""

    run: Slot | None
    """The one to run now."""
    skipped: tuple[Slot, ...]
    """Overtaken by a later one."""
    missed: tuple[Slot, ...]
    """Too old to be caught up with."""


def slots(schedule: Schedule, zone: ZoneInfo, since: datetime, until: datetime) -> list[Slot]:
    """The slots due after `since`, up to and including `until`, oldest first."""
    day, last = since.astimezone(zone).date() - timedelta(days=2), until.astimezone(zone).date() + timedelta(days=1)
    found: list[Slot] = []
    while day <= last:
        found += [one for one in _of_day(schedule, zone, day) if since < one.due_at <= until]
        day += timedelta(days=1)
    return sorted(found, key=_order)


def resolved(schedules: Iterable[Schedule]) -> list[Schedule]:
    """The schedules with the times of another flow put in where one runs after it; leaders first, so that their slots come first.

    A flow that runs after one without a schedule has none.
    """
    by_flow = {one.flow: one for one in schedules}
    done: dict[str, Schedule] = {}
    for flow in by_flow:
        chain = [by_flow[flow]]
        while chain[-1].after in by_flow and by_flow[chain[-1].after] not in chain:
            chain.append(by_flow[chain[-1].after])
        if chain[-1].after:
            continue
        for one in reversed(chain):
            done.setdefault(one.flow, _following(one, done[one.after]) if one.after else one)
    return list(done.values())


def upcoming(schedules: Sequence[Schedule], zone: ZoneInfo, since: datetime, count: int) -> list[Slot]:
    """The next slots of all schedules after an instant, at most `count`, soonest first; fewer when there are no more within AHEAD."""
    found: list[Slot] = []
    begin = since
    while len(found) < count and begin - since < AHEAD:
        end = begin + timedelta(days=1)
        found += [slot for one in schedules for slot in slots(one, zone, begin, end)]
        begin = end
    return sorted(found, key=lambda one: one.due_at)[:count]


def judge(waiting: Sequence[Waiting], *, in_order: bool, within: timedelta, now: datetime) -> Verdict:
    """What to do with a flow's waiting slots: each in its order, or only the latest one. None older than `within` runs.

    A slot that found the other system out of reach waits a while, and with it those that must come after it.
    """
    ordered = sorted(waiting, key=lambda one: _order(one.slot))
    overtaken = () if in_order else tuple(one.slot for one in ordered[:-1])
    left = ordered if in_order else ordered[-1:]
    missed = tuple(one.slot for one in left if now - one.slot.due_at > within)
    first = next((one for one in left if one.slot not in missed), None)
    return Verdict(first.slot if first is not None and _ready(first, now) else None, overtaken, missed)


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The first UTC instant at which the campus clock shows that minute of that day, or a later one where it skips it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall(first, zone) == wall:
        return first
    # The minute is skipped: `first` counts with the offset before the gap and lies behind it, fold 1 the other way round.
    begin = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range(int((first - begin).total_seconds()) + 1)
    return begin + timedelta(seconds=bisect_left(seconds, wall, key=lambda second: _wall(begin + timedelta(seconds=second), zone)))


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _of_day(schedule: Schedule, zone: ZoneInfo, day: date) -> Iterator[Slot]:
    if day.weekday() not in schedule.weekdays or day in schedule.closed.days:
        return
    if _wall(instant(day, 0, zone), zone).date() != day:
        return  # a day that the campus never had: its zone jumped over the date line
    for minute in schedule.at:
        yield from _open(schedule, zone, _slot(schedule, zone, day, minute))
    if schedule.every:
        first, last = schedule.between
        regular = [_slot(schedule, zone, day, minute) for minute in range(first, min(last + 1, DAY), schedule.every)]
        # Several intervals inside a skipped hour all come down to the moment after it: one run is enough.
        for one in {each.due_at: each for each in regular}.values():
            yield from _open(schedule, zone, one)


def _slot(schedule: Schedule, zone: ZoneInfo, day: date, minute: int) -> Slot:
    return Slot(schedule.flow, day, f"{minute // 60:02}:{minute % 60:02}", instant(day, minute, zone))


def _open(schedule: Schedule, zone: ZoneInfo, slot: Slot) -> Iterator[Slot]:
    for begins, ends in schedule.closed.stretches:
        first, last = (at if at.tzinfo else at.replace(tzinfo=zone) for at in (begins, ends))
        if first <= slot.due_at < last:
            return
    yield slot


def _following(follower: Schedule, leader: Schedule) -> Schedule:
    """The leader's times on the days that suit both."""
    closed = Closures(leader.closed.days | follower.closed.days, leader.closed.stretches + follower.closed.stretches)
    return replace(leader, flow=follower.flow, after=leader.flow, weekdays=leader.weekdays & follower.weekdays, closed=closed)


def _order(slot: Slot) -> tuple[datetime, date, str]:
    return slot.due_at, slot.local_date, slot.name


def _ready(one: Waiting, now: datetime) -> bool:
    if one.tried_at is None or not one.tries:
        return True
    return now - one.tried_at >= _PAUSES[min(one.tries, len(_PAUSES)) - 1]
