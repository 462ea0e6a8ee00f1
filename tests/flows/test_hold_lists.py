"""T04 to T10 for holds: however a parking office's lists arrive, each person is told of what is true, once (tests/garage.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bursarbridge.sandbox.fees import Sent
from bursarbridge.sandbox.folders import PARKING_OUT, drop
from bursarbridge.sandbox.tickets import ParkingUser
from tests.garage import Garage, garage_in_memory

ANN, BEN, CAL = (ParkingUser(f"10000{number}1", f"Person {number}") for number in (1, 2, 3))


@pytest.fixture
def garage() -> Iterator[Garage]:
    """Ann and Ben have a hold, and the bursar has loaded it."""
    with garage_in_memory() as made:
        for one in (ANN, BEN, CAL):
            made.people[one.user_id] = one.name
        owes(made, ANN, 4000)
        owes(made, BEN, 1500)
        made.jobs.export_violations(made.now)
        made.run()
        made.approve_all()
        assert night(made) == {"place 1000011 4000", "place 1000021 1500"}
        yield made


def owes(garage: Garage, who: ParkingUser, cents: int) -> str:
    """A new violation; its number."""
    return garage.parking.issue(who, "No permit", cents, garage.now).number


def pays(garage: Garage, who: ParkingUser) -> None:
    """Everything."""
    for one in garage.parking.tickets.values():
        if one.user == who and one.owed_cents:
            garage.parking.pay(one.number, one.owed_cents)


def night(garage: Garage, *arrived: Sent) -> set[str]:
    """What arrives, a run, and the bursar's load; what left, and everybody's hold is then as it was told."""
    for one in arrived:
        drop(garage.folder / PARKING_OUT, one, garage.now)
    garage.later(minutes=1)
    ran = garage.run()
    assert ran is not None and ran["outcome"] != "held", ran
    garage.jobs.load(garage.now)
    with garage.books() as books:
        rows = books.rows(
            "select l.verb, h.account, l.cents from hold_line l join hold h on h.id = l.hold_id join run r on r.id = l.sealed_run "
            "where l.again = 0 and r.id = (select max(id) from run)"
        )
        told = {str(row[0]): int(row[1]) for row in books.rows("select account, cents from hold where verb in ('place', 'change')")}
    assert garage.at_bursar() == told
    garage.later(hours=6)
    return {" ".join(map(str, row)) for row in rows}


def test_t04_the_same_list_again_tells_nobody_twice(garage: Garage) -> None:
    owes(garage, CAL, 700)
    sent = garage.parking.full_list(garage.now)
    assert night(garage, sent) == {"place 1000031 700"}
    assert night(garage, sent) == set()


def test_t05_the_same_list_under_other_names_tells_nobody_twice(garage: Garage) -> None:
    owes(garage, CAL, 700)
    sent = garage.parking.full_list(garage.now)
    copy = Sent(sent.name.replace(".csv", "_copy.csv"), sent.content)
    assert night(garage, sent, copy) == {"place 1000031 700"}
    assert night(garage, copy, Sent(copy.name.replace("copy", "again"), copy.content)) == set()


def test_t06_the_same_name_with_other_content_changes_only_what_differs(garage: Garage) -> None:
    first = garage.parking.full_list(garage.now)
    assert night(garage, first) == set()
    owes(garage, CAL, 700)
    second = garage.parking.full_list(garage.now)
    assert night(garage, Sent(first.name, second.content)) == {"place 1000031 700"}
    pays(garage, BEN)
    with_ben_paid = garage.parking.full_list(garage.now)
    assert night(garage, Sent(first.name, with_ben_paid.content)) == set(), "a list of the same time that leaves Ben out proves nothing"


def test_t07_overlapping_changes_add_nothing_up(garage: Garage) -> None:
    number = owes(garage, CAL, 700)
    monday = garage.parking.changes(garage.now)
    assert night(garage, monday) == {"place 1000031 700"}
    garage.parking.pay(number, 200)
    owes(garage, CAL, 300)
    tuesday = garage.parking.changes(garage.now)
    both = Sent(
        tuesday.name, tuesday.content + b"".join(line for line in monday.content.splitlines(keepends=True)[1:] if number.encode() not in line)
    )
    assert night(garage, both) == {"change 1000031 800"}


def test_t08_a_list_that_comes_late_places_and_releases_nobody(garage: Garage) -> None:
    owes(garage, CAL, 700)
    late = garage.parking.full_list(garage.now)
    garage.later(hours=24)
    pays(garage, CAL)
    pays(garage, ANN)
    assert night(garage, garage.parking.full_list(garage.now)) == {"release 1000011 0"}
    assert night(garage, late) == set() and garage.codes() == []


def test_t09_a_missing_day_changes_no_hold_and_the_next_list_says_all(garage: Garage) -> None:
    pays(garage, ANN)
    garage.parking.full_list(garage.now)  # lost on its way
    assert night(garage) == set()
    owes(garage, CAL, 700)
    assert night(garage, garage.parking.full_list(garage.now)) == {"release 1000011 0", "place 1000031 700"}


def test_t10_of_two_days_that_arrive_together_the_bursar_is_told_the_end(garage: Garage) -> None:
    owes(garage, ANN, 500)
    owes(garage, CAL, 700)
    monday = garage.parking.full_list(garage.now)
    garage.later(hours=24)
    pays(garage, CAL)
    owes(garage, ANN, 250)
    tuesday = garage.parking.full_list(garage.now)
    assert night(garage, tuesday, monday) == {"change 1000011 4750"}, "Cal's hold of Monday was never needed"
