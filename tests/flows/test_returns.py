"""Returned items, whole: hints and sweep, one waive at most, and the sentence each case ends with (reliability.md P07-P12, P15)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bursarbridge.config.model import Settings
from bursarbridge.flows.returns import still_charged
from bursarbridge.ledger.returns import LibraryCredit, Loan
from bursarbridge.ledger.still_charged import StillCharged
from bursarbridge.store import opening
from bursarbridge.store.books import Books
from tests.campus_files import TAM, WREN
from tests.flows.scenes import reported, settled
from tests.library_desk import LOST_FEE
from tests.returned_scenes import BOOK, KilledHere, Library, library_in_memory, words_of


@pytest.fixture
def library() -> Iterator[Library]:
    with library_in_memory() as made:
        yield made


def test_a_returned_item_is_waived_whole_its_block_goes_and_the_call_ends(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    ran = library.run()
    assert ran["outcome"] == "completed"
    assert (ran["returned"]["heard"], ran["returned"]["waived"], ran["returned"]["blocks"]) == ({"waive": 1}, {"count": 1, "cents": 9500}, 1)
    assert library.desk.waived == [("F1001", 9500, f"WAIVE-{library.campus.reference('1001')}")]
    assert "LOST_ITEM_FOUND" in library.desk.held[WREN, BOOK][0].marks[0]
    assert library.calls() == [("done", "the item is back: $95.00 is waived")]
    assert library.intents() == [("done", 9500)] and library.campus.codes() == []
    assert library.campus.place_of("1001") == {"bursar": 9500}, "its credit moves the money, when Alma exports it"


def test_p07_the_same_return_in_two_calls_is_waived_once(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    first, same_under_another_id = library.returned(), library.returned()
    library.campus.later(minutes=1)
    again = library.returned()
    library.hear(*[first] * 10, same_under_another_id, again)
    library.run()
    library.hear(first, again)
    library.campus.later(days=2)
    library.run()
    assert len(library.desk.waived) == 1 and library.intents() == [("done", 9500)]
    assert len(library.calls()) == 2


def test_p08_a_late_call_is_a_hint_and_the_state_of_now_decides(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.hear(library.returned())
    library.campus.later(hours=10)
    ran = library.run()
    assert ran["returned"]["heard"] == {"not_returned": 1} and library.desk.waived == []
    assert "still lost; $95.00 stays" in words_of(library.calls())


def test_p08_calls_out_of_order_end_the_same(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    later, earlier = library.returned(), library.returned(event="LOAN_DECLARED_LOST")
    library.hear(later, earlier)
    library.run()
    assert [state for state, _words in library.calls()] == ["done", "ignored"]
    assert len(library.desk.waived) == 1


def test_p10_a_call_before_its_export_waits_and_is_waived_when_it_is_billed(library: Library) -> None:
    library.desk.lose(WREN, BOOK, "1001", 9500)
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    assert library.run()["returned"]["heard"] == {"wait": 1}
    assert library.calls()[0][0] == "waiting" and "not billed yet" in words_of(library.calls())
    fees, lent = dict(library.desk.held), dict(library.desk.lent)
    library.billed(("1001", 9500, BOOK))
    library.desk.held, library.desk.lent = fees, lent
    assert library.run()["returned"]["waived"] == {"count": 1, "cents": 9500}
    assert library.calls()[0][0] == "done"


def test_p10_a_call_that_waits_too_long_becomes_a_question(library: Library) -> None:
    library.desk.lose(WREN, BOOK, "1001", 9500)
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    library.run()
    library.campus.later(days=4)
    ran = library.run()
    assert ran["outcome"] == "completed_with_exceptions" and library.campus.codes() == ["return_waits"]
    assert library.calls()[0][0] == "ignored"


def test_p10_a_call_about_an_unknown_loan_is_parked_and_let_go(library: Library) -> None:
    library.hear(library.returned(user="0999999"))
    library.run()
    assert library.calls()[0][0] == "waiting"
    library.campus.later(days=4)
    library.run()
    assert library.calls()[0][0] == "ignored" and library.campus.codes() == []


def test_p11_a_return_no_call_announced_is_found_by_the_sweep(library: Library) -> None:
    library.billed(("1001", 9500, BOOK), ("1002", 4000, "31234000999999"))
    library.desk.give_back(WREN, BOOK)
    ran = library.run()
    assert ran["returned"]["swept"] == {"waive": 1, "not_returned": 1}
    assert ran["returned"]["waived"] == {"count": 1, "cents": 9500} and len(library.desk.waived) == 1


def test_the_sweep_asks_oldest_first_a_few_at_a_time_and_each_once_a_day(library: Library) -> None:
    fees = [(str(1001 + n), 1000, f"3123400000{n}") for n in range(3)]
    library.billed(*fees)
    library.desk.trouble = ["", "later"]
    ran = library.run()
    assert ran["returned"]["swept"] == {"not_returned": 1} and "used up" in ran["returned"]["stopped"]
    library.run()
    assert [item for _person, item in library.desk.asked] == [item for _fee, _cents, item in fees]
    assert library.run()["outcome"] == "nothing_to_do"
    library.campus.later(hours=21)
    assert sum(library.run()["returned"]["swept"].values()) == 3


def test_almas_own_refund_is_left_alone(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.desk.credit_rows[WREN, BOOK] = [LibraryCredit(BOOK, 9500, "2026-08-04T12:00:01Z")]
    library.hear(library.returned())
    assert library.run()["returned"]["heard"] == {"already": 1}
    assert library.desk.waived == [] and "itself credited $95.00" in words_of(library.calls())
    assert [one.cents for one in listed(library).in_flight] == [9500]


def test_a_refund_between_the_decision_and_the_waive_is_seen(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    library.desk.trouble = ["", "later"]
    library.run()
    assert library.intents() == [("open", 9500)]
    library.desk.change(WREN, BOOK, balance_cents=0, state="closed", waived_cents=9500)
    library.run()
    assert library.desk.waived == [] and library.intents() == [("dropped", 9500)]


def test_another_borrowers_return_leaves_the_fee_alone(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.lent[TAM, BOOK] = [Loan("L2", "returned", "2026-08-04T12:00:00Z")]
    library.hear(library.returned(user=TAM))
    ran = library.run()
    assert ran["returned"]["heard"] == {"ignored": 1} and library.desk.waived == []
    assert "an ordinary return: this person has no lost-item fee for this item" in words_of(library.calls())


def test_a_fee_in_dispute_is_the_librarys_question_until_it_is_decided(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.desk.change(WREN, BOOK, state="disputed")
    library.hear(library.returned())
    library.run()
    assert library.desk.waived == [] and library.campus.codes() == ["return_dispute"]
    assert library.calls()[0][0] == "done" and [one.cents for one in listed(library).waive] == [9500]
    library.desk.change(WREN, BOOK, state="open")
    library.campus.later(hours=21)
    library.run()
    assert len(library.desk.waived) == 1 and library.campus.codes() == []


def test_a_claimed_return_is_not_a_return(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.lose(WREN, BOOK, "1001", 9500, state="claimed")
    library.hear(library.returned())
    assert library.run()["returned"]["heard"] == {"not_returned": 1}
    assert library.desk.waived == [] and "claimed to be returned" in words_of(library.calls())


def test_a_fee_paid_before_is_a_refund_question_once(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    settled(library.campus, ("1001", 9500))
    library.desk.give_back(WREN, BOOK)
    library.desk.change(WREN, BOOK, balance_cents=0, state="closed", paid_cents=9500)
    library.hear(library.returned())
    library.run()
    (item,) = library.campus.items()
    assert (item.code, item.cents) == ("return_refund", 9500) and library.desk.waived == []
    assert [one.cents for one in listed(library).refund] == [9500]
    library.campus.resolve(item.id, "dismiss")
    library.hear(library.returned())
    library.run()
    assert library.campus.codes() == [] and listed(library).refund == ()


def test_a_payment_on_its_way_is_waited_for_and_the_rest_waived(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    reported(library.campus, ("1001", 3000))
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    assert library.run()["returned"]["heard"] == {"wait": 1}
    assert [one.cents for one in listed(library).in_flight] == [6500]
    library.campus.alma_takes()
    library.campus.later(hours=21)
    library.campus.payments()
    library.desk.change(WREN, BOOK, balance_cents=6500, paid_cents=3000)
    library.run()
    assert [cents for _fee, cents, _ours in library.desk.waived] == [6500]


def test_two_books_that_differ_are_a_question_and_nothing_is_waived(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.desk.change(WREN, BOOK, balance_cents=9000)
    library.run()
    assert library.desk.waived == [] and library.campus.codes() == ["return_differs"]


def test_a_fee_of_another_type_is_never_waived(library: Library) -> None:
    library.export(("1001", 700, BOOK), category="LOSTITEMPROCESSFEE")
    library.campus.charges()
    library.desk.lose(WREN, BOOK, "1001", 700)
    library.desk.change(WREN, BOOK, category="LOSTITEMPROCESSFEE")
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    library.run()
    assert library.desk.waived == [] and "ordinary return" in words_of(library.calls())


def test_p15_a_lost_answer_after_the_waive_has_one_effect(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    library.desk.trouble = ["", "", "lost"]
    assert "no answer" in library.run()["returned"]["stopped"]
    assert library.intents() == [("open", 9500)] and len(library.desk.waived) == 1
    library.run()
    assert len(library.desk.waived) == 1 and library.intents() == [("done", 9500)]
    assert library.desk.blocks == {}


@pytest.mark.parametrize("point", ["waive.told", "waive.recorded"])
def test_p01_a_death_around_the_waive_has_one_effect(library: Library, point: str) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.hear(library.returned())
    library.dies_at = point
    with pytest.raises(KilledHere):
        library.run()
    library.run()
    assert len(library.desk.waived) == 1 and library.intents() == [("done", 9500)] and library.desk.blocks == {}


def test_a_refused_waive_is_a_question_and_tried_again_the_next_day(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.desk.give_back(WREN, BOOK)
    library.desk.trouble = ["", "", "refused"]
    assert library.run()["outcome"] == "completed_with_exceptions"
    assert library.campus.codes() == ["return_refused"] and library.intents() == [("refused", 9500)]
    library.campus.later(hours=21)
    library.run()
    assert library.campus.codes() == [] and library.intents() == [("done", 9500)]


def test_a_library_that_refuses_every_question_is_not_asked_for_ever(library: Library) -> None:
    library.billed(*[(str(1001 + n), 1000, f"3123400000{n}") for n in range(5)])
    library.desk.trouble = ["refused"] * 5
    ran = library.run()
    assert len(library.desk.trouble) == 2 and "60340" in ran["returned"]["stopped"] and ran["outcome"] == "completed_with_exceptions"


def test_without_anyone_to_ask_calls_stay_as_they_are(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    library.hear(library.returned())
    assert "cannot be asked" in library.run(alone=True)["returned"]["stopped"]
    assert library.calls() == [("new", "")]


def test_calls_that_are_about_something_else_end_with_a_sentence(library: Library) -> None:
    library.hear(library.returned(event="LOAN_CREATED"), b"<xml/>", library.returned(item="", loan="2"), library.returned(user="", loan="3"))
    source = library.campus.settings.libraries[0]
    library.campus.settings = replace(library.campus.settings, sources={"library": replace(source, institution="61LIB")})
    library.hear(library.returned(loan="4", institution="61SANDBOX"))
    library.run()
    assert [state for state, _words in library.calls()] == ["ignored"] * 5
    assert "another institution" in words_of(library.calls())
    assert library.campus.codes() == ["webhook_unreadable"]
    assert all(words for _state, words in library.calls())


def test_the_three_lists_follow_a_fee_to_its_end(library: Library) -> None:
    library.billed(("1001", 9500, BOOK))
    assert listed(library) == StillCharged()
    library.desk.give_back(WREN, BOOK)
    library.desk.trouble = ["", "later"]
    library.run()
    (one,) = listed(library).waive
    assert (one.account, one.fee, one.cents, one.returned_on, one.category) == (WREN, "1001", 9500, "2026-08-04", "Library lost item")
    library.run()
    assert [len(items) for _name, items in listed(library).named()] == [0, 0, 1]
    library.campus.later(days=5)
    library.run()
    (late,) = listed(library).waive
    assert "no credit has come" in late.stands


def test_p11_the_whole_story_on_postgresql(pg_address: str, library: Library) -> None:
    ledger = opening.open_engine(pg_address)
    opening.migrate(ledger)
    library.campus.ledger.dispose()
    library.campus.ledger = ledger
    library.run()
    library.billed(("1001", 9500, BOOK), ("1002", 4000, "31234000999999"))
    library.desk.give_back(WREN, BOOK)
    library.hear(library.job("77", 2, 1), library.job("1%_", 2, 1), library.returned(user=TAM, loan="5"), library.returned(event="LOAN_CREATED"))
    library.desk.trouble = ["", "", "", "", "lost"]
    library.run()
    library.run()
    assert len(library.desk.waived) == 1 and library.intents() == [("done", 9500)]
    assert [len(items) for _name, items in listed(library).named()] == [0, 0, 1]
    library.campus.later(days=4)
    assert library.run()["returned"]["exports_wrong"] == 3
    assert sorted(library.campus.codes()) == ["job_file_unannounced", "job_without_file", "job_without_file"]


def listed(library: Library) -> StillCharged:
    """The lists as of now."""
    settings: Settings = library.campus.settings
    labels = {one.category: one.label for one in settings.bursar.item_types}
    returns = settings.libraries[0].returns
    assert returns is not None and LOST_FEE in returns.lost_fee_types
    with library.campus.books() as books:
        assert isinstance(books, Books)
        return still_charged(books, "library", labels, settings.campus.timezone, returns.patience)
