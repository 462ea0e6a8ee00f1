"""The timetable as the settings wish it: schedules, who answers for a flow, and what each leg should have heard by now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursarbridge.assembly.names import BURSAR
from bursarbridge.assembly.parking import channel_name
from bursarbridge.config.model import AlmaSource, Settings
from bursarbridge.config.parking import ParkingSource
from bursarbridge.config.timetabling import FlowTimes
from bursarbridge.flows.alarms import Leg, Watch
from bursarbridge.flows.run import utc_text
from bursarbridge.jobs.timetable import LATE_AFTER, REMEMBERED, Schedule, instant, resolved, slots, upcoming
from bursarbridge.ledger.entries import Place
from bursarbridge.store import alarms
from bursarbridge.store import slots as kept
from bursarbridge.store.alarms import Ahead, Unanswered
from bursarbridge.store.books import Books
from bursarbridge.store.slots import Key, Seen


class Hears(NamedTuple):
    """What a flow reads and which money waits for it."""

    partner: str = ""
    channels: tuple[str, ...] = ()
    place: int = 0


def hears(settings: Settings, flow: str) -> Hears:
    """Whose files a flow waits for, on which channels, and the place its money leaves from (0 for none)."""
    name, _, kind = flow.partition("-")
    source = settings.sources.get(name)
    if isinstance(source, AlmaSource) and kind == "charges":
        return Hears(name, (f"{name}-export",), int(Place.SOURCE))
    if isinstance(source, AlmaSource) and kind == "credits":
        return Hears(name, (f"{name}-{'credits' if source.credits_export else 'export'}",), int(Place.WAIVED))
    if isinstance(source, ParkingSource) and kind != "payments":
        leaving = {"charges": int(Place.SOURCE), "credits": int(Place.WAIVED)}.get(kind, 0)
        return Hears(name, tuple(channel_name(source, one.kind) for one in source.violations), leaving)
    if kind == "payments":
        return Hears(BURSAR, (f"{BURSAR}-payments",), int(Place.PAID))
    return Hears()


def schedules(settings: Settings) -> list[Schedule]:
    """The schedules of the flows that are switched on, those that others wait for first."""
    return resolved(_schedule(one) for one in settings.flows if one.enabled and one.schedule is not None)


def _schedule(one: FlowTimes) -> Schedule:
    assert one.schedule is not None
    times = one.schedule
    return Schedule(one.name, times.at, times.every, times.between, times.days, times.skip, times.after)


class LegView(NamedTuple):
    """A flow of the timetable as people look at it; instants are UTC text, "" for none."""

    flow: str
    state: str
    """due, running, late, missed, failed, held, done, or "waiting" before its first slot."""
    slot: str
    """The slot that is meant, "18:20"; "" before the first."""
    due_at: str
    words: str
    next_at: str
    seen_at: str
    """Up to when somebody looked at the timetable."""


def leg_views(settings: Settings, books: Books) -> Iterator[LegView]:
    """Every flow of the timetable as it stands at the books' instant."""
    now, zone, known, waiting = datetime.fromisoformat(books.now), settings.campus.timezone, kept.seen(books), kept.waiting(books)
    for schedule in schedules(settings):
        ahead = upcoming([schedule], zone, now, 1)
        following = utc_text(ahead[0].due_at) if ahead else ""
        looked = known[schedule.flow].seen_at if schedule.flow in known else ""
        row = next((one for one in waiting if one.flow == schedule.flow), None)
        row = row or kept.newest(books, schedule.flow, "done", "failed", "held", "missed")
        passed = slots(schedule, zone, datetime.fromisoformat(looked), now) if looked and looked < books.now else []
        if row is None or (row.ended_at and passed):
            state = _shown("due", passed[0].due_at, now) if passed else "waiting"
            yield LegView(schedule.flow, state, passed[0].name if passed else "", utc_text(passed[0].due_at) if passed else "", "", following, looked)
        else:
            due_at = datetime.fromisoformat(row.due_at)
            yield LegView(schedule.flow, _shown(row.state, due_at, now), row.slot, row.due_at, row.words, following, looked)


def _shown(state: str, due_at: datetime, now: datetime) -> str:
    """A slot's state as people read it: what is not over half an hour after its time is late."""
    return "late" if state in ("due", "running") and now - due_at > LATE_AFTER else state


def watches(settings: Settings, books: Books, ahead: Sequence[Ahead], *, counted: bool) -> Iterator[Watch]:
    """What each leg of the timetable should have heard by the books' instant, and what it heard.

    `counted`: with the people and the money that wait for it, which takes a look at every open fee.
    """
    known, times = kept.seen(books), {one.name: one for one in settings.flows}
    waiting, unanswered = kept.waiting(books), alarms.unanswered(books)
    now = datetime.fromisoformat(books.now)
    late_before = utc_text(now - LATE_AFTER)
    for schedule in schedules(settings):
        flow = schedule.flow
        if flow not in known:
            continue
        mine, heard = times[flow], hears(settings, flow)
        people, cents = alarms.standing_at(books, heard.place) if counted and heard.place else (0, 0)
        since, due = _file_window(mine, schedule, settings, known[flow], books)
        yield Watch(
            Leg(flow, mine.owner, mine.escalate, mine.escalate_after, heard.partner),
            over=kept.newest(books, flow, "done", "failed", "held"),
            missed=kept.newest(books, flow, "missed"),
            late=next((one for one in waiting if one.flow == flow and one.due_at < late_before), None),
            last_green=kept.last_green(books, flow),
            began_at=known[flow].began_at,
            due_since=kept.newest_due_at(books, flow, late_before),
            file_due=due,
            file_since=since,
            file_seen=alarms.newest_arrival(books, heard.channels),
            unanswered=tuple(_late(mine, settings, books, [one for one in unanswered if one.flow == flow])),
            ahead=tuple(one for one in ahead if one.channel in heard.channels),
            people=people,
            cents=cents,
        )


def _file_window(mine: FlowTimes, schedule: Schedule, settings: Settings, seen: Seen, books: Books) -> tuple[str, str]:
    """The newest deadline for a file behind which a run has looked, and since when a file counts for it; two "" when there is none yet."""
    by, zone, now = mine.expect.source_file_by, settings.campus.timezone, datetime.fromisoformat(books.now)
    if by is None:
        return "", ""
    days = Schedule(mine.name, (by,), weekdays=schedule.weekdays, closed=schedule.closed)
    deadlines = [one.due_at for one in slots(days, zone, now - REMEMBERED, now)]
    for number in range(len(deadlines) - 1, -1, -1):
        if deadlines[number] <= datetime.fromisoformat(seen.began_at):
            break
        if _looked(schedule, zone, deadlines[number], books, now):
            before = _looked(schedule, zone, deadlines[number - 1], books, now) if number else ""
            return before or utc_text(deadlines[number] - REMEMBERED), utc_text(deadlines[number])
    return "", ""


def _looked(schedule: Schedule, zone: ZoneInfo, deadline: datetime, books: Books, now: datetime) -> str:
    """When the first run at or after a deadline was over: it is the one that sees the file. "" while it is not, unless it is late itself."""
    following = upcoming([schedule], zone, deadline - timedelta(seconds=1), 1)
    if not following or following[0].due_at > now:
        return ""
    slot = following[0]
    row = kept.one(books, Key(slot.flow, slot.local_date.isoformat(), slot.name))
    over = row.ended_at if row is not None else ""
    return over or (utc_text(slot.due_at) if now > slot.due_at + LATE_AFTER else "")


def _late(mine: FlowTimes, settings: Settings, books: Books, sent: Sequence[Unanswered]) -> Iterator[tuple[Unanswered, str, int]]:
    """The documents whose answer is late, each with when it was due and how many people it is about."""
    for one in sent:
        due = _answer_due(mine, settings, one)
        if due and due < books.now:
            yield one, due, alarms.people_in(books, one.id)


def _answer_due(mine: FlowTimes, settings: Settings, one: Unanswered) -> str:
    """By when a document's answer is expected: as the timetable says, or as it was written down when it left."""
    expected = mine.expect.confirmed_by
    if expected is None or not one.sent_at:
        return one.expected_at
    sent, zone = datetime.fromisoformat(one.sent_at), settings.campus.timezone
    if expected.minute < 0:
        return utc_text(sent + expected.after)
    day = sent.astimezone(zone).date() + timedelta(days=expected.days)
    due = instant(day, expected.minute, zone)
    return utc_text(due if due > sent else instant(day + timedelta(days=1), expected.minute, zone))
