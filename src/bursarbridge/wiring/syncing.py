"""One round of the timetable: what came due is written down, run once, and what is late is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol, TypedDict

from bursarbridge.assembly.timetable import schedules, watches
from bursarbridge.config.model import Settings
from bursarbridge.errors import BridgeError, TryLater
from bursarbridge.flows import alarm_letter
from bursarbridge.flows.alarms import Done, Move, incidents_of, joined, moves
from bursarbridge.flows.letter import Addressed
from bursarbridge.flows.report import Frame
from bursarbridge.flows.run import utc_text
from bursarbridge.jobs.timetable import REMEMBERED, Schedule, Slot, Verdict, Waiting, judge, slots
from bursarbridge.store import alarms, outbox_mail, runs, starts
from bursarbridge.store import slots as kept
from bursarbridge.store.alarms import AlarmRow
from bursarbridge.store.books import Books
from bursarbridge.store.slots import Key, SlotRow
from bursarbridge.wiring.outside import Reached

ALARMS = "alarms"
"""The procedure that tells of alarms."""

CLAIMED = timedelta(minutes=10)
"""How long a claim of a slot whose run has not begun is another worker's business."""

_GREEN = ("completed", "completed_with_exceptions", "nothing_to_do")


OpenBooks = Callable[..., AbstractContextManager[Books]]
"""The ledger in one transaction; writing=True for one that writes."""


class Start(Protocol):
    """Runs a flow to its end, under a name or a new one; returns its summary."""

    def __call__(self, flow: str, name: str = "", /) -> dict[str, object]:
        """Raises TryLater or Refused when the run failed and said why."""
        ...


class Ran(TypedDict):
    """A slot that was run in a round."""

    flow: str
    local_date: str
    slot: str
    due_at: str
    run: str
    outcome: str
    """A run's outcome; `unreachable` when it is tried again by itself."""
    words: str


class Passed(TypedDict):
    """A slot that never ran."""

    flow: str
    local_date: str
    slot: str
    words: str


class Told(TypedDict):
    """What was done about alarms."""

    raised: int
    escalated: int
    resolved: int


class Synced(TypedDict):
    """What one round did."""

    ran: list[Ran]
    skipped: list[Passed]
    missed: list[Passed]
    alarms: Told


@dataclass(frozen=True)
class Round:
    """One round of a campus's timetable, while its run lock is held."""

    settings: Settings
    reached: Reached
    books: OpenBooks
    start: Start

    def whole(self) -> Synced:
        """Ends what a crash left open, runs what is due, each slot once, and tells what is late."""
        done = nothing()
        self._settle_what_was_left()
        tried: set[Key] = set()
        while (turn := self._next(done, tried)) is not None:
            tried.add(turn.key)
            ran = self._run(turn)
            done["ran"] += [ran] if ran else []
        self._tell(done)
        return done

    def _settle_what_was_left(self) -> None:
        """A slot is left running by a process that died. Its run was finished before this round; one that failed, or never began, is tried again."""
        with self.books(writing=True) as books:
            for row, outcome, name in kept.left_behind(books):
                if (name and outcome == "") or (not name and books.postgres and _fresh(row, books.now)):
                    continue  # it is under way, or another worker has only just claimed it
                state = "done" if outcome in _GREEN else "held" if outcome == "held" else "due"
                kept.settle(books, row.key, row.run_name, state, outcome, "" if state != "due" else "its process ended")

    def _next(self, done: Synced, tried: set[Key]) -> SlotRow | None:
        """The slot to run now, oldest first; those that will not run are passed over on the way."""
        with self.books(writing=True) as books:
            waiting = kept.waiting(books)
            ready = []
            for schedule in schedules(self.settings):
                mine = [one for one in waiting if one.flow == schedule.flow]
                if any(one.state == "running" for one in mine):
                    continue
                verdict = self._judged(schedule, mine, books.now)
                done["skipped"] += _passed(books, verdict.skipped, "skipped", "overtaken by a later run; only the latest is caught up with")
                done["missed"] += _passed(books, verdict.missed, "missed", "its time had gone by when the bridge ran again")
                ready += [one for one in mine if verdict.run is not None and one.key == _key(verdict.run) and not _waits(waiting, schedule, one)]
        return next((one for one in sorted(ready, key=lambda one: one.due_at) if one.key not in tried), None)

    def _judged(self, schedule: Schedule, mine: list[SlotRow], now: str) -> Verdict:
        times = next(one for one in self.settings.flows if one.name == schedule.flow)
        waiting = [Waiting(_slot(one), one.tries, datetime.fromisoformat(one.started_at) if one.started_at else None) for one in mine]
        return judge(waiting, in_order=times.catch_up == "in_order", within=times.catch_up_within, now=datetime.fromisoformat(now))

    def _run(self, slot: SlotRow) -> Ran | None:
        """Runs a slot under a name of its own, so that the engine too knows it as one; None when another process has it."""
        name = f"{slot.flow}-{slot.local_date.replace('-', '')}-{slot.slot.replace(':', '')}-{slot.tries + 1}"
        with self.books(writing=True) as books:
            if not kept.claim(books, slot.key, name):
                return None
            starts.by_timetable(books, name)
        self.reached("slot.claimed")
        outcome, words = self._ended(slot.flow, name)
        self.reached("slot.ran")
        state = {"unreachable": "due", "failed": "failed", "held": "held"}.get(outcome, "done")
        with self.books(writing=True) as books:
            kept.settle(books, slot.key, name, state, outcome, words)
        self.reached("slot.settled")
        return Ran(flow=slot.flow, local_date=slot.local_date, slot=slot.slot, due_at=slot.due_at, run=name, outcome=outcome, words=words)

    def _ended(self, flow: str, name: str) -> tuple[str, str]:
        try:
            return str(self.start(flow, name)["outcome"]), ""
        except TryLater as error:
            return "unreachable", str(error)
        except BridgeError as error:
            return "failed", str(error)

    def _tell(self, done: Synced) -> None:
        """Raises, weighs and closes alarms, in a run of their own when there is anything to do."""
        with self.books() as books:
            due = due_moves(self.settings, books)
        if due:
            self.start(ALARMS)
            for one in due:
                done["alarms"][{"raise": "raised", "escalate": "escalated"}.get(one.deed, "resolved")] += 1  # type: ignore[literal-required]


def _fresh(row: SlotRow, now: str) -> bool:
    """Whether a slot was claimed so lately that its run may not have begun yet."""
    return datetime.fromisoformat(now) - datetime.fromisoformat(row.started_at) < CLAIMED


def nothing() -> Synced:
    """A round that found nothing to do."""
    return Synced(ran=[], skipped=[], missed=[], alarms=Told(raised=0, escalated=0, resolved=0))


def look(settings: Settings, open_books: OpenBooks, reached: Reached) -> bool:
    """Writes down what came due; whether there is anything to run, to tell, to mail, or to finish for a process that died."""
    with open_books(writing=True) as books:
        _note(settings, books)
        due = bool(kept.waiting(books)) or bool(due_moves(settings, books))
        due = due or (settings.mail is not None and outbox_mail.any_due(books)) or runs.open_ones(books) > 0
    reached("slot.noted")
    return due


def _note(settings: Settings, books: Books) -> None:
    """Writes down every slot that came due since the last look. A flow that is new begins now; one that is gone leaves."""
    known, now, zone = kept.seen(books), datetime.fromisoformat(books.now), settings.campus.timezone
    planned = schedules(settings)
    for gone in known.keys() - {one.flow for one in planned}:
        kept.leave(books, gone)
    for schedule in planned:
        if schedule.flow not in known:
            kept.begin(books, schedule.flow)
            continue
        since = max(datetime.fromisoformat(known[schedule.flow].seen_at), now - REMEMBERED)
        found = slots(schedule, zone, since, now) if since < now else []
        kept.note(books, [(_key(one), utc_text(one.due_at)) for one in found], schedule.flow)


def due_slots(settings: Settings, books: Books) -> list[Slot]:
    """The slots that would run now if somebody looked, oldest first; nothing is changed."""
    known, now, zone = kept.seen(books), datetime.fromisoformat(books.now), settings.campus.timezone
    found = [_slot(one) for one in kept.waiting(books) if one.state == "due"]
    for schedule in schedules(settings):
        if schedule.flow in known:
            found += slots(schedule, zone, max(datetime.fromisoformat(known[schedule.flow].seen_at), now - REMEMBERED), now)
    return sorted(found, key=lambda one: one.due_at)


def due_moves(settings: Settings, books: Books, *, counted: bool = False) -> list[Move]:
    """What is to be done about alarms now; `counted` for those who tell how much waits."""
    zone = settings.campus.timezone
    found = [one for watch in watches(settings, books, alarms.clocks_ahead(books), counted=counted) for one in incidents_of(watch, books.now, zone)]
    return moves(alarms.open_ones(books), found, books.now)


def letters(settings: Settings, books: Books) -> Iterator[Addressed]:
    """Carries out what is to be done about alarms, in the books' transaction, and makes the mails that tell of it."""
    frame = Frame(settings.campus.name, settings.campus.timezone, books.now, settings.campus.environment == "sandbox")
    before = alarms.open_ones(books)
    done = [one for move in due_moves(settings, books, counted=True) if (one := _carried_out(books, move)) is not None]
    over = {one.alarm.id for one in done if one.deed == "resolve"}
    mails, together = alarm_letter.letters(done, [one for one in before if one.id not in over], frame)
    for told in together:
        for number in told.alarms:
            alarms.told_together(books, number, told.reader, told.number)
    yield from mails
    books.reached("alarm.noted")


def _carried_out(books: Books, move: Move) -> Done | None:
    """Raises, weighs or closes an alarm; None when that was done already."""
    incident, alarm = move.incident, move.alarm
    if move.deed == "raise" and incident is not None:
        readers = dict.fromkeys(incident.leg.readers(0), 0)
        number = alarms.raise_alarm(books, incident.leg.flow, incident.kind, incident.subject, tuple(readers))
        made = AlarmRow(number, incident.leg.flow, incident.kind, books.now, 0, books.now, incident.subject, readers)
        return Done(move.deed, made, incident) if number else None
    if incident is not None and alarm is not None:
        readers = dict(joined(alarm, incident.leg.readers(move.level), move.level))
        weighed = alarms.escalate(books, alarm.id, move.level, readers)
        return Done(move.deed, alarm._replace(readers=readers), incident, move.level) if weighed else None
    return Done(move.deed, alarm) if alarm is not None and alarms.resolve(books, alarm.id) else None


def _passed(books: Books, found: tuple[Slot, ...], state: str, words: str) -> list[Passed]:
    ended = [_key(one) for one in found if kept.pass_over(books, _key(one), state, words)]
    return [Passed(flow=one.flow, local_date=one.local_date, slot=one.slot, words=words) for one in ended]


def _waits(waiting: Sequence[SlotRow], schedule: Schedule, slot: SlotRow) -> bool:
    """Whether the slot that must come before it is not over yet."""
    return bool(schedule.after) and Key(schedule.after, slot.local_date, slot.slot) in {one.key for one in waiting}


def _slot(row: SlotRow) -> Slot:
    return Slot(row.flow, date.fromisoformat(row.local_date), row.slot, datetime.fromisoformat(row.due_at))


def _key(slot: Slot) -> Key:
    return Key(slot.flow, slot.local_date.isoformat(), slot.name)
