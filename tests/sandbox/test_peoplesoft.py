"""PeopleSoft on its own: load, post, pay, reverse, report."""

import csv
from datetime import datetime

import pytest

from bursarbridge.sandbox.fees import FileRefused, Sent
from bursarbridge.sandbox.items import Group, PostStatus
from bursarbridge.sandbox.peoplesoft import PeopleSoft
from tests.sandbox.naive import ITEM_TYPE, NOON, ZONE, Charge, charge_bytes

ANN, BOB = "0104231", "10420051934"


def bursar() -> PeopleSoft:
    system = PeopleSoft("EXCCD", {ITEM_TYPE}, ("2267", "2271"))
    system.enroll(ANN, "Example, Ann")
    system.enroll(BOB, "Example, Bob")
    return system


def rows(sent: Sent) -> list[list[str]]:
    return list(csv.reader(sent.content.decode("utf-8").splitlines()))


def loaded(system: PeopleSoft, *charges: Charge) -> tuple[Group, Sent]:
    group = system.load(f"LIB_{len(system.groups) + 1}.dat", charge_bytes(charges))
    return group, system.post(group, NOON)


def test_a_good_file_posts_every_line_and_says_so() -> None:
    system = bursar()
    group, sent = loaded(system, Charge(ANN, "L1", 8500), Charge(BOB, "L2", 82))
    assert sent.name == "results_20261014120000_000000001.csv"
    assert rows(sent) == [
        ["Status", "File Name", "Group ID", "Reference Number", "Emplid", "Amount", "Count", "Reason"],
        ["RECEIVED", "LIB_1", "000000001", "", "", "85.82", "2", ""],
        ["LOADED", "LIB_1", "000000001", "", "", "85.82", "2", ""],
        ["POSTED", "LIB_1", "000000001", "", "", "85.82", "2", ""],
    ]
    assert group.post_status is PostStatus.COMPLETE
    item = system.items_of(ANN)[0]
    assert (item.number, item.reference, item.amount_cents, item.term, item.item_type) == ("0" * 14 + "1", "L1", 8500, "2267", ITEM_TYPE)


def test_bad_lines_are_refused_one_by_one_in_the_bursars_words() -> None:
    system = bursar()
    group, sent = loaded(
        system,
        Charge("8800417", "L1", 100),
        Charge(ANN, "L2", 200, item_type="999999999999"),
        Charge(ANN, "L3", 400, term="1999"),
        Charge(ANN, "L4", 800, direction="R"),
        Charge(ANN, "L5", 0),
        Charge(ANN, "L6", 1600),
    )
    refused = [(row[3], row[5], row[7]) for row in rows(sent) if row[0] == "REFUSED"]
    assert refused == [
        ("L1", "1.00", "Invalid Employee ID"),
        ("L2", "2.00", "Invalid Item Type"),
        ("L3", "4.00", "Invalid Term"),
        ("L4", "8.00", "Cannot reverse this charge"),
        ("L5", "0.00", "Invalid Amount"),
    ]
    assert rows(sent)[-1][5:7] == ["16.00", "1"]
    assert group.post_status is PostStatus.ERRORS


def test_a_line_without_a_term_gets_the_current_one_with_a_warning() -> None:
    system = bursar()
    _, sent = loaded(system, Charge(ANN, "L1", 100, term=""))
    assert rows(sent)[3] == ["POSTED", "LIB_1", "000000001", "L1", ANN, "1.00", "", "Term has defaulted to current term"]
    assert system.items[0].term == "2267"


@pytest.mark.parametrize("wrong", [{"count": 3}, {"cents": 1}])
def test_a_control_total_that_does_not_match_posts_nothing(wrong: dict[str, int]) -> None:
    system = bursar()
    group = system.load("LIB_1.dat", charge_bytes([Charge(ANN, "L1", 8500)], **wrong))  # type: ignore[arg-type]
    sent = system.post(group, NOON)
    assert [row[0] for row in rows(sent)[1:]] == ["RECEIVED", "NOT_POSTED"]
    assert rows(sent)[2][7] == "Control total of the header does not match the lines"
    assert system.items == []


def test_a_name_is_never_loaded_twice_and_a_group_never_posted_twice() -> None:
    system = bursar()
    group, _ = loaded(system, Charge(ANN, "L1", 8500))
    with pytest.raises(FileRefused, match="before"):
        system.load("LIB_1.dat", charge_bytes([Charge(ANN, "L1", 8500)]))
    with pytest.raises(FileRefused, match="before"):
        system.post(group, NOON)


def test_the_same_reference_in_a_new_file_is_charged_again() -> None:
    system = bursar()
    loaded(system, Charge(ANN, "L1", 8500))
    loaded(system, Charge(ANN, "L1", 8500))
    assert system.book().charged.cents == 17000


GOOD = charge_bytes([Charge(ANN, "L1", 8500)])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off"),
        (GOOD[:-1], "cut off"),
        (GOOD.replace(b"BBCHG01", b"OTHER01"), "header"),
        (GOOD.replace(b"EXCCD", b"OTHER"), "business unit"),
        (GOOD.replace(b"L1 ", b"L1  "), "line 2"),
        (GOOD.replace(b"Library", "Bücher".encode()), "ASCII"),
        (GOOD.replace(b"0000000000085.00C", b"00000000000O5.00C"), "line 2"),
        (GOOD.replace(b"\nD", b"\nX"), "line 2"),
        (GOOD.split(b"\n")[0] + b"\n", "header and trailer"),
        (GOOD.replace(b"T00000001", b"T0000000X"), "line 3"),
    ],
)
def test_a_file_without_the_agreed_form_is_not_taken(content: bytes, words: str) -> None:
    system = bursar()
    with pytest.raises(FileRefused, match=words):
        system.load("LIB_1.dat", content)
    assert system.groups == []


def test_online_everything_is_paid_and_each_item_whole() -> None:
    system = bursar()
    loaded(system, Charge(ANN, "L1", 8500), Charge(ANN, "L2", 82), Charge(BOB, "L3", 500))
    assert [payment.cents for payment in system.pay_online(ANN, NOON)] == [8500, 82]
    assert system.pay_online(ANN, NOON) == []
    book = system.book()
    assert (book.open.cents, book.paid.cents) == (500, 8582)


def test_the_cashier_takes_a_part_and_what_is_too_much_is_credit() -> None:
    system = bursar()
    loaded(system, Charge(ANN, "L1", 5000))
    system.pay_at_cashier(ANN, "L1", 2000, NOON)
    assert system.items[0].open_cents == 3000
    system.pay_at_cashier(ANN, "L1", 4000, NOON, method="CHK")
    book = system.book()
    assert (book.open.count, book.paid.cents, book.credit_cents) == (0, 5000, 1000)
    with pytest.raises(LookupError):
        system.pay_at_cashier(BOB, "L1", 1, NOON)
    with pytest.raises(ValueError, match="positive"):
        system.pay_at_cashier(ANN, "L1", 0, NOON)


def test_the_report_is_cumulative_and_a_returned_check_is_gone_from_it() -> None:
    system = bursar()
    loaded(system, Charge(ANN, "L1", 5000), Charge(BOB, "L2", 82))
    check = system.pay_at_cashier(ANN, "L1", 2000, NOON, method="CHK")
    system.pay_at_cashier(ANN, "L1", 2000, NOON)
    system.pay_online(BOB, NOON)
    report = system.payments_report(NOON)
    assert report.name == "ASUSASF_LIBRARY_REPORT_DTRANGE_20261014_120000.csv"
    ann = [ANN, "10/14/2026", "L1", "50.00", "20.00", ITEM_TYPE, "Library lost item"]
    bob = [BOB, "10/14/2026", "L2", "0.82", "0.82", ITEM_TYPE, "Library lost item"]
    header = ["Emplid", "Date Paid", "Reference Number", "Charge Amount", "Paid Amount", "Item Type", "Charge Description"]
    assert rows(report) == [header, ann, ann, bob]
    system.reverse_payment(check.number)
    assert rows(system.payments_report(NOON)) == [header, ann, bob]
    assert system.items[0].open_cents == 3000
    with pytest.raises(LookupError):
        system.reverse_payment(check.number)


def test_the_report_begins_again_on_the_first_of_july() -> None:
    system = bursar()
    loaded(system, Charge(ANN, "L1", 5000))
    system.pay_at_cashier(ANN, "L1", 1000, datetime(2026, 6, 30, 23, 59, tzinfo=ZONE))
    system.pay_at_cashier(ANN, "L1", 2000, datetime(2026, 7, 1, 0, 0, tzinfo=ZONE))
    assert [row[4] for row in rows(system.payments_report(datetime(2027, 6, 30, 12, 0, tzinfo=ZONE)))[1:]] == ["20.00"]
    assert [row[4] for row in rows(system.payments_report(datetime(2026, 6, 30, 12, 0, tzinfo=ZONE)))[1:]] == ["10.00"]
    assert rows(system.payments_report(datetime(2027, 7, 1, 12, 0, tzinfo=ZONE)))[1:] == []
