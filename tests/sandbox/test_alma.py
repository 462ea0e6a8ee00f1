"""Alma on its own: what it exports, and what a payment file does to its books."""

import re
from datetime import datetime
from xml.etree import ElementTree

import pytest

from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.fees import Fee, FeeStatus, FileRefused, User
from bursarbridge.sandbox.people import DAY_ONE, FERGUS, assess
from tests.sandbox.naive import NOON, ZONE, exported, import_bytes

ANN = User("0012345", "Example, Ann & Co")


def transferred(cents: int) -> tuple[Alma, Fee]:
    alma = Alma()
    fee = alma.assess(ANN, "OVERDUEFINE", cents, NOON, barcode="31234", title="T", library="MAIN")
    alma.run_export(NOON)
    return alma, fee


def test_export_says_every_fee_and_marks_it_transferred() -> None:
    alma = Alma()
    assert assess(alma, DAY_ONE, NOON) == alma.book().active.cents
    sent = alma.run_export(NOON)
    assert sent is not None
    fees = exported(sent.content)
    assert sorted((fee["user"], fee["fineFeeType"]) for fee in fees) == sorted((owed.user.value, owed.fee_type) for owed in DAY_ONE)
    assert [fee["sum"] for fee in fees if fee["user"] == "0104231"] == ["85", "15", "0.82"]
    assert [fee["sum"] for fee in fees if fee["user"] == "20417733"] == ["3.25", "12.5"]
    assert {fee["lastTransactionDate"] for fee in fees} == {"10/14/2026 12:00:00 PDT"}
    assert len({fee["bursarTransactionId"] for fee in fees}) == len(DAY_ONE)
    assert {fee.status for fee in alma.fees.values()} == {FeeStatus.TRANSFERRED}
    assert alma.run_export(NOON) is None


def test_export_has_the_shape_and_the_misspelt_names_of_a_real_one() -> None:
    alma = Alma()
    assess(alma, DAY_ONE, NOON)
    sent = alma.run_export(NOON)
    assert sent is not None
    assert re.fullmatch(r"BURSAR-\d{17}-1792004400\.xml", sent.name)
    root = ElementTree.fromstring(sent.content)
    space = "{http://com/exlibris/urm/rep/externalsysfinesfees/xmlbeans}"
    header, body = list(root)
    assert [child.tag for child in header] == [f"{space}exportNumber"]
    assert header.findtext(f"{space}exportNumber") == sent.name.split("-")[1]
    users = body.findall(f"{space}userExportedList/{space}userExportedFineFeesList")
    assert len(users) == 6
    first = users[0]
    assert first.findtext(f"{space}user/{space}owneredEntity/{space}InstitutionId") == "6001"
    row = first.find(f"{space}finefeeList/{space}userFineFee")
    assert row is not None
    names = [child.tag.removeprefix(space) for child in row]
    assert names[:5] == ["fineFeeComment", "fineFeeType", "owneredEntity", "lastTransactionDate", "itemTitle"]
    assert names[5:] == ["itemCallNumebr", "itemLibrary", "itemLocation", "itemInternalLocation", "itemDueDate", "itemBarcode", *names[-2:]]
    assert names[-2:] == ["compositeSum", "bursarTransactionId"]
    assert row.findall(f"{space}fineFeeComment[@{{http://www.w3.org/2001/XMLSchema-instance}}nil]")
    titles = {title.text for title in root.iter(f"{space}itemTitle")}
    assert {"Tidal marshes :\na field guide /", "Strömungslehre <Atlas>", "月と海", None} <= titles


def test_a_user_by_primary_id_has_the_literal_null_and_the_zone_follows_the_season() -> None:
    alma = Alma()
    alma.assess(User("ann@example.edu", "Ann", "userName"), "OTHER", 100, datetime(2026, 12, 1, 9, 0, tzinfo=ZONE))
    sent = alma.run_export(NOON)
    assert sent is not None
    assert b"<xb:InstitutionId>null</xb:InstitutionId>" in sent.content
    assert b"12/01/2026 09:00:00 PST" in sent.content


def test_part_then_full_payment_lowers_then_closes() -> None:
    alma, fee = transferred(12435)
    first = alma.run_import(import_bytes([(fee.bursar_transaction_id, "40.00")]), NOON)
    assert (first.lowered, first.closed, first.applied_cents, fee.balance_cents, fee.status) == (1, 0, 4000, 8435, FeeStatus.TRANSFERRED)
    second = alma.run_import(import_bytes([(fee.bursar_transaction_id, "84.35")]), NOON)
    assert (second.closed, fee.balance_cents, fee.status) == (1, 0, FeeStatus.CLOSED)
    assert alma.book().open_cents == 0


def test_the_same_file_again_is_applied_again() -> None:
    alma, fee = transferred(5000)
    file = import_bytes([(fee.bursar_transaction_id, "30")])
    alma.run_import(file, NOON)
    again = alma.run_import(file, NOON)
    assert (again.closed, again.credits, again.applied_cents, again.credit_cents) == (1, 1, 2000, 1000)
    third = alma.run_import(file, NOON)
    assert (third.closed, third.credits, third.credit_cents) == (0, 1, 3000)
    assert [credit.cents for credit in alma.credits] == [1000, 3000]


@pytest.mark.parametrize(("total", "field"), [("-5.00", "refused"), ("0", "refused")])
def test_sums_that_are_not_positive_change_nothing(total: str, field: str) -> None:
    alma, fee = transferred(5000)
    count = alma.run_import(import_bytes([(fee.bursar_transaction_id, total)]), NOON)
    assert getattr(count, field) == 1
    assert fee.balance_cents == 5000


def test_unknown_ids_are_counted_and_the_rest_goes_on() -> None:
    alma, fee = transferred(5000)
    count = alma.run_import(import_bytes([("nobody", "1.00"), (fee.bursar_transaction_id, "50")]), NOON)
    assert (count.rows, count.unknown, count.closed) == (2, 1, 1)


@pytest.mark.parametrize(
    "broken",
    [
        b"<not xml",
        b"<other/>",
        import_bytes([("153", "1,00")]),
        import_bytes([("", "1.00")]),
        import_bytes([("153", "1.00")])[:-20],
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(broken: bytes) -> None:
    alma, fee = transferred(5000)
    good = import_bytes([(fee.bursar_transaction_id, "1.00")])
    with pytest.raises(FileRefused):
        alma.run_import(broken, NOON)
    with pytest.raises(FileRefused):
        alma.run_import(good.replace(b"</f:finefeeList>", b"<f:userFineFee/></f:finefeeList>"), NOON)
    assert fee.balance_cents == 5000


def test_a_fee_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Alma().assess(FERGUS, "OTHER", -1, NOON)
