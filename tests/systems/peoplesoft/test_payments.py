"""Payment files of both kinds, and rows and files that are not what they should be."""

import json

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.ledger.facts import Payments
from bursarbridge.ports import Rejected, read
from bursarbridge.systems.peoplesoft.payments import PaymentReader

TITLES = "Emplid,Date Paid,Reference Number,Charge Amount,Paid Amount,Item Type,Charge Description"
ROW = "0012345678,11/21/2026,L0000000017,25.00,10.00,240000012000,Library overdue"


def facts(*rows: str, titles: str = TITLES, layout: str = "asu-payments") -> list[object]:
    file = "".join(f"{row}\r\n" for row in (titles, *rows)).encode()
    return list(read(PaymentReader(shipped(layout)), [file]))


def refusal(file: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        list(read(PaymentReader(shipped("asu-payments")), [file[at : at + 11] for at in range(0, len(file), 11)]))
    return caught.value


def rejected(row: str) -> Rejected:
    (only,) = facts(row)
    assert isinstance(only, Rejected)
    return only


def test_a_cumulative_row_in_both_date_forms() -> None:
    expected = Payments("L0000000017", "0012345678", 1000, "2026-11-21", 2500, "240000012000", "Library overdue")
    assert facts(ROW, ROW.replace("11/21/2026", "2026-11-21")) == [expected, expected]


def test_a_snapshot_row() -> None:
    titles = "Emplid,Reference Number,Item Type,Item Amount,Applied Amount,As Of Date"
    found = facts("12345678,L0000000017,240000012000,25.00,0.00,", titles=titles, layout="generic-payments-snapshot")
    assert found == [Payments("L0000000017", "12345678", 0, "", 2500, "240000012000")]


def test_d08_a_zero_payment_is_a_fact() -> None:
    (fact,) = facts(ROW.replace("10.00", "0.00"))
    assert isinstance(fact, Payments)
    assert fact.cents == 0


def test_d07_a_negative_row_is_a_reversal_as_the_layout_says() -> None:
    (fact,) = facts(ROW.replace("10.00", "-10.00"))
    assert isinstance(fact, Payments)
    assert fact.cents == -1000


@pytest.mark.parametrize(
    "amount", ["10.005", "1e3", '"1,000.00"', "$10.00", '"10,00"', "+10.00", "10.", ".50", "", " ", "1_0.00", "١٠.00", "(10.00)", "10.00-"]
)
def test_d09_three_decimals_exponents_separators_and_marks_are_never_guessed(amount: str) -> None:
    found = rejected(ROW.replace("10.00", amount))
    assert found.code in ("amount", "blank")
    assert found.cents == 0
    assert "Paid Amount" in found.words


@pytest.mark.parametrize("amount", ["1000000000.00", "1" + "0" * 18, "99999999999999999999.99"])
def test_d10_overflow_is_rejected(amount: str) -> None:
    assert rejected(ROW.replace("10.00", amount)).code == "amount"


@pytest.mark.parametrize("amount", ["CAD 10.00", "10.00 USD", "€10.00"])
def test_d11_an_amount_with_a_currency_is_rejected(amount: str) -> None:
    assert rejected(ROW.replace("10.00", amount)).code == "amount"


def test_d11_a_currency_column_is_refused_until_the_layout_declares_it() -> None:
    assert "new" in str(refusal((TITLES + ",Currency\r\n" + ROW + ",CAD\r\n").encode()))


@pytest.mark.parametrize("date", ["21/11/2026", "2026-02-30", "11/21/26", "1/2/2026", "2026-W47-6"[:10], "Nov 21", ""])
def test_unreadable_dates_are_rejected_rows(date: str) -> None:
    assert rejected(ROW.replace("11/21/2026", date)).code in ("date", "blank")


def test_a_row_without_reference_keeps_its_money() -> None:
    found = rejected(ROW.replace("L0000000017", " "))
    assert (found.code, found.account, found.cents) == ("no_reference", "0012345678", 1000)


def test_a_rejected_row_can_be_revived() -> None:
    reader = PaymentReader(shipped("asu-payments"))
    found = rejected(ROW.replace("11/21/2026", "yesterday"))
    raw = json.loads(found.raw) | {"paid_on": "11/21/2026"}
    assert reader.fact(reader.revived(json.dumps(raw))) == facts(ROW)[0]
    assert reader.revived(found.raw) == ROW.replace("11/21/2026", "yesterday").split(",")


def test_d24_leading_zeros_are_part_of_the_id() -> None:
    (fact,) = facts(ROW.replace("0012345678", "0000000001"))
    assert isinstance(fact, Payments)
    assert fact.account == "0000000001"


def test_d25_byte_order_mark_and_wrong_encodings() -> None:
    file = (TITLES + "\r\n" + ROW.replace("overdue", "überfällig") + "\r\n").encode()
    assert len(list(read(PaymentReader(shipped("asu-payments")), [b"\xef\xbb\xbf" + file]))) == 1
    at = file.index("ü".encode())
    assert f"byte {at} (0xFC)" in str(refusal(file.decode().encode("iso-8859-1")))
    assert "byte 0 (0xFF)" in str(refusal(file.decode().encode("utf-16")))
    assert "NUL byte stands at byte 1" in str(refusal(file.decode().encode("utf-16-le")))
    assert f"byte {len(file)}" in str(refusal(file + b"\0"))
    assert "byte" in str(refusal(file + b"\xc3"))


def test_d26_quotes_delimiters_and_line_ends_inside_a_field() -> None:
    (fact,) = facts(ROW.replace("Library overdue", '"a ""b"", c\r\nd"'))
    assert isinstance(fact, Payments)
    assert fact.description == 'a "b", c\r\nd'


def test_d26_ragged_rows_are_named_by_line() -> None:
    for row in (ROW + ",more", ROW.rpartition(",")[0]):
        error = refusal("\r\n".join((TITLES, ROW, row, ROW, "")).encode())
        assert (error.code, error.where) == ("ragged", "line 3")
    assert refusal("\r\n".join((TITLES, ROW, "", ROW, "")).encode()).where == "line 3"
    assert len(facts(ROW, "", "")) == 1


def test_d26_endless_fields_and_open_quotes_are_refused() -> None:
    assert refusal((TITLES + "\r\n" + ROW + "x" * 10_000_000).encode()).code == "too_long"
    assert refusal((TITLES + "\r\n" + ROW + "x" * 200_000 + "\r\n").encode()).code == "csv"
    assert refusal((TITLES + "\r\n" + '"' + ROW + "\r\n").encode()).code == "csv"
    assert refusal((TITLES + "\r\n" + '"00"1,' + ROW + "\r\n").encode()).code == "csv"


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        (TITLES + ",Term", '"Term" is new'),
        (TITLES.replace(",Item Type", ""), '"Item Type" is missing'),
        (TITLES.replace("Paid Amount", "Amount Paid"), '"Paid Amount" is now called "Amount Paid"'),
        (TITLES.replace("Charge Amount,Paid Amount", "Paid Amount,Charge Amount"), "another order"),
        (TITLES.replace("Charge Amount", "Paid Amount"), "stands twice"),
        (ROW, "is now called"),
    ],
)
def test_d27_a_changed_heading_is_one_readable_difference(titles: str, words: str) -> None:
    error = refusal((titles + "\r\n").encode())
    assert error.code == "columns"
    assert words in error.words
    assert "Expected: Emplid, Date Paid" in error.words


def test_d28_machine_feeds_are_read_unchanged() -> None:
    (fact,) = facts(ROW.replace("Library overdue", "=1+1"))
    assert isinstance(fact, Payments)
    assert fact.description == "=1+1"


def test_an_empty_file_is_no_evidence_and_a_heading_alone_is_no_rows() -> None:
    assert refusal(b"").code == "empty"
    assert facts() == []


def test_match_may_name_another_field_and_has_to_exist() -> None:
    reader = PaymentReader(shipped("asu-payments"), "description")
    assert reader.fact(ROW.split(",")).reference == "Library overdue"
    with pytest.raises(Unreadable, match="no nothing"):
        PaymentReader(shipped("asu-payments"), "nothing")
    with pytest.raises(Unreadable, match="paid_amount"):
        PaymentReader(shipped("generic-results"))


@pytest.mark.parametrize("size", [1, 2, 7, 99, 100, 101, 10_000])
def test_d39_any_chunk_size_reads_the_same(size: int) -> None:
    file = ("\ufeff" + TITLES + "\r\n" + 40 * (ROW.replace("overdue", "é") + "\r\n")).encode()
    found = list(read(PaymentReader(shipped("asu-payments")), (file[at : at + size] for at in range(0, len(file), size))))
    assert found == facts(*[ROW.replace("overdue", "é")] * 40)


OWN = """
name = "own-payments"
about = "a report that names its currency"
form = "delimited"
encoding = "utf-8"
newline = "\\n"
delimiter = ","
heading = true

[[records]]
kind = "detail"
fields = [
  { name = "account", kind = "text", title = "ID" },
  { name = "currency", kind = "literal", literal = "USD", title = "Currency" },
  { name = "paid_amount", kind = "amount", title = "Paid", sign = "signed" },
  { name = "reference", kind = "text", title = "Reference" },
]
"""


def test_d11_a_payment_in_another_currency_is_never_taken_for_ours() -> None:
    reader = PaymentReader(layout_from_toml(OWN, "own.toml"))
    file = b"ID,Currency,Paid,Reference\n0012345,USD,1.00,L1\n0012345,EUR,2.00,L2\n"
    ours, theirs = read(reader, [file])
    assert isinstance(ours, Payments)
    assert ours.cents == 100
    assert isinstance(theirs, Rejected)
    assert (theirs.code, theirs.cents, theirs.reference) == ("literal", 200, "L2")
    assert reader.revived(theirs.raw) == ["0012345", "EUR", "2.00", "L2"]
