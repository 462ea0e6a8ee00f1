"""Alma's API over real HTTP: what each call gives, and what is refused."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bursarbridge.errors import Refused, TryLater, Unreadable
from bursarbridge.ports.calls import Reply
from bursarbridge.sandbox.fees import FeeStatus, User
from bursarbridge.systems.alma import api
from bursarbridge.systems.alma.api import FeeName, Status
from bursarbridge.systems.alma.api_errors import Broken, Declined
from bursarbridge.systems.alma.api_json import cents_of_number, node_in
from bursarbridge.systems.alma.api_loans import LoanStatus, item_place
from bursarbridge.systems.alma.once import AlreadyDone, Done
from tests.alma_api import ADA, NOON, ODD, Library


def test_fees_of_a_user_by_status(alma: Library) -> None:
    billed, fresh = alma.bill(85_00), alma.bill(82, exported=False)
    (one,) = alma.api.fees(ADA.value, Status.EXPORTED)
    assert (one.id, one.status, one.balance_cents, one.original_cents) == (alma.name(billed).fee, "EXPORTED", 85_00, 85_00)
    assert (one.barcode, one.bursar_transaction_id, one.category) == ("31234000011170", billed.bursar_transaction_id, "LOSTITEMREPLACEMENTFEE")
    assert [(fee.id, fee.balance_cents) for fee in alma.api.fees(ADA.value)] == [(alma.name(fresh).fee, 82)]
    assert alma.api.fees(ADA.value, Status.CLOSED) == []


def test_a_credit_is_negative_and_has_no_barcode(alma: Library) -> None:
    fee = alma.bill(5_00)
    alma.api.waive(alma.name(fee), 5_00, "FOUND", "W1")
    (credit,) = alma.api.fees(ADA.value)
    assert (credit.category, credit.balance_cents, credit.barcode) == ("CREDIT", -5_00, "")


def test_a_list_is_read_to_its_own_total(alma: Library) -> None:
    for number in range(230):
        alma.bill(100 + number, exported=False)
    assert sorted(one.balance_cents for one in alma.api.fees(ADA.value)) == list(range(100, 330))
    assert alma.called("GET") == 3


def test_a_list_that_ends_early_is_no_list(alma: Library) -> None:
    """A server that ignores the offset, as /fees documents no paging (alma.md 3.1)."""
    for number in range(120):
        alma.bill(100 + number, exported=False)
    real = alma.door.answer
    alma.door.answer = lambda asked, key: real(asked._replace(query={**asked.query, "offset": "0"}), key)  # type: ignore[method-assign]
    with pytest.raises(Broken, match="100 of 120"):
        alma.api.fees(ADA.value)


def test_ids_are_percent_encoded(alma: Library) -> None:
    fee = alma.bill(12_50, ODD)
    assert [one.user for one in alma.api.fees(ODD.value, Status.EXPORTED)] == [ODD.value]
    assert isinstance(alma.api.pay(alma.name(fee), 12_50, "L1"), Done)
    assert api.segment("a/b@c é?") == "a%2Fb%40c%20%C3%A9%3F"


@pytest.mark.parametrize("wrong", ["", ".", "..", "a\nb"])
def test_an_id_that_leads_elsewhere_is_refused(wrong: str) -> None:
    with pytest.raises(Unreadable):
        api.fee_call(FeeName(wrong, "1"))


def test_pay_in_part_and_in_full(alma: Library) -> None:
    fee = alma.bill(85_00)
    done = alma.api.pay(alma.name(fee), 35_00, "L1")
    assert isinstance(done, Done) and done.fee.balance_cents == 50_00
    assert isinstance(alma.api.pay(alma.name(fee), 50_00, "L2"), Done)
    assert fee.status is FeeStatus.CLOSED
    assert [(one.external_id, one.cents) for one in alma.rows(fee)] == [("L1", 35_00), ("L2", 50_00)]


def test_the_same_payment_again_is_already_done_and_another_sum_is_a_conflict(alma: Library) -> None:
    fee = alma.bill(85_00)
    alma.api.pay(alma.name(fee), 35_00, "L1")
    assert isinstance(alma.api.pay(alma.name(fee), 35_00, "L1"), AlreadyDone)
    with pytest.raises(Declined, match=r"\$35\.00 under this id where \$36\.00"):
        alma.api.pay(alma.name(fee), 36_00, "L1")
    assert len(alma.rows(fee)) == 1


def test_a_closed_fee_shows_our_payment_or_is_refused(alma: Library) -> None:
    """A fee that is fully paid leaves the single call: it is looked for among the closed ones (alma.md 2.4, 3.2)."""
    fee = alma.bill(85_00)
    alma.api.pay(alma.name(fee), 85_00, "L1")
    assert isinstance(alma.api.pay(alma.name(fee), 85_00, "L1"), AlreadyDone)
    with pytest.raises(Declined, match="closed in Alma already"):
        alma.api.pay(alma.name(fee), 85_00, "L2")
    assert alma.called("pay") == 1


def test_more_than_the_balance_is_never_told(alma: Library) -> None:
    fee = alma.bill(10_00)
    with pytest.raises(Declined, match="would make a credit"):
        alma.api.pay(alma.name(fee), 10_01, "L1")
    assert alma.called("pay") == 0 and not alma.alma.credits


def test_waive_needs_a_reason_of_the_table(alma: Library) -> None:
    fee = alma.bill(10_00)
    with pytest.raises(Unreadable, match="reason"):
        alma.api.waive(alma.name(fee), 10_00, " ", "W1")
    with pytest.raises(Declined, match="401666"):
        alma.api.waive(alma.name(fee), 10_00, "NOSUCH", "W1")
    assert "FOUND" in alma.api.table("FineFeeTransactionReason")
    assert isinstance(alma.api.waive(alma.name(fee), 10_00, "FOUND", "W1"), Done)
    assert isinstance(alma.api.waive(alma.name(fee), 10_00, "FOUND", "W1"), AlreadyDone)
    assert [credit.cents for credit in alma.alma.credits] == [10_00]


def test_dispute_and_restore(alma: Library) -> None:
    name = alma.name(alma.bill(10_00))
    assert isinstance(alma.api.dispute(name, "D1"), Done)
    assert isinstance(alma.api.dispute(name, "D1"), AlreadyDone)
    with pytest.raises(Declined, match="in dispute"):
        alma.api.pay(name, 10_00, "L1")
    assert isinstance(alma.api.restore(name, "D2"), Done)
    assert isinstance(alma.api.pay(name, 10_00, "L1"), Done)


def test_an_unknown_user_or_fee_is_refused_without_its_id(alma: Library) -> None:
    alma.bill(10_00)
    with pytest.raises(Declined, match="401861") as caught:
        alma.api.fees("7777777")
    assert "7777777" not in str(caught.value)
    with pytest.raises(Declined, match="401665"):
        alma.api.fee(FeeName(ADA.value, "1"))


def test_transactions_are_asked_for_a_week_at_a_time(alma: Library) -> None:
    fee = alma.bill(10_00)
    alma.api.pay(alma.name(fee), 10_00, "L1")
    day = NOON.date()
    (found,) = alma.api.transactions(day - timedelta(days=20), day + timedelta(days=1))
    assert [one.external_id for one in found.transactions] == ["L1"]
    assert [(end - begin).days for begin, end in api.windows(date(2026, 1, 1), date(2026, 1, 31))] == [7, 7, 7, 7, 2]
    assert api.windows(day, day) == [(day, day)]


def test_loans_lost_claimed_and_returned(alma: Library) -> None:
    desk = alma.door.circulation
    lost, claimed, back = (desk.lend(ADA, f"3123400000{n}", NOON, NOON) for n in range(3))
    desk.lose(lost)
    desk.claim_returned(claimed)
    desk.give_back(back, NOON)
    assert {one.barcode: one.process_status for one in alma.api.loans(ADA.value)} == {lost.barcode: "LOST", claimed.barcode: "CLAIMED_RETURN"}
    (complete,) = alma.api.loans(ADA.value, LoanStatus.COMPLETE)
    assert (complete.barcode, complete.status, bool(complete.returned_at)) == (back.barcode, "COMPLETE", True)
    assert alma.api.loan(ADA.value, lost.loan_id).process_status == "LOST"
    with pytest.raises(Declined):
        alma.api.loan("7777777", lost.loan_id)


def test_an_item_by_barcode_follows_one_redirect(alma: Library) -> None:
    desk = alma.door.circulation
    loan = desk.lend(ADA, "31234000099999", NOON, NOON)
    desk.lose(loan)
    assert (alma.api.item(loan.barcode).in_place, alma.api.item(loan.barcode).process_type) == (False, "LOST_LOAN")
    desk.give_back(loan, NOON)
    assert alma.api.item(loan.barcode).in_place
    assert alma.called("GET") == 6


@pytest.mark.parametrize(
    "location", ["https://evil.example/almaws/v1/bibs/1", "//evil.example/almaws/v1/bibs/1", "/almaws/v1/users/1", "", "/almaws/v1/bibs/../x"]
)
def test_r10_a_redirect_elsewhere_is_not_followed(location: str) -> None:
    with pytest.raises(Refused):
        item_place(Reply(302, {"location": location}, b""), "https://api.example.edu")


def test_the_key_is_tried_by_the_test_call(alma: Library) -> None:
    alma.api.test()
    alma.door.key = "another"
    with pytest.raises(Declined, match="key is wrong"):
        alma.api.test()


@pytest.mark.parametrize(("number", "cents"), [("5", 500), ("0.82", 82), ("12.5", 1250), ("-50", -5000), ("1e1", 1000), ("5.000", 500), ("0", 0)])
def test_numbers_become_cents(number: str, cents: int) -> None:
    body = f'{{"balance":{number}}}'.encode()
    assert node_in(body, "fee").cents("balance") == cents


@pytest.mark.parametrize("number", ["0.30000000000000004", "1e-3", "1e99", "NaN", "", "12,50", "1" * 41])
def test_what_is_not_whole_cents_is_unreadable(number: str) -> None:
    with pytest.raises(Unreadable):
        cents_of_number(number, "fee")


def test_every_call_can_be_asked_again_after_a_lost_answer(alma: Library) -> None:
    """What changes nothing is simply asked again."""
    desk = alma.door.circulation
    loan = desk.lend(User("0000007", "X"), "31234", NOON, NOON)
    alma.bill(1_00, loan.user)
    reading: list[Callable[[], object]] = [
        lambda: alma.api.fees("0000007"),
        lambda: alma.api.user("0000007"),
        lambda: alma.api.loans("0000007"),
        lambda: alma.api.loan("0000007", loan.loan_id),
        lambda: alma.api.item("31234"),
        lambda: alma.api.table("FineFeeTransactionReason"),
        lambda: alma.api.transactions(NOON.date(), NOON.date()),
        lambda: alma.api.test(),
    ]
    for ask in reading:
        alma.next("lost")
        ask()
    alma.next("lost", "lost", "lost", "lost")
    with pytest.raises(TryLater):
        alma.api.fees("0000007")
