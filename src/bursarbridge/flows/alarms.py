"""What a leg did not hear by its time: one alarm for each incident, told again with growing weight, and closed by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import clock, count, moment
from bursarbridge.store.alarms import Ahead, AlarmRow, Unanswered
from bursarbridge.store.slots import SlotRow

SILENT_AFTER = timedelta(hours=26)
"""Without a good run for so long, although one was due, something is wrong that nobody named (reliability.md P26)."""
SINGLE_MAX = 3
"""So many alarms have a mail each; when more stand open, one mail tells of all of them."""
_SAID_FOR = timedelta(hours=1)
"""A missed run is told of even when a later one made up for it."""
_FORGOTTEN = timedelta(hours=26)
"""A wrong clock that nobody has seen for so long is right again."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One flow as people answer for it."""

    flow: str
    owner: str = ""
    escalate: tuple[str, ...] = ()
    escalate_after: tuple[timedelta, ...] = ()
    partner: str = ""
    """Whose file it waits for."""

    @property
    def title(self) -> str:
        """ "library charges"."""
        return self.flow.replace("-", " ")

    def readers(self, level: int) -> tuple[str, ...]:
        """Who is told at a level: the owner at 0, one more at each further one, and all at the last."""
        if not self.owner:
            return ()
        more = self.escalate if level >= len(self.escalate_after) else self.escalate[:level]
        return tuple(dict.fromkeys((self.owner, *more)))


@dataclass(frozen=True, slots=True)
class Watch:
    """What one leg should have heard, and what it heard. Instants are UTC text, "" for none."""

    leg: Leg
    over: SlotRow | None = None
    """Its newest slot that ran."""
    missed: SlotRow | None = None
    """Its newest slot that was too old to be run."""
    late: SlotRow | None = None
    """Its oldest slot that is not over although it should be."""
    last_green: str = ""
    began_at: str = ""
    due_since: str = ""
    """When its newest slot was due."""
    file_due: str = ""
    """The newest deadline for a file, once a run has looked."""
    file_since: str = ""
    file_seen: str = ""
    """When the newest whole file came in."""
    unanswered: tuple[tuple[Unanswered, str, int], ...] = ()
    """Documents whose answer is late, each with when it was due and how many people it is about."""
    ahead: tuple[Ahead, ...] = ()
    people: int = 0
    """How many people's money waits for the next run."""
    cents: int = 0


class Incident(NamedTuple):
    """Something that should have happened and did not, in words for the person who acts."""

    leg: Leg
    kind: str
    subject: str
    happened: str
    not_happened: str
    impact: str
    last_good: str
    step: str
    quiet: bool = False
    """It has the cause of another one, so it raises nothing; an alarm that stands open for it stays."""


class Move(NamedTuple):
    """What is done about an alarm: "raise", "escalate" or "resolve"."""

    deed: str
    incident: Incident | None
    alarm: AlarmRow | None
    level: int = 0


def moves(alarms: Sequence[AlarmRow], incidents: Sequence[Incident], now: str) -> list[Move]:
    """What to do about the incidents there are, given the alarms that stand open."""
    found: list[Move] = []
    standing = {(one.leg, one.kind): one for one in alarms}
    for incident in incidents:
        alarm = standing.pop((incident.leg.flow, incident.kind), None)
        if alarm is None:
            found += [] if incident.quiet else [Move("raise", incident, None)]
        elif alarm.level < len(incident.leg.escalate_after) and _age(alarm.opened_at, now) >= incident.leg.escalate_after[alarm.level]:
            found.append(Move("escalate", incident, alarm, alarm.level + 1))
    return found + [Move("resolve", None, alarm) for alarm in standing.values()]


def incidents_of(watch: Watch, now: str, zone: ZoneInfo) -> list[Incident]:
    """Everything that is wrong with one leg now. What follows from a run that did not happen is told with it, not beside it."""
    run = list(_run(watch, now, zone))
    found = [*run, *_file(watch, zone), *_answer(watch, zone), *_silence(watch, now, zone), *_clock(watch, now)]
    return [one._replace(quiet=True) if run and one.kind in ("file", "silence") else one for one in found]


def _run(watch: Watch, now: str, zone: ZoneInfo) -> Iterator[Incident]:
    late, over, missed = watch.late, watch.over, watch.missed
    title = watch.leg.title
    if late is not None:
        happened = f"The {_at(late, zone)} run of {title} is not over, {_span(late.due_at, now)} after its time. {_tried(late)}".strip()
        yield _incident(watch, "run", f"Late: {title}, {_at(late, zone)} run", happened, _nothing_sent(watch), zone)
    elif over is not None and over.state == "failed":
        happened = f"The {_at(over, zone)} run of {title} failed: {over.words}"
        yield _incident(watch, "run", f"Failed: {title}, {_at(over, zone)} run", happened, _nothing_sent(watch), zone)
    elif missed is not None and (watch.last_green < missed.ended_at or _age(missed.ended_at, now) < _SAID_FOR):
        happened = f"The {_at(missed, zone)} run of {title} did not take place: {missed.words}."
        yield _incident(watch, "run", f"Missed: {title}, {_at(missed, zone)} run", happened, _nothing_sent(watch), zone)


def _file(watch: Watch, zone: ZoneInfo) -> Iterator[Incident]:
    if not watch.file_due or watch.file_seen > watch.file_since:
        return
    whose = watch.leg.partner
    seen = f"The last one came in on {moment(watch.file_seen, zone)}." if watch.file_seen else "None has ever come in."
    yield Incident(
        watch.leg,
        "file",
        f"Late: {whose} file for {watch.leg.title} (due {_time(watch.file_due, zone)})",
        f"No whole file of the {whose} came in by {moment(watch.file_due, zone)}. {seen}",
        "Nothing was inferred from its absence: no fee was closed and no hold was released.",
        f"What the file would tell is not known here. {_waits(watch)}",
        _good(watch, zone),
        f"Ask the {whose} whether its export ran; when the file is there: bursarbridge run {watch.leg.flow}",
    )


def _answer(watch: Watch, zone: ZoneInfo) -> Iterator[Incident]:
    if not watch.unanswered:
        return
    (first, due, _), people = watch.unanswered[0], sum(one[2] for one in watch.unanswered)
    lines, cents = sum(one[0].lines for one in watch.unanswered), sum(one[0].cents for one in watch.unanswered)
    files = count(len(watch.unanswered), "file")
    yield Incident(
        watch.leg,
        "confirmation",
        f"Late: {first.destination} confirmation for {watch.leg.title} (due {_time(due, zone)})",
        f"{first.document} went to the {first.destination} on {moment(first.sent_at, zone)}. Its answer was due {moment(due, zone)}.",
        "Nothing was sent twice. What the file carries is neither confirmed nor lost.",
        f"{files} without an answer: {count(lines, 'line')} for {_people(people)}, {shown(cents)}.",
        _good(watch, zone),
        f"Ask the {first.destination} whether {first.document} was loaded; what is known of it: bursarbridge files show {first.document}",
    )


def _silence(watch: Watch, now: str, zone: ZoneInfo) -> Iterator[Incident]:
    since = watch.last_green or watch.began_at
    if not since or _age(since, now) < SILENT_AFTER or watch.due_since <= since:
        return
    title = watch.leg.title
    happened = f"{title.capitalize()} had no good run for {_span(since, now)}, although one was due."
    yield _incident(watch, "silence", f"Silent: {title}, no good run for {_span(since, now)}", happened, _nothing_sent(watch), zone)


def _clock(watch: Watch, now: str) -> Iterator[Incident]:
    wrong = [one for one in watch.ahead if _age(one.seen_at, now) < _FORGOTTEN]
    if not wrong:
        return
    first = wrong[0]
    yield Incident(
        watch.leg,
        "clock",
        f"Clock: files of {first.channel} are dated ahead of time",
        f"A file of {first.channel} bears a time that is {count(round(first.seconds / 60), 'minute')} ahead of our clock. One of the two is wrong.",
        "Nothing was left out: files are read in the order their own side gives them.",
        "Deadlines and expected times may be wrong by as much.",
        "",
        "Compare both machines with a time server (chronyc tracking, timedatectl).",
    )


def _incident(watch: Watch, kind: str, subject: str, happened: str, not_happened: str, zone: ZoneInfo) -> Incident:
    step = f"See what it says now: bursarbridge run {watch.leg.flow}"
    return Incident(watch.leg, kind, subject, happened, not_happened, _waits(watch), _good(watch, zone), step)


def _nothing_sent(watch: Watch) -> str:
    if watch.over is not None and watch.over.outcome == "failed":
        return "What was sealed before it failed leaves with the next run, once; nothing is sent twice."
    return "Nothing was sent; nobody was billed, paid or released by it."


def _waits(watch: Watch) -> str:
    if not watch.people:
        return "Nobody's money waits for it here."
    return f"{shown(watch.cents)} of {_people(watch.people)} waits here for its next run."


def _good(watch: Watch, zone: ZoneInfo) -> str:
    return moment(watch.last_green, zone) if watch.last_green else "never yet"


def _tried(slot: SlotRow) -> str:
    if slot.state == "running":
        return f"It has been running since {slot.started_at}."
    return f"{count(slot.tries, 'try' if slot.tries == 1 else 'trie')} so far: {slot.words}" if slot.tries else "It has not begun."


def _at(slot: SlotRow, zone: ZoneInfo) -> str:
    due = datetime.fromisoformat(slot.due_at).astimezone(zone)
    return f"{due:%a %b} {due.day}, {clock(due)}"


def _time(instant: str, zone: ZoneInfo) -> str:
    return clock(datetime.fromisoformat(instant).astimezone(zone))


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _age(since: str, now: str) -> timedelta:
    return datetime.fromisoformat(now) - datetime.fromisoformat(since)


def _span(since: str, now: str) -> str:
    minutes = int(_age(since, now) / timedelta(minutes=1))
    if minutes < 120:
        return count(minutes, "minute")
    return count(minutes // 60, "hour") if minutes < 72 * 60 else count(minutes // (24 * 60), "day")


class Done(NamedTuple):
    """A move that was carried out: the alarm as it stands after it."""

    deed: str
    alarm: AlarmRow
    incident: Incident | None = None
    level: int = 0


def in_one_mail(deed: str, mine: int, standing: int) -> bool:
    """Whether a reader gets one mail about so many alarms of one round: from the fourth on that stands open (ux.md 5).

    `standing` is how many the reader was told of before and that stand open still.
    """
    return mine + (standing if deed == "raise" else 0) > SINGLE_MAX


def joined(alarm: AlarmRow, readers: Sequence[str], level: int) -> Mapping[str, int]:
    """Who was told of an alarm so far and first at which level, those of this level included."""
    return {**dict.fromkeys(readers, level), **alarm.readers}
