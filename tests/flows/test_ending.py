"""A complete list without a trailer that was cut at a line end: what shows it, what does not, and that it waits for a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.flows.ending import cut_off
from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import PARKING_OUT, drop
from bursarbridge.sandbox.tickets import ParkingUser
from tests.flows.test_hold_lists import night, owes, pays
from tests.garage import SECTIONS, Garage, garage_in_memory

PEOPLE = [ParkingUser(f"20000{number:02}", f"Person {number}") for number in range(12)]
HEAD = b"id,amount\r\n"


def listed(*rows: str) -> bytes:
    return HEAD + b"".join(f"{row}\r\n".encode() for row in rows)


OLD = listed("a,1", "b,2", "c,3", "d,4", "e,5")


@pytest.mark.parametrize(
    ("new", "lacking"),
    [
        (listed("a,1", "b,2"), ["c,3", "d,4", "e,5"]),
        (listed("b,2"), ["c,3", "d,4", "e,5"]),
        (listed("a,7", "b,2"), ["c,3", "d,4", "e,5"]),
        (listed("a,1", "b,2").rstrip(), ["c,3", "d,4", "e,5"]),
        (listed("a,1", "b,2", "f,6"), []),
        (listed("a,1", "b,9"), []),
        (listed("e,5", "b,2"), []),
        (listed("a,1", "e,5"), []),
        (OLD, []),
        (HEAD, []),
        (b"", []),
    ],
)
def test_a_cut_is_a_tail_that_lacks_behind_a_line_that_stands(new: bytes, lacking: list[str]) -> None:
    """Not where something new stands last, the last line changed, the order is another one, or nothing stood behind it."""
    assert [line.decode().strip() for line in cut_off(OLD, new)] == lacking


def test_a_line_that_only_begins_alike_is_another_one() -> None:
    assert cut_off(listed("a,1", "a,11", "b,2"), listed("a,1")) == [b"a,11\r\n", b"b,2\r\n"]
    assert cut_off(listed("a,11", "b,2"), listed("a,1")) == []


@given(st.lists(st.integers(0, 50), unique=True, min_size=1, max_size=30), st.data())
def test_every_cut_of_a_list_shows_exactly_what_is_lacking(rows: list[int], drawn: st.DataObject) -> None:
    at = drawn.draw(st.integers(1, len(rows)))
    whole = [f"{row},{row}" for row in rows]
    assert [line.decode().strip() for line in cut_off(listed(*whole), listed(*whole[:at]))] == whole[at:]


@pytest.fixture
def garage() -> Iterator[Garage]:
    """Twelve people have a hold; their list has no trailer."""
    with garage_in_memory(SECTIONS + '[guards.parking-holds]\nsettings = { action = "off" }\n') as made:
        for one in PEOPLE:
            made.people[one.user_id] = one.name
            owes(made, one, 4000)
        made.jobs.export_violations(made.now)
        assert len(night(made)) == 12
        yield made


def cut(sent: Sent, lines: int) -> Sent:
    """The same list without its last lines."""
    return Sent(sent.name, b"".join(sent.content.splitlines(keepends=True)[:-lines]))


def test_t01_a_list_without_a_trailer_that_is_cut_at_a_line_end_waits_for_a_person(garage: Garage) -> None:
    """Six people fewer: no limit of a plan is passed by that."""
    drop(garage.folder / PARKING_OUT, cut(garage.parking.full_list(garage.now), 6), garage.now)
    garage.later(minutes=1)
    ran = garage.run()
    assert ran is not None and ran["outcome"] == "held" and ran["holds"]["released"] == 0
    ((trip,),) = [one.trips for one in garage.held()]
    assert (trip.code, trip.short) == ("cut_short", "the last 6 people lacking, limit 2")
    assert "6 people with something open stand behind that line there, and none of them here" in ran["held"][0]
    (waiting,) = garage.held()
    garage.decide(waiting.id, "Imre", "reject")
    (garage.folder / PARKING_OUT / waiting.file).unlink()
    garage.later(hours=1)
    assert night(garage, garage.parking.full_list(garage.now)) == set(), "the whole list changes nothing"
    assert len(garage.at_bursar()) == 12


def test_a_list_whose_end_is_true_is_read_once_a_person_says_so(garage: Garage) -> None:
    for one in PEOPLE[-4:]:
        pays(garage, one)
    garage.jobs.export_violations(garage.now)
    ran = garage.run()
    assert ran is not None and ran["outcome"] == "held"
    garage.approve_all()
    assert len(night(garage)) == 4 and len(garage.at_bursar()) == 8


def test_who_pays_from_anywhere_asks_nobody(garage: Garage) -> None:
    for number in (0, 3, 4, 5, 10, 11):
        pays(garage, PEOPLE[number])
    garage.jobs.export_violations(garage.now)
    assert len(night(garage)) == 6
