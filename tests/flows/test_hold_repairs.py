"""What the state machine of holds found (tests/simulation/test_hold_machine.py), each as a story of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import HOLDS_IN, PARKING_OUT, drop
from bursarbridge.sandbox.indicators import HoldCode
from tests.flows.test_hold_lists import ANN, BEN, CAL, night, owes, pays
from tests.flows.test_hold_lists import garage as _garage
from tests.garage import OURS, SECTIONS, THEIRS, Garage, garage_in_memory

garage = _garage


@pytest.fixture
def listed() -> Iterator[Garage]:
    """A bursar who lists the indicators: Ann and Ben have a hold, and it was seen."""
    with garage_in_memory(SECTIONS.replace('confirmed_by = "collected"', 'confirmed_by = "snapshot"')) as made:
        for one in (ANN, BEN, CAL):
            made.people[one.user_id] = one.name
        owes(made, ANN, 4000)
        owes(made, BEN, 1500)
        made.jobs.export_violations(made.now)
        made.run()
        made.approve_all()
        night(made)
        see(made)
        yield made


def see(garage: Garage) -> None:
    """The bursar's list is drawn, and read."""
    garage.jobs.report_indicators(garage.now)
    garage.later(minutes=1)
    garage.run()
    garage.jobs.load(garage.now)
    garage.later(hours=1)


def test_i8_a_list_that_was_held_and_approved_decides_everybody_it_speaks_of(garage: Garage) -> None:
    """What it says was evaluated past while it waited; its people are named in the transaction that posts it."""
    pays(garage, ANN)
    stale = garage.parking.full_list(garage.now)
    garage.later(hours=40)
    drop(garage.folder / PARKING_OUT, stale, garage.now)
    ran = garage.run()
    assert ran is not None and ran["outcome"] == "held" and "40 hours" in ran["held"][0]
    garage.later(minutes=1)
    garage.jobs.report_indicators(garage.now)  # something newer is read and evaluated meanwhile
    garage.run()
    assert garage.approve_all() == 1
    assert night(garage) == {"release 1000011 0"}


def test_h01_an_empty_list_waits_and_once_approved_the_last_ones_are_released(garage: Garage) -> None:
    pays(garage, ANN)
    pays(garage, BEN)
    garage.jobs.export_violations(garage.now)
    ran = garage.run()
    assert ran is not None and ran["outcome"] == "held" and "without a single violation" in ran["held"][0]
    assert garage.at_bursar() == {"1000011": 4000, "1000021": 1500}
    garage.approve_all()
    assert night(garage) == {"release 1000011 0", "release 1000021 0"} and garage.at_bursar() == {}


def test_h01_a_list_of_which_nothing_can_be_read_is_refused_and_nobody_can_approve_it(garage: Garage) -> None:
    sent = garage.parking.full_list(garage.now)
    drop(garage.folder / PARKING_OUT, Sent(sent.name, sent.content.replace(b",No permit,", b",No permit,x")), garage.now)
    ran = garage.run()
    assert ran is not None and ran["outcome"] == "completed_with_exceptions"
    assert garage.held() == [] and garage.codes() == ["file_empty_list"]


def test_t08_a_hold_file_that_never_left_is_made_anew_and_undoes_nothing(garage: Garage) -> None:
    """The same bytes, sent after newer ones, would bring a hold back that was released meanwhile."""
    owes(garage, CAL, 700)
    owes(garage, BEN, 100)
    garage.jobs.export_violations(garage.now)
    garage.cut.add("refuse")
    garage.run()
    assert garage.codes() == ["in_doubt"]
    garage.later(hours=24)
    pays(garage, CAL)
    garage.jobs.export_violations(garage.now)
    garage.run()
    garage.jobs.load(garage.now)
    assert garage.at_bursar() == {"1000011": 4000, "1000021": 1500}, "Cal's release left, and Ben's change is in doubt"
    garage.look_into_doubts()
    assert night(garage) == {"place 1000021 1600"}, "Ben is told anew, Cal's old line never leaves"
    assert garage.at_bursar() == {"1000011": 4000, "1000021": 1600}


def test_a_hold_of_ours_that_the_bursar_loads_again_after_its_release_is_released_again(listed: Garage) -> None:
    old = next((listed.folder / HOLDS_IN).glob("HOLDS_000001_ADDED.dat*")).read_bytes()
    pays(listed, ANN)
    listed.jobs.export_violations(listed.now)
    night(listed)
    see(listed)
    see(listed)
    with listed.books() as books:
        assert books.rows("select verb, confirmed from hold where account = '1000011'") == [("release", "seen")]
    drop(listed.folder / HOLDS_IN, Sent("HOLDS_000001_ADDED_AGAIN.dat", old), listed.now)
    listed.jobs.load(listed.now)
    assert "1000011" in listed.at_bursar()
    listed.later(minutes=1)
    see(listed)
    assert listed.at_bursar() == {"1000021": 1500}, "it carries our name, so it is ours to release"


NOW_CALLED = HoldCode("PK2", "PKCIT", "Parking", "AENR", "no enrollment", "PARKING")


def renamed(garage: Garage) -> bytes:
    """The campus has taken another code for its holds, which all stand under it, and were seen; the first file under the former one."""
    old = next((garage.folder / HOLDS_IN).glob("HOLDS_000001_ADDED.dat*")).read_bytes()
    garage.indicators.codes[NOW_CALLED.code, NOW_CALLED.reason] = NOW_CALLED
    garage.text = garage.text.replace('code = "PRK"', 'code = "PK2"')
    garage.indicators.place(CAL.user_id, THEIRS.code, THEIRS.reason, garage.now, "SOMEBODY")  # a list that shows nothing confirms nothing
    for _night in range(6):
        garage.jobs.export_violations(garage.now)
        garage.run()
        garage.approve_all()
        garage.later(minutes=1)
        see(garage)
    assert (garage.at_bursar(OURS), garage.at_bursar(NOW_CALLED)) == ({}, {"1000011": 4000, "1000021": 1500})
    return old


def test_a_hold_that_is_loaded_again_under_a_former_code_is_released(listed: Garage) -> None:
    """The old file brings back what the change of the code took away: it is ours still, and what stands under the new code stays as it is."""
    old = renamed(listed)
    listed.later(minutes=1)
    drop(listed.folder / HOLDS_IN, Sent("HOLDS_000001_ADDED_AGAIN.dat", old), listed.now)
    listed.jobs.load(listed.now)
    assert listed.at_bursar(OURS) == {"1000011": 4000, "1000021": 1500}
    listed.indicators.place(CAL.user_id, "PRK", "PKCIT", listed.now, "SOMEBODY")
    pays(listed, BEN)
    owes(listed, ANN, 500)
    listed.jobs.export_violations(listed.now)
    listed.later(minutes=1)
    see(listed)
    assert listed.at_bursar(NOW_CALLED) == {"1000011": 4500}, "what is owed comes first"
    listed.later(minutes=1)
    see(listed)
    assert listed.at_bursar(OURS) == {"1000031": 0} and listed.at_bursar(NOW_CALLED) == {"1000011": 4500}
    files = sorted((listed.folder / HOLDS_IN).iterdir())
    for _night in range(3):
        see(listed)
    assert sorted((listed.folder / HOLDS_IN).iterdir()) == files, "it is told once"
    with listed.books() as books:
        rows = books.rows(
            "select h.account, l.state, l.because from hold_line l join hold h on h.id = l.hold_id where l.because like '%former%' order by 1"
        )
        assert books.rows("select account, verb, code, cents, confirmed from hold order by account") == [
            ("1000011", "change", "PK2", 4500, "seen"),
            ("1000021", "release", "PK2", 0, "seen"),
        ]
    words = "the bursar's list shows a hold of ours under the former code PRK PKCIT"
    assert rows == [("1000011", "seen", words), ("1000021", "seen", words)]


def test_what_others_place_under_a_former_code_of_ours_is_theirs(listed: Garage) -> None:
    """Without our name on it, on somebody whose release under that code was seen."""
    renamed(listed)
    listed.indicators.place(ANN.user_id, "PRK", "PKCIT", listed.now, "SOMEBODY")
    listed.later(minutes=1)
    for _night in range(3):
        see(listed)
    assert listed.at_bursar(OURS) == {"1000011": 0} and listed.at_bursar(NOW_CALLED) == {"1000011": 4000, "1000021": 1500}


def test_t08_a_list_from_years_ahead_waits_for_a_person(garage: Garage) -> None:
    """Were it believed, every list would be older than it for ten years."""
    owes(garage, CAL, 700)
    sent = garage.parking.full_list(garage.now)
    drop(garage.folder / PARKING_OUT, Sent(sent.name.replace("_2026", "_2036"), sent.content), garage.now)
    ran = garage.run()
    assert ran is not None and ran["outcome"] == "held" and "ahead" in garage.held()[0].trips[0].short
    garage.later(minutes=5)
    drop(garage.folder / PARKING_OUT, garage.parking.full_list(garage.now), garage.now)
    garage.later(minutes=1)
    ran = garage.run()
    assert ran is not None and ran["holds"]["added"] == 1


def test_what_was_collected_and_seen_in_one_run_is_confirmed_once(garage: Garage) -> None:
    garage.jobs.report_indicators(garage.now)
    garage.later(minutes=1)
    ran = garage.run()
    assert ran is not None and ran["holds"]["confirmed"] == 2
