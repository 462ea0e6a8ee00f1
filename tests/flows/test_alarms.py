"""What is late, decided from facts alone: one alarm for one incident, told again by its age, closed by itself; and what its mails say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.flows import alarm_letter
from bursarbridge.flows.alarms import Done, Incident, Leg, Watch, incidents_of, joined, moves
from bursarbridge.flows.report import Frame
from bursarbridge.flows.run import utc_text
from bursarbridge.store.alarms import Ahead, AlarmRow, Unanswered
from bursarbridge.store.slots import SlotRow

ZONE = ZoneInfo("America/Los_Angeles")
NOW = "2026-11-18T16:00:00Z"
LEG = Leg(
    "library-charges", "systems@example.edu", ("lead@example.edu", "cio@example.edu"), (timedelta(minutes=30), timedelta(minutes=120)), "library"
)
SLOT = SlotRow("library-charges", "2026-11-17", "18:20", "2026-11-18T02:20:00Z", "done", 1, "r", "", "2026-11-18T02:21:00Z", "completed", "")
GREEN = Watch(LEG, over=SLOT, last_green="2026-11-18T02:21:00Z", began_at="2026-11-01T00:00:00Z", people=12, cents=134_050)
FRAME = Frame("Example College", ZONE, NOW, sandbox=False)


def kinds(watch: Watch, now: str = NOW) -> list[tuple[str, bool]]:
    return [(one.kind, one.quiet) for one in incidents_of(watch, now, ZONE)]


def test_a_leg_that_heard_everything_is_quiet() -> None:
    assert kinds(GREEN) == []
    assert kinds(replace(GREEN, file_due="2026-11-18T02:15:00Z", file_since="2026-11-17T02:20:00Z", file_seen="2026-11-18T02:20:00Z")) == []


def test_what_follows_from_a_failed_run_raises_no_alarm_of_its_own() -> None:
    failed = SLOT._replace(state="failed", outcome="failed", words="the host key has changed")
    watch = replace(GREEN, over=failed, last_green="2026-11-16T02:21:00Z", due_since=SLOT.due_at, file_due=SLOT.due_at, file_since=SLOT.due_at)
    assert kinds(watch) == [("run", False), ("file", True), ("silence", True)]
    (raised,) = moves([], incidents_of(watch, NOW, ZONE), NOW)
    assert raised.incident is not None and "the host key has changed" in raised.incident.happened
    standing = AlarmRow(4, LEG.flow, "file", NOW, 0, NOW, "Late: file", {})
    assert [one.deed for one in moves([standing], incidents_of(watch, NOW, ZONE), NOW)] == ["raise"], "the one that stands stays"


def test_T12_only_a_clock_seen_lately_counts() -> None:
    watch = replace(GREEN, ahead=(Ahead("library-export", 3_600, "2026-11-18T15:00:00Z"),))
    assert kinds(watch) == [("clock", False)]
    assert kinds(watch, "2026-11-19T18:00:00Z") == []


def test_P26_silence_needs_a_run_that_was_due() -> None:
    old = replace(GREEN, last_green="2026-11-13T02:21:00Z")
    assert kinds(old) == [], "closed over a long weekend: nothing was due"
    assert kinds(replace(old, due_since="2026-11-18T02:20:00Z")) == [("silence", False)]
    never = replace(old, last_green="", due_since="2026-11-18T02:20:00Z")
    assert kinds(never) == [("silence", False)] and incidents_of(never, NOW, ZONE)[0].last_good == "never yet"


@given(st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=30))
def test_one_alarm_at_a_time_told_at_most_three_times_and_closed_when_it_is_over(steps: list[tuple[int, bool]]) -> None:
    """Whatever comes and goes: an alarm stands exactly while something is wrong, and its level follows its age."""
    clock, alarm, level = datetime.fromisoformat(NOW), None, 0
    for minutes, wrong in steps:
        clock += timedelta(minutes=minutes)
        found = [Incident(LEG, "run", "Late", "", "", "", "", "")] if wrong else []
        done = moves([alarm] if alarm else [], found, utc_text(clock))
        assert len(done) <= 1
        if done and done[0].deed == "raise":
            assert wrong and alarm is None
            alarm, level = AlarmRow(1, LEG.flow, "run", utc_text(clock), 0, utc_text(clock), "Late", {}), 0
        elif done and done[0].deed == "escalate":
            assert alarm is not None and done[0].level == level + 1
            level += 1
            assert clock - datetime.fromisoformat(alarm.opened_at) >= LEG.escalate_after[level - 1]
            alarm = alarm._replace(level=level)
        elif done:
            assert not wrong and done[0].deed == "resolve"
            alarm = None
        assert (alarm is not None) == wrong and level <= 2


@pytest.mark.parametrize(
    ("level", "readers"),
    [
        (0, ("systems@example.edu",)),
        (1, ("systems@example.edu", "lead@example.edu")),
        (2, ("systems@example.edu", "lead@example.edu", "cio@example.edu")),
    ],
)
def test_each_level_tells_one_more_and_the_last_tells_all(level: int, readers: tuple[str, ...]) -> None:
    assert LEG.readers(level) == readers
    assert replace(LEG, escalate=("lead@example.edu",)).readers(level) == readers[:2]
    assert replace(LEG, escalate_after=(timedelta(minutes=30),)).readers(level) == (readers if level == 0 else (*readers[:1], *LEG.escalate))
    assert replace(LEG, owner="").readers(level) == ()


def test_a_late_confirmation_reads_as_a_person_needs_it() -> None:
    sent = Unanswered(7, LEG.flow, "LIB_CHG_000007.dat", "bursar", 37, 209_500, "2026-11-17T02:20:00Z", "")
    watch = replace(GREEN, unanswered=((sent, "2026-11-17T15:00:00Z", 31),))
    (incident,) = incidents_of(watch, NOW, ZONE)
    (mail,) = alarm_letter.raised(3, incident, FRAME)
    assert (mail.mail.subject, mail.recipients) == ("Late: bursar confirmation for library charges (due 7:00 AM)", ("systems@example.edu",))
    assert mail.mail.text.splitlines()[:2] == [
        "LIB_CHG_000007.dat went to the bursar on Mon Nov 16, 6:20 PM PST. Its",
        "answer was due Tue Nov 17, 7:00 AM PST.",
    ]
    words = " ".join(mail.mail.text.split())
    for said in (
        *(
            "What did not happen: Nothing was sent twice.",
            "Impact: 1 file without an answer: 37 lines for 31 people, $2,095.00.",
        ),
        *("Last good run: Tue Nov 17, 6:21 PM PST", "Owner: systems@example.edu", "bursarbridge files show LIB_CHG_000007.dat"),
    ):
        assert said in words
    assert "LIB_CHG_000007.dat" in mail.mail.html and 'scope="row"' in mail.mail.html and "SANDBOX" not in mail.mail.html


def test_an_escalated_alarm_is_new_to_some_and_a_thread_to_others() -> None:
    (incident,) = incidents_of(replace(GREEN, over=SLOT._replace(state="failed", words="no")), NOW, ZONE)
    alarm = AlarmRow(9, LEG.flow, "run", "2026-11-18T15:00:00Z", 0, "", incident.subject, {"systems@example.edu": 0})
    readers = dict(joined(alarm, LEG.readers(1), 1))
    known, new = alarm_letter.escalated(alarm, incident, 1, readers, FRAME)
    assert (known.mail.subject, known.answers) == (f"Re: {incident.subject}", "alarm:9:0")
    assert (new.mail.subject, new.answers, new.recipients) == (incident.subject, "", ("lead@example.edu",))
    over = list(alarm_letter.resolved(alarm._replace(readers=readers), FRAME))
    assert [(one.recipients[0], one.answers) for one in over] == [("systems@example.edu", "alarm:9:0"), ("lead@example.edu", "alarm:9:1")]
    assert all(one.mail.subject == f"Re: {incident.subject}" and one.mail.text.startswith("Resolved: ") for one in over)


def raised(number: int, flow: str = "library-charges") -> Done:
    """A new alarm of a flow, told to its owner."""
    leg = replace(LEG, flow=flow)
    incident = Incident(
        leg, "run", f"Late: {leg.title}", "It is late.", "Nothing was sent.", "$1.00 waits.", "never yet", f"See: bursarbridge run {flow}"
    )
    return Done("raise", AlarmRow(number, flow, "run", NOW, 0, NOW, incident.subject, {"systems@example.edu": 0}), incident)


def test_the_fourth_alarm_comes_with_those_that_stand() -> None:
    standing = [raised(number, f"flow-{number}").alarm for number in (1, 2, 3)]
    (third,), together = alarm_letter.letters([raised(3, "flow-3")], standing[:2], FRAME)
    assert (third.key, third.mail.subject, together) == ("alarm:3:0", "Late: flow 3", [])
    (fourth,), ((reader, number, alarms),) = alarm_letter.letters([raised(4)], standing, FRAME)
    assert (fourth.key, fourth.answers, fourth.recipients) == ("alarms:4", "", ("systems@example.edu",)) and (number, alarms) == (4, (4,))
    assert fourth.mail.subject == "4 alarms: Late: library charges, and 3 more" and reader == "systems@example.edu"
    words = " ".join(fourth.mail.text.split())
    assert words.startswith("4 alarms stand open, 1 of them new.") and "$1.00 waits. See: bursarbridge run library-charges." in words
    assert words.count("Told of before; open since") == 3 and "bursarbridge status" in words and "4. Late: flow 3" in fourth.mail.html
    over = Done("resolve", raised(4).alarm._replace(readers={"systems@example.edu": -4}))
    (closed,), _none = alarm_letter.letters([over], standing, FRAME)
    assert (closed.key, closed.answers) == ("alarm:4:over", "alarms:4"), "in the thread in which it was told of"


def test_who_is_told_of_few_is_told_one_by_one() -> None:
    """Somebody else's alarms are nobody's fourth."""
    theirs = [replace_reader(raised(number, f"flow-{number}").alarm, "another@example.edu") for number in (1, 2, 3)]
    mails, together = alarm_letter.letters([raised(4), raised(5, "library-payments")], theirs, FRAME)
    assert [one.key for one in mails] == ["alarm:4:0", "alarm:5:0"] and together == []


def replace_reader(alarm: AlarmRow, reader: str) -> AlarmRow:
    """The same alarm, told to somebody else."""
    return alarm._replace(readers={reader: 0})
