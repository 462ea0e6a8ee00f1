"""The timetable's settings: what can never be meant is refused with its line and a cure (H06), and closures come from a calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bursarbridge import config
from bursarbridge.config.icalendar import closures
from bursarbridge.config.model import Settings
from bursarbridge.errors import Unreadable
from tests.config.sample import GOOD, written

WHOLE = """
[mail]
relay = "127.0.0.1:25"
tls = "none"
from = "bridge@example.edu"
allowed_domains = ["example.edu"]
[flows.library-charges]
schedule = { at = ["18:20", "06:05"], days = "mon-fri", skip = "closures.ics" }
expect = { source_file_by = "18:15", confirmed_by = "07:00+1d" }
catch_up = "in_order"
catch_up_within = "3d"
owner = "library-systems@example.edu"
escalate = ["lead@example.edu", "cio@example.edu"]
[flows.library-payments]
schedule = { every = "1h", between = "05:00-22:00" }
expect = { confirmed_by = "+2h" }
owner = "library-systems@example.edu"
[flows.library-credits]
schedule = { after = "library-charges", days = ["sun", "fri-mon"] }
owner = "library-systems@example.edu"
[flows.library-returns]
enabled = false
"""
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example College//Closures//EN
BEGIN:VTIMEZONE
TZID:America/Los_Angeles
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1@example.edu
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20270102
SUMMARY:Winter recess\\, the whole
  college is closed: nobody there
BEGIN:VALARM
TRIGGER:-PT15M
DURATION:PT5M
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID="America/Los_Angeles":20261125T120000
DURATION:PT12H
END:VEVENT
BEGIN:VEVENT
DTSTART:20261111
END:VEVENT
BEGIN:VEVENT
DTSTART:20260101
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
"""


def loaded(folder: Path, text: str = WHOLE) -> Settings:
    """The good settings with a timetable."""
    (folder / "closures.ics").write_text(CALENDAR, "utf-8")
    return config.load(written(folder, GOOD + text), {})


def faults(folder: Path, line: str, *, mail: bool = False) -> list[str]:
    """Code and cure of every fault that a flow's keys have."""
    head = WHOLE.partition("[flows")[0] if mail else ""
    return [f"{one.code} {one.words} | {one.cure}" for one in config.check(written(folder, f"{GOOD}{head}[flows.library-charges]\n{line}\n"), {})]


def test_the_timetable_is_read_whole(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.warnings == ()
    charges, payments, credit, returns = settings.flows
    assert charges.schedule is not None and charges.schedule.at == (1100, 365) and charges.schedule.days == frozenset(range(5))
    assert len(charges.schedule.skip.days) == 10 and date(2027, 1, 1) in charges.schedule.skip.days
    assert (charges.expect.source_file_by, charges.catch_up, charges.catch_up_within) == (1095, "in_order", timedelta(days=3))
    assert charges.expect.confirmed_by == (420, 1, timedelta()) and charges.escalate_after == (timedelta(minutes=30), timedelta(minutes=120))
    assert payments.schedule is not None and (payments.schedule.every, payments.schedule.between) == (60, (300, 1320))
    assert payments.expect.confirmed_by == (-1, 0, timedelta(hours=2))
    assert credit.schedule is not None and (credit.schedule.after, credit.schedule.days) == ("library-charges", frozenset({4, 5, 6, 0}))
    assert (returns.schedule, returns.enabled) == (None, False)


def test_a_flow_is_switched_off_by_a_variable(tmp_path: Path) -> None:
    (tmp_path / "closures.ics").write_text(CALENDAR, "utf-8")
    settings = config.load(written(tmp_path, GOOD + WHOLE), {"BURSARBRIDGE__FLOWS__LIBRARY_CHARGES__ENABLED": "false"})
    assert [one.name for one in settings.flows if one.enabled] == ["library-payments", "library-credits"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ('schedule = { every = "1m" }', "C071", "from 5m to 24h"),
        ('schedule = { every = "90s" }', "C071", "whole minutes"),
        ('schedule = { every = "2d" }', "C071", "from 5m to 24h"),
        ('schedule = { every = "0m" }', "C013", "no time at all"),
        ('schedule = { at = ["24:00"] }', "C070", "24-hour clock"),
        ('schedule = { at = ["6:20 PM"] }', "C070", "not a time of day"),
        ("schedule = { at = [18:20] }", "C002", ""),
        ('schedule = { at = ["18:20", "18:20"] }', "C071", "second time"),
        ("schedule = { at = [] }", "C009", "empty"),
        ("schedule = { }", "C071", "neither at nor every nor after"),
        ('schedule = { at = ["18:20"], every = "1h" }', "C071", "at and every"),
        ('schedule = { at = ["18:20"], between = "05:00-22:00" }', "C071", "no use without every"),
        ('schedule = { every = "1h", between = "22:00-05:00" }', "C070", "the earlier first"),
        ('schedule = { at = ["18:20"], days = "weekdays" }', "C070", "no day of the week"),
        ('schedule = { at = ["18:20"], days = [] }', "C070", "empty"),
        ('schedule = { at = ["18:20"], skip = ["2026-02-30"] }', "C028", "not a date"),
        ('schedule = { at = ["18:20"], skip = "no.ics" }', "C072", "cannot be read"),
        ('schedule = { after = "library-fees" }', "C073", "no section"),
        ('schedule = { after = "library-charges" }', "C073", "none of them ever runs"),
        ('expect = { confirmed_by = "7 in the morning" }', "C070", "by which something is expected"),
        ('expect = { confirmed_by = "+soon" }', "C011", "length of time"),
        ('catch_up = "all"', "C008", "latest, in_order"),
        ('catch_up_within = "90d"', "C039", "31 days"),
        ('escalate_after = ["2h", "30m"]', "C074", "does not rise"),
        ('owner = "library"', "C053", "not a mail address"),
        ('owner = "a@example.edu"', "C051", "no [mail]"),
    ],
)
def test_H06_what_can_never_be_meant_is_refused(tmp_path: Path, line: str, code: str, said: str) -> None:
    found = faults(tmp_path, line)
    assert any(one.startswith(code) and said in one for one in found), found


def test_H06_a_bad_zone_and_an_unknown_flow_are_refused(tmp_path: Path) -> None:
    zone = config.check(written(tmp_path, GOOD.replace("America/Los_Angeles", "America/Los_Angles")), {})
    assert {one.code for one in zone} == {"C010"}
    (unknown,) = config.check(written(tmp_path, GOOD + '[flows.library-charge]\nschedule = { at = ["18:20"] }\n'), {})
    assert (unknown.code, unknown.cure) == ("C003", "did you mean library-charges?")


def test_an_alarm_that_nobody_gets_is_said(tmp_path: Path) -> None:
    (told,) = config.check(written(tmp_path, GOOD + WHOLE.partition("[flows")[0] + '[flows.library-charges]\nschedule = { at = ["18:20"] }\n'), {})
    assert (told.code, told.severity.value) == ("C074", "warning")
    assert any(one.startswith("C074") for one in faults(tmp_path, 'escalate = ["lead@example.edu"]', mail=True))


def test_flows_that_wait_for_one_another_are_refused(tmp_path: Path) -> None:
    text = '[flows.library-charges]\nschedule = { after = "library-credits" }\n[flows.library-credits]\nschedule = { after = "library-charges" }\n'
    found = config.check(written(tmp_path, GOOD + text), {})
    assert [one.code for one in found] == ["C073", "C073"] and "waits for" in found[0].words
    (idle,) = config.check(
        written(tmp_path, GOOD + '[flows.library-charges]\nschedule = { after = "library-credits" }\n[flows.library-credits]\n'), {}
    )
    assert idle.code == "C073" and "has no schedule" in idle.words


def test_a_calendar_says_which_days_and_stretches_are_closed() -> None:
    found = closures(CALENDAR.replace("\n", "\r\n"))
    assert found.days == {date(2026, 12, day) for day in range(24, 32)} | {date(2027, 1, 1), date(2026, 11, 11)}
    zone = ZoneInfo("America/Los_Angeles")
    assert found.stretches == ((datetime(2026, 11, 25, 12, tzinfo=zone), datetime(2026, 11, 26, 0, tzinfo=zone)),)
    assert closures(CALENDAR.replace(';TZID="America/Los_Angeles"', "").replace("T120000", "T120000Z")).stretches[0][0] == datetime(
        2026, 11, 25, 12, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("DTEND;VALUE=DATE:20270102", "RRULE:FREQ=YEARLY", "line 14 repeats an event"),
        ("DTSTART:20261111", "DTSTART:20260230", "no date there is"),
        ("DTSTART:20261111", "DTSTART:tomorrow", "neither a date"),
        ("DTSTART:20261111", "SUMMARY:Veterans Day", "no DTSTART"),
        ("DTEND;VALUE=DATE:20270102", "DTEND;VALUE=DATE:20261223", "ends before it begins"),
        ("DTEND;VALUE=DATE:20270102", "DTEND;VALUE=DATE:20290102", "longer than 400 days"),
        ("DTEND;VALUE=DATE:20270102", "DTEND:20270102T000000Z", "two ways"),
        ('TZID="America/Los_Angeles":2', 'TZID="Pacific Standard Time":2', "no IANA time zone"),
        ("DURATION:PT12H", "DURATION:12H", "not understood"),
        ("END:VCALENDAR", "", "is it whole"),
        ("STATUS:CANCELLED\nEND:VEVENT\n", "STATUS:CANCELLED\n", "did not begin"),
        ("UID:1@example.edu", "just some words", "no property"),
    ],
)
def test_what_a_calendar_means_is_never_guessed(old: str, new: str, said: str) -> None:
    assert old in CALENDAR
    with pytest.raises(Unreadable, match=said):
        closures(CALENDAR.replace(old, new))


def test_a_calendar_without_events_is_refused() -> None:
    with pytest.raises(Unreadable, match="no event"):
        closures("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
