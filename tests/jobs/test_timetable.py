"""Slots in campus time: each once, through both changes of the clock, in twenty zones (T13, T14); what is caught up with after a silence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.jobs.timetable import DAY, Closures, Schedule, Slot, Waiting, instant, judge, resolved, slots, upcoming

ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Chatham",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Antarctica/Troll",
)
YEARS = (2010, 2011, 2021, 2024, 2026)
"""In 2011 Apia jumped over a day; Asuncion, Tehran and Cairo changed their rules in between."""
HALF_HOURS = tuple(range(0, DAY, 30))


@cache
def changes(name: str) -> tuple[tuple[datetime, timedelta], ...]:
    """The instants at which a zone's clock is changed, and by how much."""
    zone, found = ZoneInfo(name), []
    for year in YEARS:
        hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(366 * 24)]
        offsets = [hour.astimezone(zone).utcoffset() or timedelta() for hour in hours]
        found += [(after, new - old) for (_, after), (old, new) in zip(pairwise(hours), pairwise(offsets), strict=True) if new != old]
    return tuple(found)


def around(change: datetime, zone: ZoneInfo) -> tuple[date, date, datetime, datetime]:
    """Whole campus days around a change, and the instants they begin and end."""
    first, last = change.astimezone(zone).date() - timedelta(days=3), change.astimezone(zone).date() + timedelta(days=3)
    return first, last, instant(first, 0, zone) - timedelta(seconds=1), instant(last, 0, zone) - timedelta(seconds=1)


@pytest.mark.parametrize("name", ZONES)
def test_T13_T14_each_slot_of_each_day_is_due_exactly_once_through_every_change(name: str) -> None:
    zone = ZoneInfo(name)
    for change, _shift in changes(name) or ((datetime(2026, 3, 29, tzinfo=UTC), timedelta()),):
        first, last, since, until = around(change, zone)
        found = slots(Schedule("f", at=HALF_HOURS), zone, since, until)
        days = {first + timedelta(days=number) for number in range((last - first).days)} - skipped_days(zone, first, last)
        assert {(one.local_date, one.name) for one in found} == {(day, f"{m // 60:02}:{m % 60:02}") for day in days for m in HALF_HOURS}
        assert len(found) == len(days) * len(HALF_HOURS), "no slot twice"
        for one in found:
            first_moment_at_or_after(one, zone)


def skipped_days(zone: ZoneInfo, first: date, last: date) -> set[date]:
    """The days the zone never had."""
    days = (first + timedelta(days=number) for number in range((last - first).days))
    return {day for day in days if datetime.combine(day, time(12), zone).astimezone(UTC).astimezone(zone).date() != day}


def first_moment_at_or_after(one: Slot, zone: ZoneInfo) -> None:
    """The clock on the wall shows the slot's time, or jumped over it right then; and it did not show it an hour or two before."""
    wall = datetime.combine(one.local_date, time.fromisoformat(one.name))
    shown = one.due_at.astimezone(zone).replace(tzinfo=None)
    before = (one.due_at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert before < wall <= shown, "the first second that shows it, or the first one after the gap"
    assert shown == wall or shown - before > timedelta(seconds=1), "only a gap moves it"
    for earlier in (30, 60, 120):
        assert (one.due_at - timedelta(minutes=earlier)).astimezone(zone).replace(tzinfo=None) < wall, "the repeated hour counts the first time"


@pytest.mark.parametrize("every", [5, 15, 60, 90])
@pytest.mark.parametrize("name", ZONES)
def test_T13_T14_intervals_neither_double_nor_leave_a_hole(name: str, every: int) -> None:
    zone = ZoneInfo(name)
    for change, shift in changes(name):
        _first, _last, since, until = around(change, zone)
        due = [one.due_at for one in slots(Schedule("f", every=every), zone, since, until)]
        assert len(due) == len(set(due)), "none at the same moment"
        longest = max(after - before for before, after in pairwise(due))
        assert longest <= timedelta(minutes=every) + max(-shift, timedelta()), f"{change}: a hole of {longest}"


def test_T13_the_repeated_hour_of_new_york_runs_the_first_time() -> None:
    found = slots(
        Schedule("f", at=(90,)), ZoneInfo("America/New_York"), datetime(2026, 10, 31, 12, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC)
    )
    assert [one.due_at.isoformat() for one in found] == ["2026-11-01T05:30:00+00:00", "2026-11-02T06:30:00+00:00"]


def test_T14_the_skipped_hour_of_new_york_and_the_half_hour_of_lord_howe_run_right_after_it() -> None:
    spring = instant(date(2026, 3, 8), 150, ZoneInfo("America/New_York"))
    assert spring == datetime(2026, 3, 8, 7, 0, tzinfo=UTC), "3:00 AM EDT, and 2:30 AM never was"
    howe = instant(date(2026, 10, 4), 135, ZoneInfo("Australia/Lord_Howe"))
    assert howe.astimezone(ZoneInfo("Australia/Lord_Howe")).strftime("%H:%M") == "02:30"


def test_T14_a_day_that_the_campus_never_had_has_no_slots() -> None:
    found = slots(Schedule("f", at=(1080,)), ZoneInfo("Pacific/Apia"), datetime(2011, 12, 29, 6, tzinfo=UTC), datetime(2012, 1, 1, 6, tzinfo=UTC))
    assert [one.local_date.day for one in found] == [29, 31, 1][-len(found) :] and date(2011, 12, 30) not in {one.local_date for one in found}


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.integers(0, 3),
    st.lists(st.integers(0, 6 * DAY), max_size=20),
    st.sampled_from((Schedule("f", at=(30, 90, 150, 1100)), Schedule("f", every=20, between=(60, 1400)))),
)
def test_T12_T13_T14_however_often_somebody_looks_each_slot_is_found_once(name: str, which: int, looks: list[int], schedule: Schedule) -> None:
    """Minutes at which it was looked, in any rhythm: what they find together is what one look finds."""
    zone = ZoneInfo(name)
    found = changes(name)
    begin = (found[which % len(found)][0] if found else datetime(2026, 3, 29, tzinfo=UTC)) - timedelta(days=3)
    moments = sorted({0, *looks, 6 * DAY})
    pieces = [slots(schedule, zone, begin + timedelta(minutes=a), begin + timedelta(minutes=b)) for a, b in pairwise(moments)]
    assert [one for piece in pieces for one in piece] == slots(schedule, zone, begin, begin + timedelta(minutes=6 * DAY))


def test_days_closures_and_stretches_are_left_out() -> None:
    zone, monday = ZoneInfo("America/Los_Angeles"), datetime(2026, 11, 23, 8, tzinfo=UTC)
    closed = Closures(frozenset({date(2026, 11, 26)}), ((datetime(2026, 11, 25, 12), datetime(2026, 11, 25, 20)),))
    found = slots(Schedule("f", at=(540, 1100), weekdays=frozenset(range(5)), closed=closed), zone, monday, monday + timedelta(days=7))
    assert [f"{one.local_date:%a} {one.name}" for one in found] == [
        *("Mon 09:00", "Mon 18:20", "Tue 09:00", "Tue 18:20", "Wed 09:00", "Fri 09:00", "Fri 18:20")
    ]


def test_a_flow_after_another_has_its_slots_and_comes_behind_it() -> None:
    schedules = resolved(
        [
            Schedule("holds", after="charges", weekdays=frozenset({0})),
            Schedule("charges", at=(1100,)),
            Schedule("lost", after="nowhere"),
            Schedule("a", after="b"),
            Schedule("b", after="a"),
        ]
    )
    assert [(one.flow, one.after, one.at) for one in schedules] == [("charges", "", (1100,)), ("holds", "charges", (1100,))]
    found = upcoming(schedules, ZoneInfo("America/Los_Angeles"), datetime(2026, 11, 22, 20, tzinfo=UTC), 4)
    assert [(one.flow, f"{one.local_date:%a}") for one in found] == [("charges", "Sun"), ("charges", "Mon"), ("holds", "Mon"), ("charges", "Tue")]


def test_H06_the_next_ten_runs_and_a_schedule_that_never_comes() -> None:
    zone, now = ZoneInfo("America/Los_Angeles"), datetime(2026, 11, 21, 20, tzinfo=UTC)
    found = upcoming([Schedule("a", at=(1100,)), Schedule("b", every=60, between=(300, 1320))], zone, now, 10)
    assert len(found) == 10 and found == sorted(found, key=lambda one: one.due_at) and found[0].due_at > now
    assert upcoming([Schedule("never", at=(60,), weekdays=frozenset())], zone, now, 10) == []


NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def waiting(*hours: int, tries: int = 0) -> list[Waiting]:
    """Slots that came due so many hours ago."""
    tried = NOW - timedelta(minutes=2) if tries else None
    due = [NOW - timedelta(hours=hour) for hour in hours]
    return [Waiting(Slot("f", at.date(), f"{at:%H:%M}", at), tries if number == 0 else 0, tried) for number, at in enumerate(due)]


def test_after_a_suspended_laptop_only_the_latest_runs_or_each_in_its_order() -> None:
    late = waiting(50, 26, 2)
    latest = judge(late, in_order=False, within=timedelta(days=7), now=NOW)
    assert (latest.run, latest.skipped, latest.missed) == (late[2].slot, (late[0].slot, late[1].slot), ())
    each = judge(late[::-1], in_order=True, within=timedelta(days=7), now=NOW)
    assert (each.run, each.skipped, each.missed) == (late[0].slot, (), ())


def test_after_a_long_outage_what_is_too_old_is_missed_and_not_run() -> None:
    old = waiting(400, 300, 2)
    each = judge(old, in_order=True, within=timedelta(days=7), now=NOW)
    assert (each.run, each.missed) == (old[2].slot, (old[0].slot, old[1].slot))
    alone = judge(old[:2], in_order=False, within=timedelta(days=7), now=NOW)
    assert (alone.run, alone.skipped, alone.missed) == (None, (old[0].slot,), (old[1].slot,))


def test_a_host_out_of_reach_is_tried_again_after_a_pause_and_nothing_overtakes_it() -> None:
    late = waiting(2, 1, tries=1)
    assert judge(late, in_order=True, within=timedelta(days=7), now=NOW).run is None, "five minutes have not passed"
    again = judge(late, in_order=True, within=timedelta(days=7), now=NOW + timedelta(minutes=3))
    assert again.run == late[0].slot
    assert judge(late, in_order=False, within=timedelta(days=7), now=NOW).run == late[1].slot, "only the latest matters, and it was not tried yet"
