"""The parking office on its own: violations, appeals, lists, ready-made hold files, payments, mail."""

import csv
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.sandbox.fees import FileRefused, Sent
from bursarbridge.sandbox.folders import PARKING_IN, PARKING_MAIL, PARKING_OUT
from bursarbridge.sandbox.parking import Form, Parking, PaymentCount
from bursarbridge.sandbox.parking_people import ADA_PARKS, BAO_PARKS, IVO, VISITOR
from bursarbridge.sandbox.parking_story import open_parking
from bursarbridge.sandbox.story import make_campus
from bursarbridge.sandbox.tickets import TicketStatus
from tests.sandbox.naive import NOON


def rows(sent: Sent) -> list[list[str]]:
    return list(csv.reader(sent.content.decode("utf-8").splitlines()))


def paid(*lines: tuple[str, str]) -> bytes:
    return "".join(f"{line}\r\n" for line in ("Violation Number,Amount,Payment Date", *(f"{n},{a},10/15/2026" for n, a in lines))).encode()


def test_a_full_list_has_what_is_outstanding_and_no_warning() -> None:
    office = Parking()
    one = office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    two = office.issue(VISITOR, "Expired meter", 30_00, NOON)
    office.issue(ADA_PARKS, "Over the line", 0, NOON, warning=True)
    paid_off = office.issue(BAO_PARKS, "No permit", 45_00, NOON)
    office.pay(paid_off.number, 45_00)
    office.appeal(two.number)
    sent = office.full_list(NOON)
    assert sent.name == "violations_full_20261014_120000_0001.csv"
    assert rows(sent) == [
        ["User ID", "User Type", "Violation Number", "Violation Type", "Violation Date", "Amount Owed", "Status"],
        ["0104231", "Student", one.number, "No permit", "10/14/2026", "45.00", "Open"],
        ["", "Visitor", two.number, "Expired meter", "10/14/2026", "30.00", "Appealed"],
    ]
    assert office.full_list(NOON).name == "violations_full_20261014_120000_0002.csv"


def test_a_list_in_fixed_columns_ends_with_count_and_total() -> None:
    office = Parking()
    office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    office.issue(ADA_PARKS, "Fire lane", 75_50, NOON)
    sent = office.full_list(NOON, Form.FIXED)
    lines = sent.content.decode("ascii").splitlines()
    assert sent.name == "violations_full_20261014_120000_0001.txt"
    assert lines[0] == "D0104231        Student   V202600001  No permit           20261014000000045.00Open            "
    assert lines[-1] == "T00000000020000000000120.50"


def test_a_csv_list_can_end_with_a_trailer() -> None:
    office = Parking(trailer=True)
    office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    assert rows(office.full_list(NOON))[-1] == ["TRAILER", "1", "45.00", "", "", "", ""]


def test_a_changes_file_has_each_change_once_with_its_last_state() -> None:
    office = Parking()
    one, two = (office.issue(user, "No permit", 45_00, NOON) for user in (ADA_PARKS, BAO_PARKS))
    wrong = office.issue(IVO, "No permit", 45_00, NOON)
    office.spoil(wrong.number)
    assert [row[2] for row in rows(office.changes(NOON))[1:]] == [one.number, two.number]
    assert len(rows(office.changes(NOON))) == 1
    office.pay(one.number, 5_00)
    office.appeal(two.number)
    office.decide(two.number, 0)
    assert [row[2:] for row in rows(office.changes(NOON))[1:]] == [
        [one.number, "No permit", "10/14/2026", "40.00", "Open"],
        [two.number, "No permit", "10/14/2026", "0.00", "Spoiled"],
    ]


def test_an_appeal_is_decided_by_void_and_edit_under_the_same_number() -> None:
    office = Parking()
    one = office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    with pytest.raises(ValueError, match="is open"):
        office.decide(one.number, 0)
    office.appeal(one.number)
    assert office.owed(ADA_PARKS.user_id) == 0 and one.owed_cents == 45_00
    with pytest.raises(ValueError, match="nothing to appeal"):
        office.appeal(one.number)
    with pytest.raises(ValueError, match="owes"):
        office.decide(one.number, 45_01)
    office.decide(one.number, 20_00)
    assert (one.status, office.owed(ADA_PARKS.user_id), one.forgiven_cents) == (TicketStatus.OPEN, 20_00, 25_00)


def test_a_system_processed_payment_is_not_money() -> None:
    office = Parking()
    one = office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    with pytest.raises(ValueError, match="never exported"):
        office.clean_up(one.number)
    office.changes(NOON)
    office.clean_up(one.number)
    assert rows(office.changes(NOON))[1][5:] == ["0.00", "System Processed"]
    assert (office.book().paid_cents, office.book().cleaned_cents) == (0, 45_00)


def test_what_was_exported_for_billing_is_not_paid_here_any_more() -> None:
    office = Parking(billing=True)
    one = office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    office.pay(one.number, 5_00)
    office.full_list(NOON)
    with pytest.raises(ValueError, match="paid at the bursar"):
        office.pay(one.number, 40_00)
    assert office.take_payments(paid((one.number, "40.00"))).closed == 1


def test_hold_files_have_new_and_changed_totals_and_what_is_cleared() -> None:
    office = Parking()
    one = office.issue(ADA_PARKS, "No permit", 45_00, NOON)
    two = office.issue(BAO_PARKS, "Expired meter", 30_00, NOON)
    office.issue(VISITOR, "Expired meter", 30_00, NOON)
    added, released = office.hold_files(NOON)
    assert (added.name, released.name) == ("holds_20261014_120000_0001_added.csv", "holds_20261014_120000_0001_released.csv")
    assert rows(added)[1:] == [
        ["0104231", "45.00", "Student", "No permit", "10/14/2026"],
        ["1042317", "30.00", "Student", "Expired meter", "10/14/2026"],
    ]
    assert len(rows(released)) == 1
    office.issue(ADA_PARKS, "Fire lane", 75_00, NOON + timedelta(days=1))
    office.pay(two.number, 30_00)
    added, released = office.hold_files(NOON)
    assert rows(added)[1:] == [["0104231", "120.00", "Student", "No permit", "10/14/2026"]]
    assert rows(released)[1:] == [["1042317", "0.00", "Student", "Expired meter", "10/14/2026"]]
    office.bounce(two.number, 30_00)
    assert [row[0] for row in rows(office.hold_files(NOON)[0])[1:]] == ["1042317"]
    assert [one.number, two.number] == ["V202600001", "V202600002"]


def test_payments_close_and_lower_and_the_same_file_again_pays_again() -> None:
    office = Parking()
    one, two = (office.issue(user, "No permit", 45_00, NOON) for user in (ADA_PARKS, BAO_PARKS))
    file = paid((one.number, "45.00"), (two.number, "20"), ("V1", "5.00"), (two.number, "0.00"))
    assert office.take_payments(file) == PaymentCount(4, 1, 1, 1, 1, 65_00, 0)
    assert office.take_payments(file) == PaymentCount(4, 0, 1, 1, 1, 20_00, 45_00)
    assert (one.status, two.owed_cents) == (TicketStatus.PAID, 5_00)


@pytest.mark.parametrize("content", [b"", b"a,b\r\n", paid(("V1", "1,00")), paid(("V1", "x")), paid(("V1", "1"))[:-6], b"\xff"])
def test_a_payment_file_that_cannot_be_read_changes_nothing(content: bytes) -> None:
    with pytest.raises(FileRefused):
        Parking().take_payments(content)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5), st.integers(1, 60_00)), max_size=40))
def test_the_office_adds_up_whatever_is_done(deeds: list[tuple[int, int, int]]) -> None:
    """Deeds that the office refuses change nothing; a changes list applied to what was known gives what is owed."""
    office, known = Parking(), dict[str, str]()
    for deed, which, cents in deeds:
        numbers = list(office.tickets)
        if deed == 0 or not numbers:
            office.issue((ADA_PARKS, BAO_PARKS, VISITOR)[which % 3], "No permit", cents, NOON)
            continue
        number = numbers[which % len(numbers)]
        with suppress(ValueError):
            if deed < 4:
                (office.pay, office.bounce, office.decide)[deed % 3](number, cents)
            else:
                (office.appeal, office.spoil, office.clean_up)[deed - 4](number)
        if which == 0:
            known |= {row[2]: row[5] for row in rows(office.changes(NOON))[1:]}
    known |= {row[2]: row[5] for row in rows(office.changes(NOON))[1:]}
    book = office.book()
    assert book.issued.cents == book.open.cents + book.paid_cents + book.forgiven_cents + book.cleaned_cents
    assert {number: cents for number, cents in known.items() if cents != "0.00"} == {row[2]: row[5] for row in rows(office.full_list(NOON))[1:]}


def test_the_jobs_drop_lists_take_payments_and_mail_the_report(tmp_path: Path) -> None:
    campus = make_campus(tmp_path)
    with pytest.raises(LookupError):
        _ = campus.holds
    open_parking(campus, NOON)
    one = campus.holds.parking.issue(ADA_PARKS, "No permit", 45_00, NOON)
    sent = [campus.holds.export_violations(NOON), campus.holds.export_changes(NOON), *campus.holds.export_holds(NOON)]
    assert sorted(path.name for path in (tmp_path / PARKING_OUT).iterdir()) == sorted(file.name for file in sent)
    (tmp_path / PARKING_IN / "b.csv").write_bytes(paid((one.number, "5.00")))
    (tmp_path / PARKING_IN / "a.csv").write_bytes(b"rubbish")
    assert [count.lowered for count in campus.holds.take_payments()] == [1]
    assert sorted(path.name for path in (tmp_path / PARKING_IN).iterdir()) == ["a.csv.refused", "b.csv.handled"]
    path = campus.holds.mail_violations(NOON)
    assert path.parent == tmp_path / PARKING_MAIL / "new"
    mail = message_from_bytes(path.read_bytes(), policy=default)
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "violations_full_20261014_120000_0004.csv"
    assert str(attached.get_content()).splitlines()[1] == "0104231,Student,V202600001,No permit,10/14/2026,40.00,Open"
    assert "dmarc=pass" in str(mail["Authentication-Results"])
