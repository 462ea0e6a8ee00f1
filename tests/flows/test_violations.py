"""A parking office's files that come twice, late, changed, shuffled or empty (reliability.md T04-T10, D04, D06, D24, H01)."""

from collections.abc import Iterator
from itertools import permutations

import pytest

from bursarbridge.errors import Refused
from bursarbridge.flows.resolve import resolve
from tests.flows.parking_lot import Lot, LotReader, ends, line, lot

A, B, C = line("P-1", 5000), line("P-2", 2500, "0012346"), line("P-3", 4000, "0012347")


@pytest.fixture
def office() -> Iterator[Lot]:
    with lot() as made:
        yield made


def codes(office: Lot) -> list[str]:
    return office.campus.codes()


def test_t04_the_same_list_again_under_the_same_name_has_one_effect(office: Lot) -> None:
    office.put(1, A, B)
    office.collect()
    office.put(1, A, B)
    (again,) = office.collect()
    assert again["state"] == "repeat"
    assert office.owed() == {"P-1": 5000, "P-2": 2500}
    assert office.one("select count(*) from violation_past") == 0


def test_t05_the_same_list_under_another_name_has_one_effect(office: Lot) -> None:
    office.put(1, A, B)
    office.put(1, A, B, name="copy of full_20260801.csv")
    first, second = office.collect()
    assert (ends(first), second["state"]) == ({"posted": 2}, "repeat")
    assert office.one("select count(*) from delivery") == 1


def test_t06_the_same_name_with_another_list_is_compared_row_by_row(office: Lot) -> None:
    office.put(1, A, B)
    office.collect()
    office.put(1, A, line("P-2", 9900, "0012346"), C)
    (other,) = office.collect()
    assert ends(other) == {"posted": 1, "already": 1, "conflicts": 1}
    assert codes(office) == ["violation_conflict"]
    assert office.owed() == {"P-1": 5000, "P-3": 4000}, "of two amounts of one time neither is taken"
    office.put(2, A, line("P-2", 9900, "0012346"), C)
    office.collect()
    assert office.owed() == {"P-1": 5000, "P-2": 9900, "P-3": 4000}
    assert codes(office) == [], "told anew, so the question is answered"


def test_t07_overlapping_changes_count_every_violation_once(office: Lot) -> None:
    office.put(1, A, B, kind="changes")
    office.put(2, B, C, kind="changes")
    first, second = office.collect()
    assert (ends(first), ends(second)) == ({"posted": 2}, {"posted": 1, "already": 1})
    assert office.owed() == {"P-1": 5000, "P-2": 2500, "P-3": 4000}


LISTS = ((1, A, B), (2, A, line("P-2", 1000, "0012346"), C), (3, C))
CHANGES = ((1, A), (2, line("P-1", 2000)), (3, line("P-1", 0, status="paid"), B))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_t08_an_older_list_never_overwrites_a_newer_one(office: Lot, order: tuple[int, ...]) -> None:
    for number in order:
        office.put(*LISTS[number])
        office.collect()
    assert office.owed() == {"P-3": 4000}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_t08_an_older_change_never_overwrites_a_newer_one(office: Lot, order: tuple[int, ...]) -> None:
    for number in order:
        office.put(*CHANGES[number], kind="changes")
        office.collect()
    assert office.owed() == {"P-2": 2500}


@pytest.mark.parametrize("first", ["full", "changes"])
def test_t08_a_change_older_than_a_list_opens_nothing_again(office: Lot, first: str) -> None:
    office.put(2, B)
    office.put(1, A, kind="changes")
    office.collect(first)
    office.collect()
    assert office.owed() == {"P-2": 2500}, "the list of the second day does not hold it any more"


def test_t09_a_missing_day_closes_nothing_and_a_late_one_fills_in(office: Lot) -> None:
    office.put(1, A, kind="changes")
    office.collect()
    assert office.collect() == []
    assert office.owed() == {"P-1": 5000}, "a day without a file says nothing"
    office.put(3, B, kind="changes")
    office.collect()
    office.put(2, C, line("P-2", 1, "0012346"), kind="changes")
    (late,) = office.collect()
    assert ends(late) == {"posted": 1, "already": 1}
    assert office.owed() == {"P-1": 5000, "P-2": 2500, "P-3": 4000}


def test_t10_two_days_that_arrive_together_are_read_in_their_order(office: Lot) -> None:
    office.put(2, line("P-1", 2000), B)
    office.put(1, A, C)
    assert [ends(one) for one in office.collect()] == [{"posted": 2}, {"posted": 2}]
    assert office.owed() == {"P-1": 2000, "P-2": 2500}


def test_h01_an_empty_list_is_refused_whole_and_clears_nothing(office: Lot) -> None:
    office.put(1, A, B)
    office.collect()
    office.put(2)
    (empty,) = office.collect()
    assert (empty["state"], codes(office)) == ("refused", ["file_empty_list"])
    assert office.owed() == {"P-1": 5000, "P-2": 2500}


def test_h01_a_list_of_which_nothing_can_be_read_clears_nothing(office: Lot) -> None:
    office.put(1, A, B)
    office.collect()
    office.put(2, A.replace("5000", "?"), B.replace("2500", "?"))
    (unread,) = office.collect()
    assert (unread["state"], office.owed()) == ("refused", {"P-1": 5000, "P-2": 2500})


def test_h01_an_empty_list_of_an_office_that_is_owed_nothing_is_read(office: Lot) -> None:
    office.put(1)
    (empty,) = office.collect()
    assert empty["state"] == "read"


def test_what_a_complete_list_leaves_out_is_cleared_and_said(office: Lot) -> None:
    office.put(1, A, B, C)
    office.collect()
    office.put(2, B)
    (second,) = office.collect()
    assert ends(second) == {"already": 1}
    assert second["words"] == "2 no longer listed, $90.00: nothing is owed for them any more"
    assert office.owed() == {"P-2": 2500}
    assert office.one("select count(*) from violation where status = 'absent'") == 2
    office.put(3, A, B)
    office.collect()
    assert office.owed() == {"P-1": 5000, "P-2": 2500}, "listed again, so owed again"
    assert office.one("select count(*) from violation_past") == 3


def test_a_record_that_cannot_be_read_is_not_absent(office: Lot) -> None:
    office.put(1, A, B, line("007", 700))
    office.collect()
    office.put(2, A, B.replace("2500", "?"), line("7", 7).replace("0012345", ""))
    (second,) = office.collect()
    assert ends(second) == {"already": 1, "suspended": 2}
    assert office.owed() == {"P-1": 5000, "P-2": 2500, "007": 700}, "the list holds them, if only in a form that nobody can read"


def test_a_record_without_a_number_makes_the_whole_list_unsure(office: Lot) -> None:
    office.put(1, A, B)
    office.collect()
    office.put(2, A, line("", 2500, "0012346").replace("2500", "?"))
    office.collect()
    assert office.owed() == {"P-1": 5000, "P-2": 2500}
    assert sorted(codes(office)) == ["amount", "list_unsure"]
    office.put(3, A)
    office.collect()
    assert (office.owed(), codes(office)) == ({"P-1": 5000}, ["amount"])


def test_d04_two_amounts_of_one_violation_in_one_list_are_a_question(office: Lot) -> None:
    office.put(1, A)
    office.collect()
    office.put(2, line("P-1", 100), line("P-1", 200), B)
    (second,) = office.collect()
    assert ends(second) == {"posted": 2, "conflicts": 1}
    assert office.owed() == {"P-1": 5000, "P-2": 2500}
    assert codes(office) == ["violation_conflict"]


def test_d24_a_violation_under_another_persons_id_waits_until_a_person_accepts_it(office: Lot) -> None:
    office.put(1, A)
    office.collect()
    moved = line("P-1", 5000, "12345")
    office.put(2, moved)
    assert ends(office.collect()[0]) == {"suspended": 1}
    assert office.one("select account from violation") == "0012345"
    (item,) = office.campus.items()
    assert item.code == "violation_other_person"
    with pytest.raises(Refused, match="what may be decided: accept"):
        office.campus.resolve(item.id, "credit")
    assert "next" in office.campus.resolve(item.id, "accept")
    office.put(3, moved)
    assert ends(office.collect()[0]) == {"posted": 1}
    assert (office.one("select account from violation"), codes(office)) == ("12345", [])


def test_d06_a_number_used_again_for_another_person_and_dismissed_is_not_asked_again(office: Lot) -> None:
    office.put(1, A)
    office.collect()
    for day in (2, 3):
        office.put(day, line("P-1", 100, "0099999"), B)
        office.collect()
        if day == 2:
            office.campus.resolve(office.campus.items()[0].id, "dismiss")
    assert (office.owed(), codes(office)) == ({"P-1": 5000, "P-2": 2500}, [])


def test_where_a_person_is_asked_about_what_is_missing_nothing_is_cleared_before_the_answer() -> None:
    with lot("ask") as office:
        office.put(1, A, B, C)
        office.collect()
        office.put(2, C)
        (second,) = office.collect()
        assert second["words"] == "2 no longer listed: a person is asked about each"
        one, other = office.campus.items()
        assert [item.code for item in (one, other)] == ["violation_absent"] * 2
        assert office.owed() == {"P-1": 5000, "P-2": 2500, "P-3": 4000}
        office.campus.resolve(one.id, "cleared")
        office.campus.resolve(other.id, "dismiss")
        office.put(3, C)
        office.collect()
        assert (office.owed(), codes(office)) == ({"P-2": 2500, "P-3": 4000}, [])


def test_a_person_in_added_and_released_of_one_time_is_a_question_and_neither_is_taken(office: Lot) -> None:
    for first, second in (("added", "released"), ("released", "added")):
        with lot() as made:
            made.put(1, line("0012345", 3000), kind="added")
            made.collect()
            made.put(2, line("0012345", 9000), kind="added")
            made.put(2, line("0012345", 0, status="paid"), kind="released")
            made.collect(first)
            made.collect(second)
            assert (made.owed(), codes(made)) == ({"0012345": 3000}, ["violation_conflict"])


def test_a_release_of_more_than_nothing_is_a_question(office: Lot) -> None:
    office.put(1, line("0012345", 3000), line("0012346", 100, "0012346"), kind="added")
    office.put(2, line("0012345", 3000), line("0012346", 0, "0012346", status="paid"), kind="released")
    assert ends(office.collect()[1]) == {"posted": 1, "suspended": 1}
    assert (office.owed(), codes(office)) == ({"0012345": 3000}, ["released_not_zero"])


def test_what_was_said_before_stays_for_good(office: Lot) -> None:
    office.put(1, A)
    office.put(2, line("P-1", 2000))
    office.collect()
    assert office.one("select cents from violation_past") == 5000
    with pytest.raises(Exception, match="append-only"), office.campus.books(writing=True) as books:
        books.do("update violation_past set cents = 1")


def test_a_single_record_decided_again_never_speaks_for_the_whole_list(office: Lot) -> None:
    office.put(1, A, B.replace("2500", "?"), C)
    office.collect()
    (item,) = office.campus.items()
    with office.campus.books(writing=True) as books:
        books.run = 1
        fact = LotReader().fact(B.strip())
        said = resolve(books, item, "retry", "Imre", "a test", lambda _channel, _raw: fact, lambda _channel: office.poster("full"))
    assert said == "decided again and posted"
    assert office.owed() == {"P-1": 5000, "P-2": 2500, "P-3": 4000}
