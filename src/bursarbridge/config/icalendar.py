"""Closures from an iCalendar file (RFC 5545): the part of it that campus calendars use, and a clear refusal of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bursarbridge.errors import Unreadable
from bursarbridge.jobs.timetable import Closures

_LINE = re.compile(r"([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*)*):(.*)", re.ASCII | re.DOTALL)
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)
_INSTANT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})(Z?)", re.ASCII)
_LENGTH = re.compile(r"P(?:([0-9]{1,3})W|(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,6})S)?)?)", re.ASCII)
_REPEATS = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_KEPT = (*_REPEATS, "DTSTART", "DTEND", "DURATION", "STATUS")
_LONGEST = 400
"""Days of one event; a longer one is a mistake, and would silence the bridge for good."""


class _Property(NamedTuple):
    """One property of an event, with the line it begins on."""

    name: str
    parameters: str
    value: str
    line: int


def closures(text: str) -> Closures:
    """The dates and stretches that the calendar's events cover; cancelled events do not count.

    Raises Unreadable, with the line, for anything it does not understand: an event that repeats, a zone without an IANA name, no event at all.
    """
    days: set[date] = set()
    stretches: list[tuple[datetime, datetime]] = []
    events = list(_events(text))
    for event in events:
        if event.get("STATUS", _Property("", "", "", 0)).value.upper() == "CANCELLED":
            continue
        begins, ends = _covered(event)
        if isinstance(begins, datetime) and isinstance(ends, datetime):
            stretches.append((begins, ends))
        else:
            days |= {begins + timedelta(days=number) for number in range((ends - begins).days)}
    if not events:
        raise Unreadable("calendar", "it holds no event (BEGIN:VEVENT)")
    return Closures(frozenset(days), tuple(stretches))


def _events(text: str) -> Iterator[dict[str, _Property]]:
    """The events, each as its properties by name; what is inside an alarm of an event is passed over."""
    rows = list(_unfolded(text))
    if not rows or rows[0][1].upper() != "BEGIN:VCALENDAR" or rows[-1][1].upper() != "END:VCALENDAR":
        raise Unreadable("calendar", "it does not begin with BEGIN:VCALENDAR and end with END:VCALENDAR: is it whole, is it an iCalendar file?")
    inside: list[str] = []
    event: dict[str, _Property] = {}
    for line, row in rows:
        match = _LINE.fullmatch(row)
        if match is None:
            raise Unreadable("calendar", f"line {line} is no property of a calendar: {row[:40]!r}")
        name, value = match[1].upper(), match[3]
        if name == "BEGIN":
            inside.append(value.upper())
            event = {} if inside[-1] == "VEVENT" else event
        elif name == "END":
            if not inside or inside.pop() != value.upper():
                raise Unreadable("calendar", f"line {line} ends {value}, which did not begin")
            if value.upper() == "VEVENT":
                yield event
        elif inside[-1:] == ["VEVENT"] and name in _KEPT:
            event[name] = _Property(name, match[2], value.strip(), line)
    if inside:
        raise Unreadable("calendar", f"{inside[-1]} has no end: is the file whole?")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first one: a line that begins with a blank goes on the one before."""
    held, begun = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line[:1] in (" ", "\t") and held:
            held += line[1:]
            continue
        if held.strip():
            yield begun, held
        held, begun = line, number
    if held.strip():
        yield begun, held


def _covered(event: dict[str, _Property]) -> tuple[date, date]:
    """From when up to when: two dates, or two instants. The end does not belong to it."""
    repeats = next((event[name] for name in _REPEATS if name in event), None)
    if repeats is not None:
        raise Unreadable(
            "calendar", f"line {repeats.line} repeats an event ({repeats.name}), which is not understood: write each closure as one event"
        )
    if "DTSTART" not in event:
        raise Unreadable("calendar", "an event has no DTSTART")
    start = event["DTSTART"]
    begins = _moment(start)
    if "DTEND" in event:
        ends = _moment(event["DTEND"])
    elif "DURATION" in event:
        ends = begins + _length(event["DURATION"])
    else:
        ends = begins if isinstance(begins, datetime) else begins + timedelta(days=1)
    if isinstance(begins, datetime) != isinstance(ends, datetime) or _zoned(begins) != _zoned(ends):
        raise Unreadable("calendar", f"line {start.line}: the event begins and ends in two ways of writing times")
    if not timedelta(0) <= ends - begins <= timedelta(days=_LONGEST):
        raise Unreadable("calendar", f"line {start.line}: the event ends before it begins, or lasts longer than {_LONGEST} days")
    return begins, ends


def _zoned(at: date) -> bool:
    return isinstance(at, datetime) and at.tzinfo is not None


def _moment(one: _Property) -> date:
    """A date, or an instant: in UTC, in the zone it names, or without one (campus time)."""
    whole, timed = _DATE.fullmatch(one.value), _INSTANT.fullmatch(one.value)
    try:
        if whole:
            return date(int(whole[1]), int(whole[2]), int(whole[3]))
        if timed:
            year, month, day, hour, minute, second = (int(part) for part in timed.groups()[:6])
            at = datetime.combine(date(year, month, day), time(hour, minute, min(second, 59)))
            return at.replace(tzinfo=UTC) if timed[7] else _in_zone(at, one)
    except ValueError as error:
        raise Unreadable("calendar", f'line {one.line}: {one.name} "{one.value}" is no date there is ({error})') from None
    raise Unreadable("calendar", f'line {one.line}: {one.name} "{one.value}" is neither a date (20261225) nor a date and time (20261224T120000)')


def _in_zone(at: datetime, one: _Property) -> datetime:
    named = re.search(r";TZID=\"?([^\";]+)", one.parameters, re.IGNORECASE)
    if named is None:
        return at
    try:
        return at.replace(tzinfo=ZoneInfo(named[1]))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unreadable("calendar", f'line {one.line}: "{named[1]}" is no IANA time zone ("America/Los_Angeles")') from None


def _length(one: _Property) -> timedelta:
    match = _LENGTH.fullmatch(one.value)
    if match is None or not any(match.groups()):
        raise Unreadable("calendar", f'line {one.line}: DURATION "{one.value}" is not understood; write DTEND')
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
