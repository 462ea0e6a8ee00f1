"""How people read instants, days and counts. Money is ledger.money.shown."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo


def moment(instant: datetime | str, zone: ZoneInfo) -> str:
    """An instant (aware, or UTC text) in campus time: "Tue Nov 17, 6:20 PM PST"; "" for "" (ux.md 2.1)."""
    if not instant:
        return ""
    at = (datetime.fromisoformat(instant) if isinstance(instant, str) else instant).astimezone(zone)
    return f"{at:%a %b} {at.day}, {clock(at)} {at:%Z}"


def clock(at: datetime) -> str:
    """The time of day alone: "6:20 PM"."""
    return f"{at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"


def day(text: str) -> str:
    """A campus date: "Oct 14, 2026"; "" for ""."""
    if not text:
        return ""
    on = date.fromisoformat(text)
    return f"{on:%b} {on.day}, {on.year}"


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 fee", "1,200 fees"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
