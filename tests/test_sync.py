"""The timetable at work: each slot once (T13, T14, H08), after silence and death, and what is late is told once (T09, T12, P26)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bursarbridge import config, wiring
from bursarbridge.assembly.names import ALL_FLOWS
from bursarbridge.config.timetabling import FLOW_NAMES
from bursarbridge.jobs.lock import only_one
from tests.campus_files import Fee
from tests.cli.calls import answer, call
from tests.timetable_scenes import CIO, EVENING, LEAD, OWNER, Killed, Scene, scene

HOURLY = """
[flows.library-payments]
schedule = { every = "1h", between = "05:00-22:00" }
CATCH_UP
owner = "systems@example.edu"
"""
FEE = Fee("9001", 500)


@pytest.fixture
def evening() -> Iterator[Scene]:
    """Charges at 18:20, looked at first at noon."""
    with scene() as made:
        assert made.ran() == [], "nothing before the first look is ever due"
        yield made


def test_the_settings_know_every_flow_there_is() -> None:
    assert set(FLOW_NAMES) == set(ALL_FLOWS)


def test_a_slot_runs_once_when_its_time_has_come(evening: Scene) -> None:
    evening.campus.export(FEE)
    assert evening.at("2026-11-16 18:19").ran() == []
    assert evening.at("2026-11-16 18:21").ran() == ["library-charges 2026-11-16 18:20 completed"]
    assert evening.ran() == [] and evening.at("2026-11-16 23:00").ran() == []
    row = evening.slot("library-charges", "2026-11-16", "18:20")
    assert (row.state, row.run_name, row.outcome) == ("done", "library-charges-20261116-1820-1", "completed")
    assert evening.at("2026-11-17 18:20").bridge.due()[0].name == "18:20"


def test_T13_the_autumn_hour_that_comes_twice_runs_once() -> None:
    with scene(EVENING.replace("18:20", "01:30").replace("18:15", "01:15")) as autumn:
        autumn.at("2026-10-31 12:00").sync()
        found = []
        for minute in range(0, 13 * 60, 10):
            autumn.at("2026-11-01 00:05").campus.later(minutes=minute)
            found += autumn.ran()
        assert found == ["library-charges 2026-11-01 01:30 nothing_to_do"]


def test_T14_the_spring_hour_that_is_skipped_runs_once_right_after_it() -> None:
    with scene(EVENING.replace("18:20", "02:30").replace("18:15", "02:15")) as spring:
        spring.at("2026-03-07 12:00").sync()
        assert spring.at("2026-03-08 01:59").ran() == []
        assert spring.at("2026-03-08 03:01").ran() == ["library-charges 2026-03-08 02:30 nothing_to_do"]
        assert spring.at("2026-03-08 03:31").ran() == [] and spring.at("2026-03-08 23:00").ran() == []


def test_T12_a_clock_that_jumps_ahead_and_back_runs_nothing_twice(evening: Scene) -> None:
    assert evening.at("2026-11-16 19:30").ran() == ["library-charges 2026-11-16 18:20 nothing_to_do"]
    assert evening.at("2026-11-16 17:30").ran() == [] and evening.at("2026-11-16 18:25").ran() == []
    assert evening.at("2026-11-17 18:20").ran() == ["library-charges 2026-11-17 18:20 nothing_to_do"]


def test_T12_a_partner_whose_clock_is_ahead_is_told_of_and_files_keep_their_order(evening: Scene) -> None:
    first, second = evening.campus.export(FEE), evening.campus.export(Fee("9002", 700))
    evening.at("2026-11-16 18:20")
    for file, ahead in ((second, 70), (first, 61)):
        stamp = (evening.campus.now + timedelta(minutes=ahead)).timestamp()
        os.utime(file, (stamp, stamp))
    assert evening.ran() == ["library-charges 2026-11-16 18:20 completed"]
    assert evening.alarms() == ["clock"] and "70 minutes ahead of our clock" in evening.words()
    with evening.campus.books() as books:
        assert [row[0] for row in books.rows("select name from delivery order by id")] == [first.name, second.name]
    evening.campus.export(Fee("9003", 900))
    evening.at("2026-11-17 18:20").sync()
    evening.at("2026-11-18 08:00").sync()
    assert "clock" not in evening.alarms(), "nobody saw it for 26 hours"


EVERYTHING = "".join(EVENING.replace("library-charges", flow) for flow in ALL_FLOWS).replace(
    'expect = { source_file_by = "18:15", confirmed_by = "07:00+1d" }\n', ""
)


def test_more_than_three_alarms_are_told_in_one_mail_each_time_in_one_thread() -> None:
    """The line is down: four flows are late at once. Nobody gets four mails, and the end of it stands in the thread of its beginning."""
    with scene(EVERYTHING) as down:
        down.at("2026-11-16 18:00").sync()
        down.cut(times=12)
        down.at("2026-11-16 18:20").sync()
        down.at("2026-11-16 18:51").sync()
        assert down.alarms() == ["run"] * 4
        subject = "[SANDBOX] 4 alarms: Late: library charges, Mon Nov 16, 6:20 PM run, and 3 more"
        assert down.subjects() == [subject]
        for words in (
            "4 alarms stand open, 4 of them new.",
            "library payments, Mon Nov 16, 6:20 PM run",
            "Nothing was sent",
            "bursarbridge run library-credits",
        ):
            assert words in down.words()
        down.at("2026-11-16 19:22").sync()
        assert down.subjects(OWNER)[1:] == [f"Re: {subject}"] and down.subjects(LEAD) == [subject]
        assert "4 alarms stand open, and 4 of them still" in down.words()
        down.at("2026-11-16 20:00").sync()
        down.at("2026-11-16 20:05").sync()
        assert down.alarms() == [] and [len(down.subjects(reader)) for reader in (OWNER, LEAD, CIO)] == [3, 2, 0]
        assert "Resolved: 4 alarms are over." in down.words()
        for reader in (OWNER, LEAD):
            first, *later = [one.message for one in down.box.mails if one.recipients == (reader,)]
            assert {str(one["In-Reply-To"]) for one in later} == {str(first["Message-ID"])} and first["In-Reply-To"] is None


def test_a_suspended_laptop_runs_the_latest_slot_only_and_says_what_it_skipped() -> None:
    with scene(HOURLY.replace("CATCH_UP", "")) as laptop:
        laptop.at("2026-11-16 12:30").sync()
        woken = laptop.at("2026-11-16 16:10").sync()
        assert [(one["slot"], one["outcome"]) for one in woken["ran"]] == [("16:00", "nothing_to_do")]
        assert [one["slot"] for one in woken["skipped"]] == ["13:00", "14:00", "15:00"] and woken["missed"] == []
        assert laptop.slot("library-payments", "2026-11-16", "14:00").state == "skipped"


def test_each_slot_is_caught_up_with_in_order_where_the_settings_say_so() -> None:
    with scene(HOURLY.replace("CATCH_UP", 'catch_up = "in_order"')) as laptop:
        laptop.at("2026-11-16 12:30").sync()
        assert [one["slot"] for one in laptop.at("2026-11-16 16:10").sync()["ran"]] == ["13:00", "14:00", "15:00", "16:00"]


def test_a_missed_run_is_never_silent() -> None:
    with scene(HOURLY.replace("CATCH_UP", 'catch_up = "in_order"\ncatch_up_within = "1h"')) as laptop:
        laptop.at("2026-11-16 12:30").sync()
        woken = laptop.at("2026-11-16 15:30").sync()
        assert ([one["slot"] for one in woken["missed"]], [one["slot"] for one in woken["ran"]]) == (["13:00", "14:00"], ["15:00"])
        assert laptop.subjects() == ["[SANDBOX] Missed: library payments, Mon Nov 16, 2:00 PM run"] and laptop.alarms() == ["run"]
        laptop.at("2026-11-16 17:00").sync()
        assert laptop.subjects()[1:] == ["Re: [SANDBOX] Missed: library payments, Mon Nov 16, 2:00 PM run"] and laptop.alarms() == []


def test_a_year_of_silence_is_bounded_and_the_newest_slot_runs() -> None:
    with scene(HOURLY.replace("CATCH_UP", "").replace("1h", "5m")) as asleep:
        asleep.at("2026-11-16 12:30").sync()
        woken = asleep.at("2027-11-16 12:31").sync()
        assert [(one["local_date"], one["slot"]) for one in woken["ran"]] == [("2027-11-16", "12:30")]
        assert 6_000 < len(woken["skipped"]) < 6_500, "a month of them, and not a year"


def test_a_host_out_of_reach_is_tried_again_and_late_after_half_an_hour(evening: Scene) -> None:
    evening.cut(times=3)
    assert evening.at("2026-11-16 18:20").ran() == ["library-charges 2026-11-16 18:20 unreachable"]
    assert evening.at("2026-11-16 18:22").ran() == [] and evening.slot("library-charges", "2026-11-16", "18:20").state == "due"
    assert evening.at("2026-11-16 18:26").ran() == ["library-charges 2026-11-16 18:20 unreachable"]
    assert evening.alarms() == []
    assert evening.at("2026-11-16 18:51").ran() == ["library-charges 2026-11-16 18:20 unreachable"]
    assert evening.alarms() == ["run"] and evening.subjects() == ["[SANDBOX] Late: library charges, Mon Nov 16, 6:20 PM run"]
    assert "the host does not answer" in evening.words(0)
    assert [one.state for one in evening.bridge.legs()] == ["late"]
    assert evening.at("2026-11-16 19:30").ran() == ["library-charges 2026-11-16 18:20 nothing_to_do"]
    assert evening.slot("library-charges", "2026-11-16", "18:20").tries == 4


def test_a_run_that_is_refused_is_an_alarm_and_the_next_slot_runs(evening: Scene) -> None:
    with evening.campus.books(writing=True) as books:
        books.do("insert into source (id, name, prefix) values (1, 'library', 'M')")
    evening.campus.export(FEE)
    assert evening.at("2026-11-16 18:20").ran() == ["library-charges 2026-11-16 18:20 failed"]
    assert evening.subjects() == ["[SANDBOX] Failed: library charges, Mon Nov 16, 6:20 PM run"], "and not also that its file is late"
    assert "reference prefix" in evening.words(0)
    with evening.campus.books(writing=True) as books:
        books.do("update source set prefix = 'L'")
    evening.at("2026-11-17 18:20").sync()
    assert evening.subjects(OWNER)[-1] == "Re: [SANDBOX] Failed: library charges, Mon Nov 16, 6:20 PM run"


def test_T09_a_missing_file_raises_one_alarm_that_escalates_and_resolves_in_its_thread(evening: Scene) -> None:
    evening.campus.export(FEE)
    evening.at("2026-11-16 18:20").sync()
    assert evening.alarms() == []
    before = evening.campus.places()
    assert evening.at("2026-11-17 18:20").ran() == ["library-charges 2026-11-17 18:20 nothing_to_do"]
    assert "file" in evening.alarms() and evening.campus.places() == before, "nothing is inferred from a file that is not there"
    subject = "[SANDBOX] Late: library file for library charges (due 6:15 PM)"
    mine = [one for one in evening.box.mails if "library file" in one.subject]
    assert [(one.subject, one.recipients) for one in mine] == [(subject, (OWNER,))]
    evening.at("2026-11-17 18:40").sync()
    assert len([one for one in evening.box.mails if "library file" in one.subject]) == 1, "one alarm for one incident"
    evening.at("2026-11-17 18:50").sync()
    evening.at("2026-11-17 20:20").sync()
    evening.at("2026-11-17 22:00").sync()
    evening.campus.export(Fee("9002", 700))
    evening.bridge._start(lambda flow, name, now: dict(evening.campus.run(flow)), "library-charges")
    evening.at("2026-11-17 22:10").sync()
    thread = [one for one in evening.box.mails if "library file" in one.subject]
    assert [(one.recipients[0], one.subject.startswith("Re: ")) for one in thread] == [
        *((OWNER, False), (OWNER, True), (LEAD, False)),
        *((OWNER, True), (LEAD, True), (CIO, False)),
        *((OWNER, True), (LEAD, True), (CIO, True)),
    ]
    for reader in (OWNER, LEAD, CIO):
        first, *later = [one.message for one in thread if one.recipients == (reader,)]
        assert {str(one["In-Reply-To"]) for one in later} == {str(one["References"]) for one in later} == {str(first["Message-ID"])}
        assert first["In-Reply-To"] is None
    assert thread[-1].part("plain").startswith("Resolved: library charges is as it should be again.")
    assert "file" not in evening.alarms()


def test_T09_the_late_file_of_yesterday_is_read_with_todays(evening: Scene) -> None:
    evening.at("2026-11-16 18:20").sync()
    assert evening.alarms() == ["file"]
    evening.campus.export(FEE)
    evening.campus.export(Fee("9002", 700))
    assert evening.at("2026-11-17 18:20").ran() == ["library-charges 2026-11-17 18:20 completed"]
    assert evening.alarms() == [] and evening.campus.places() == {"in_transit": 1200}


def test_a_confirmation_that_is_late_names_people_and_dollars(evening: Scene) -> None:
    evening.campus.export(FEE, Fee("9002", 700, "20260417"))
    evening.at("2026-11-16 18:20").sync()
    evening.at("2026-11-17 06:59").sync()
    assert evening.alarms() == []
    evening.at("2026-11-17 07:01").sync()
    assert evening.subjects() == ["[SANDBOX] Late: bursar confirmation for library charges (due 7:00 AM)"]
    words = evening.words(0)
    assert "1 file without an answer: 2 lines for 2 people, $12.00." in words and "bursarbridge files show LIB_" in words
    assert "0012345" not in words and "Nothing was sent twice." in words


def test_P26_no_good_run_for_26_hours_although_one_was_due(evening: Scene) -> None:
    evening.at("2026-11-16 18:20").sync()
    with evening.campus.books(writing=True) as books:  # a run that ends neither well nor badly: a guard holds it, day after day
        books.do(
            "insert into slot (flow, local_date, slot, due_at, state) "
            "values ('library-charges', '2026-11-17', '18:20', '2026-11-18T02:20:00Z', 'held')"
        )
        books.do("update timetable set seen_at = '2026-11-18T02:20:00Z'")
    evening.at("2026-11-17 20:00").sync()
    assert "silence" not in evening.alarms()
    evening.at("2026-11-17 20:21").sync()
    assert "silence" in evening.alarms()
    assert any(one.endswith("Silent: library charges, no good run for 26 hours") for one in evening.subjects())
    evening.at("2026-11-18 18:20").sync()
    assert "silence" not in evening.alarms()


def test_a_follower_runs_when_its_leader_is_over_and_waits_while_it_is_tried_again() -> None:
    text = EVENING + '[flows.library-credits]\nschedule = { after = "library-charges" }\nowner = "systems@example.edu"\n'
    with scene(text) as both:
        both.sync()
        both.cut(times=1)
        assert both.at("2026-11-16 18:20").ran() == ["library-charges 2026-11-16 18:20 unreachable"]
        again = both.at("2026-11-16 18:26").ran()
        assert again == ["library-charges 2026-11-16 18:20 nothing_to_do", "library-credits 2026-11-16 18:20 nothing_to_do"]


@pytest.mark.parametrize("point", ["slot.noted", "slot.claimed", "slot.ran", "slot.settled", "collect.posting", "submit.sealed", "alarm.noted"])
def test_a_process_that_dies_at_any_point_of_a_round_runs_each_slot_to_its_end_once(evening: Scene, point: str) -> None:
    evening.campus.export(FEE)
    evening.at("2026-11-16 18:20").die_at(point)
    if point == "alarm.noted":
        evening.campus.alma_takes()
        (evening.campus.folder / "alma/out").joinpath(evening.campus.waiting("alma/out")[0]).unlink()
    with pytest.raises(Killed):
        evening.sync()
    for minutes in (1, 6, 12):
        evening.campus.later(minutes=minutes)
        evening.sync()
    assert evening.slot("library-charges", "2026-11-16", "18:20").state == "done"
    assert len(evening.campus.charge_files()) == (point != "alarm.noted")
    assert evening.subjects() == (["[SANDBOX] Late: library file for library charges (due 6:15 PM)"] if point == "alarm.noted" else [])


def test_p01_what_somebody_started_and_a_death_cut_off_is_finished_by_a_round_with_nothing_due(evening: Scene) -> None:
    evening.campus.export(FEE)
    evening.die_at("submit.sealed")
    with pytest.raises(Killed), evening.bridge.running() as start:
        start("library-charges")
    assert not evening.campus.charge_files()
    assert evening.ran() == []
    assert len(evening.campus.charge_files()) == 1


def test_a_flow_that_is_switched_off_and_on_again_catches_up_with_nothing(evening: Scene) -> None:
    whole = evening.bridge.settings
    evening.bridge.settings = replace(whole, flows=tuple(replace(one, enabled=False) for one in whole.flows))
    assert evening.at("2026-11-17 19:00").ran() == [] and evening.bridge.legs() == []
    evening.bridge.settings = whole
    assert evening.at("2026-11-17 20:00").ran() == []
    assert evening.at("2026-11-18 18:20").ran() == ["library-charges 2026-11-18 18:20 nothing_to_do"]


def with_timetable(folder: Path) -> Path:
    """The example campus, with a timetable that is due within five minutes at any time of any day."""
    assert call("init", "--example", folder).exit_code == 0
    with (folder / "bursarbridge.toml").open("a", encoding="utf-8") as file:
        file.write('\n[flows.library-charges]\nschedule = { every = "5m" }\n')
    return folder


def test_H06_schedule_shows_the_next_ten_runs_in_campus_time(tmp_path: Path) -> None:
    campus = with_timetable(tmp_path / "campus")
    told = answer("schedule", "-C", campus)
    assert (told["timezone"], len(told["runs"]), told["due"]) == ("America/Los_Angeles", 10, [])
    assert told["runs"] == sorted(told["runs"], key=lambda one: one["due_at"]) and told["runs"][0]["local"][-6:] in ("-07:00", "-08:00")
    assert len(call("schedule", "-C", campus, "-n", 3).stdout.splitlines()) == 4
    assert "no timetable" in call("schedule", "-C", call("init", "--example", tmp_path / "other") and tmp_path / "other").stdout


def test_H08_started_by_hand_and_by_the_timetable_at_once_there_is_one(tmp_path: Path) -> None:
    """Through the real engine: while one runs, the other is refused with its own exit code, and the slot stays due and runs once."""
    campus = with_timetable(tmp_path / "campus")
    assert answer("sync", "--due", "-C", campus)["ran"] == []
    (campus / "alma/out/export.xml").write_bytes((campus / "samples/alma-export.xml").read_bytes())
    later = wiring.system_clock() + timedelta(minutes=6)
    bridge = wiring.build(config.load(campus / "bursarbridge.toml", {}), clock=lambda: later, wait=lambda _seconds: None)
    try:
        with only_one(bridge.ledger):
            assert answer("run", "library-charges", "-C", campus, code=6)["outcome"] == "failed"
            with pytest.raises(Exception, match="another run is under way"):
                bridge.sync()
        done = bridge.sync()
        assert [(one["flow"], one["outcome"]) for one in done["ran"]] == [("library-charges", "completed")]
        assert bridge.sync()["ran"] == [] and bridge.due() == []
        assert len(list((campus / "peoplesoft/in").glob("*.dat"))) == 1
        leg = answer("status", "-C", campus)["timetable"]["flows"][0]
        assert (leg["flow"], leg["state"]) == ("library-charges", "done")
        runs = {one["flow"]: (one["start"], one["started_by"]) for one in answer("status", "-C", campus)["runs"]}
        assert runs["library-charges"] == ("timetable", "") and "by the timetable" in call("status", "-C", campus).stdout
    finally:
        bridge.close()
