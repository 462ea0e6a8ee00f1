"""The timetable: its sections, the values they take, and the rules between them (ux.md 7, [flows])."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, NamedTuple

from bursarbridge.config import kinds
from bursarbridge.config.desk import Desk, listed, nearest
from bursarbridge.config.faults import Flaw, Severity
from bursarbridge.config.icalendar import closures
from bursarbridge.config.mailing import address
from bursarbridge.config.nodes import Node
from bursarbridge.config.reader import optional, table
from bursarbridge.errors import Unreadable
from bursarbridge.jobs.timetable import DAY, EVERY_MIN, REMEMBERED, Closures

FLOW_NAMES: Final = ("library-charges", "library-payments", "library-credits", "library-returns")
"""The library's flows; a test holds them equal to assembly.names.ALL_FLOWS. Others are named after the section they belong to."""

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DEADLINE = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(?:\+([0-9])d)?", re.ASCII)
_SIZE_MAX = 1_000_000


class Deadline(NamedTuple):
    """By when something is expected: at a minute of the campus day, so many days later; or (`minute` below 0) so long after it left."""

    minute: int
    days: int
    after: timedelta


def clock(node: Node, desk: Desk) -> int:
    """A time of the campus day, "18:20", as its minute."""
    value = kinds.text(node, desk)
    match = _CLOCK.fullmatch(value)
    if match is None:
        raise Flaw("C070", f'{node.name} "{value}" is not a time of day', 'hours and minutes on a 24-hour clock, in campus time: "18:20"')
    return int(match[1]) * 60 + int(match[2])


def interval(node: Node, desk: Desk) -> int:
    """Whole minutes from EVERY_MIN to a day, written as a length of time."""
    minutes, rest = divmod(kinds.span()(node, desk), timedelta(minutes=1))
    if rest or not EVERY_MIN <= minutes <= DAY:
        said = f'{node.name} = "{node.value}" is not whole minutes from {EVERY_MIN}m to 24h'
        raise Flaw("C071", said, f'a file a minute helps nobody: {node.name} = "1h", or "{EVERY_MIN}m" at the least')
    return minutes


def between(node: Node, desk: Desk) -> tuple[int, int]:
    """Two times of one campus day, "05:00-22:00"; the last may be 24:00."""
    value = kinds.text(node, desk)
    first, _, last = value.partition("-")
    begins, ends = _CLOCK.fullmatch(first.strip()), _CLOCK.fullmatch(last.strip())
    minutes = DAY if last.strip() == "24:00" else int(ends[1]) * 60 + int(ends[2]) if ends else -1
    if begins is None or minutes <= int(begins[1]) * 60 + int(begins[2]):
        said = f'{node.name} "{value}" is not two times of one day, the earlier first'
        raise Flaw("C070", said, f'{node.name} = "05:00-22:00"; a night is two: until "24:00" here, and what comes after midnight from "00:00"')
    return int(begins[1]) * 60 + int(begins[2]), minutes


def weekdays(node: Node, desk: Desk) -> frozenset[int]:
    """ "daily", a stretch ("mon-fri"), or a list of days; 0 is Monday."""
    if node.kind == "list":
        return frozenset().union(*(_stretch(row, desk) for row in node.rows)) if node.rows else _no_day(node)
    return frozenset(range(7)) if kinds.text(node, desk) == "daily" else _stretch(node, desk)


def _stretch(node: Node, desk: Desk) -> frozenset[int]:
    value = kinds.text(node, desk)
    first, _, last = value.partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        said = f'{node.name} "{value}" is no day of the week'
        raise Flaw("C070", said, f'days = "daily", "mon-fri", or a list of: {listed(_DAYS)}; for dates without a run use skip')
    begins, ends = _DAYS.index(first), _DAYS.index(last or first)
    return frozenset(day % 7 for day in range(begins, ends + 1 if ends >= begins else ends + 8))


def _no_day(node: Node) -> frozenset[int]:
    raise Flaw("C070", f"{node.name} is empty", f'{node.name} = "daily", or take it out')


def skip(node: Node, desk: Desk) -> Closures:
    """An iCalendar file, or a list of campus dates."""
    if node.kind == "list":
        return Closures(frozenset(kinds.day(row, desk) for row in node.rows))
    path = desk.base / kinds.text(node, desk)
    try:
        content = path.read_bytes()[: _SIZE_MAX + 1]
        if len(content) > _SIZE_MAX:
            raise Unreadable("calendar", f"more than {_SIZE_MAX} bytes are too many for closures")
        return closures(content.decode("utf-8-sig"))
    except OSError as error:
        said = f"the calendar {node.value} cannot be read ({error.strerror or type(error).__name__})"
        raise Flaw("C072", said, 'put it there; the path starts from the folder of the settings file: skip = "calendars/closures.ics"') from None
    except UnicodeDecodeError:
        raise Flaw("C072", f"the calendar {node.value} is not UTF-8 text", "export it anew as iCalendar (.ics)") from None
    except Unreadable as error:
        raise Flaw("C072", f"the calendar {node.value}: {error.words}", 'correct the calendar, or list the dates: skip = ["2026-12-25"]') from None


def deadline(node: Node, desk: Desk) -> Deadline:
    """A time of the campus day, "18:15", perhaps of a later one, "07:00+1d"; or a length of time after it left, "+2h"."""
    value = kinds.text(node, desk)
    if value.startswith("+"):
        return Deadline(-1, 0, kinds.span()(replace(node, value=value.removeprefix("+")), desk))
    match = _DEADLINE.fullmatch(value)
    if match is None:
        raise Flaw("C070", f'{node.name} "{value}" is not a time by which something is expected', f'{node.name} = "07:00", "07:00+1d" or "+2h"')
    hours, _, minutes = match[1].partition(":")
    return Deadline(int(hours) * 60 + int(minutes), int(match[2] or 0), timedelta())


def rising(node: Node, desk: Desk) -> tuple[timedelta, ...]:
    """Lengths of time, each longer than the one before."""
    found = kinds.words(kinds.span(), least=1)(node, desk)
    if list(found) != sorted(set(found)):
        raise Flaw("C074", f"{node.name} does not rise", f'{node.name} = ["30m", "120m"]')
    return found


def not_long(node: Node, desk: Desk) -> timedelta:
    """A length of time up to REMEMBERED."""
    found = kinds.span()(node, desk)
    if found > REMEMBERED:
        raise Flaw("C039", f'{node.name} = "{node.value}" is longer than {REMEMBERED.days} days', f'{node.name} = "7d"')
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a flow runs, in campus time."""

    at: tuple[int, ...] = optional(kinds.words(clock, least=1), ())
    every: int = optional(interval, 0)
    between: tuple[int, int] = optional(between, (0, DAY))
    days: frozenset[int] = optional(weekdays, frozenset(range(7)))
    skip: Closures = optional(skip, Closures())
    after: str = optional(kinds.text, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a flow should have heard, and by when."""

    source_file_by: int | None = optional(clock, None)
    confirmed_by: Deadline | None = optional(deadline, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTimes:
    """One flow of the timetable, and who is told when it is late."""

    name: str
    schedule: Times | None = optional(table(Times), None)
    expect: Expected = optional(table(Expected), Expected())
    catch_up: str = optional(kinds.choice("latest", "in_order"), "latest")
    catch_up_within: timedelta = optional(not_long, timedelta(days=7))
    owner: str = optional(address, "")
    escalate: tuple[str, ...] = optional(kinds.words(address), ())
    escalate_after: tuple[timedelta, ...] = optional(rising, (timedelta(minutes=30), timedelta(minutes=120)))
    enabled: bool = optional(kinds.yes_no, True)


def timetable_rules(root: Node, desk: Desk) -> None:
    """Notes schedules that never come or come twice, flows that wait for one another, and alarms that nobody gets."""
    flows = root.at("flows").tables
    known = _flow_names(root)
    for name, flow in flows.items():
        if name not in known and not flow.stilled:
            guess = nearest(name, known)
            cure = f"did you mean {guess}?" if guess else f"the flows of these settings: {listed(known)}"
            desk.at_key("C003", flow, f'[flows] has no key or section "{name}"', cure)
        _schedule(name, flow.at("schedule"), flow, tuple(flows), desk)
        _after(name, root, desk)
        _alarms(name, flow, root, desk)


def _flow_names(root: Node) -> tuple[str, ...]:
    """Every flow that these settings have."""
    billed = [name for name, source in root.at("sources").tables.items() if source.text("collect") == "bill"]
    more = [f"{name}-{ending}" for name in billed for ending in ("charges", "credits", "payments")]
    return (*FLOW_NAMES, *more, *(f"{name}-holds{full}" for name in root.at("holds").tables for full in ("", "-full")))


def _schedule(name: str, schedule: Node, flow: Node, flows: tuple[str, ...], desk: Desk) -> None:
    if "schedule" not in flow.tables or schedule.kind != "table":
        return
    given = [key for key in ("at", "every", "after") if key in schedule.tables]
    if len(given) != 1:
        said = f"[flows.{name}] schedule has {' and '.join(given) or 'neither at nor every nor after'}"
        desk.at_key(
            "C071", schedule, said, 'one of them: { at = ["18:20"] }, { every = "1h", between = "05:00-22:00" } or { after = "library-charges" }'
        )
    if "between" in schedule.tables and "every" not in schedule.tables:
        desk.at_key("C071", schedule.at("between"), "between has no use without every", 'add every = "1h", or take between out')
    times = [row.value for row in schedule.at("at").rows]
    for number, row in enumerate(schedule.at("at").rows):
        if row.value in times[:number]:
            desk.at_value("C071", row, f'"{row.value}" stands here a second time', "each time once")
    leader = schedule.text("after")
    if leader and leader not in flows:
        guess = nearest(leader, flows)
        desk.at_value(
            "C073",
            schedule.at("after"),
            f"there is no section [flows.{leader}]",
            f'did you mean after = "{guess}"?' if guess else f"sections are: {listed(flows)}",
        )


def _after(name: str, root: Node, desk: Desk) -> None:
    """A flow that runs after itself, round any number of corners, never runs."""
    seen, flow = [name], root.at("flows", name, "schedule").text("after")
    while flow and flow not in seen:
        seen.append(flow)
        flow = root.at("flows", flow, "schedule").text("after")
    node = root.at("flows", name, "schedule", "after")
    if flow == name:
        desk.at_value("C073", node, f"{' waits for '.join([*seen, name])}: none of them ever runs", "give one of them times of its own")
    elif not flow and len(seen) > 1 and "schedule" not in root.at("flows", seen[-1]).tables and seen[-1] in root.at("flows").tables:
        desk.at_value("C073", node, f"[flows.{seen[-1]}] has no schedule, so {name} never runs", f"give [flows.{seen[-1]}] a schedule")


def _alarms(name: str, flow: Node, root: Node, desk: Desk) -> None:
    mailed = "relay" in root.at("mail").tables
    if flow.text("owner") and not mailed:
        desk.at_value(
            "C051",
            flow.at("owner"),
            f"[flows.{name}] has an owner, and there is no [mail]",
            "add a section [mail] with relay, from and allowed_domains",
        )
    if flow.at("escalate").rows and not flow.text("owner"):
        desk.at_key("C074", flow.at("escalate"), f"[flows.{name}] escalates, and nobody is told first", 'owner = "library-systems@example.edu"')
    if mailed and "schedule" in flow.tables and not flow.text("owner"):
        cure = 'owner = "library-systems@example.edu"'
        desk.at_key("C074", flow, f"nobody is told when {name} is late; only status shows it", cure, severity=Severity.WARNING)
