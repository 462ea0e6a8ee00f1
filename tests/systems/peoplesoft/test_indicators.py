"""The bursar's snapshot of service indicators: every row a fact, and no row no proof of anything but itself."""

import json

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.ledger.facts import Indicator
from bursarbridge.ports import Rejected, read
from bursarbridge.systems.peoplesoft.indicators import IndicatorReader
from bursarbridge.systems.peoplesoft.payments import PaymentReader

TITLES = "EMPLID,INSTITUTION,SRVC_IND_CD,SRVC_IND_REASON,AMOUNT,SRVC_IND_REFRNCE,SRVC_IND_ACTIVE_DT"
OURS = '"0012345678","EXCCD","PRK","PARK","65.00","V0000000017","11/20/2026"'
FACT = Indicator("0012345678", "EXCCD", "PRK", "PARK", 6500, "V0000000017", "2026-11-20")


def facts(*rows: str, titles: str = TITLES, before: bytes = b"") -> list[object]:
    content = before + "".join(f"{row}\r\n" for row in (titles, *rows)).encode()
    return list(read(IndicatorReader(shipped("ps-query-indicators")), [content[at : at + 13] for at in range(0, len(content), 13)]))


def refusal(content: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        list(read(IndicatorReader(shipped("ps-query-indicators")), [content]))
    return caught.value


def test_a_row_is_an_indicator_whoever_placed_it() -> None:
    theirs = "0012345678,EXCCD,PRK,OTHER,0,,2026-11-20"
    assert facts(OURS, theirs) == [FACT, Indicator("0012345678", "EXCCD", "PRK", "OTHER", 0, "", "2026-11-20")]


def test_several_rows_of_one_person_code_and_reason_are_lawful() -> None:
    assert facts(OURS, OURS, OURS.replace("65.00", "20.00")) == [FACT, FACT, FACT._replace(cents=2000)]


def test_a_row_without_an_amount_or_a_day_says_so() -> None:
    assert facts("1,EXCCD,PRK,,,,") == [Indicator("1", "EXCCD", "PRK", "", -1)]


def test_d25_a_byte_order_mark_is_dropped() -> None:
    assert facts(OURS, before=b"\xef\xbb\xbf") == [FACT]


@pytest.mark.parametrize(
    "words", [b"Query resulted in no rows", b"The query resulted in no rows.\r\n", b'\xef\xbb\xbf"QUERY RETURNED NO ROWS"\n', TITLES.encode()]
)
def test_a_query_that_found_nothing_is_no_indicator(words: bytes) -> None:
    reader = IndicatorReader(shipped("ps-query-indicators"))
    assert list(read(reader, [words])) == list(read(reader, [words[at : at + 1] for at in range(len(words))])) == []


def test_a_file_without_a_byte_proves_nothing() -> None:
    assert refusal(b"").code == "empty"
    assert refusal(b"Query resulted in an error").code == "columns"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",EXCCD,PRK,PARK,65.00,V1,11/20/2026", "blank"),
        ("1,EXCCD,PRK,PARK,-65.00,V1,11/20/2026", "amount"),
        ('1,EXCCD,PRK,PARK,"1,065.00",V1,11/20/2026', "amount"),
        ("1,EXCCD,PRK,PARK,65.00,V1,20/11/2026", "date"),
        ("1,,PRK,PARK,65.00,V1,11/20/2026", "blank"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_alone_and_can_be_revived(row: str, code: str) -> None:
    reader = IndicatorReader(shipped("ps-query-indicators"))
    good, bad = facts(OURS, row)
    assert good == FACT and isinstance(bad, Rejected)
    assert (bad.code, bad.reference) == (code, "V1")
    assert reader.revived(bad.raw)[5] == "V1"
    assert (
        reader.fact(reader.revived(json.dumps(json.loads(bad.raw) | dict(zip(shipped("ps-query-indicators").detail.names, FACT_TEXTS, strict=True)))))
        == FACT
    )


FACT_TEXTS = ("0012345678", "EXCCD", "PRK", "PARK", "65.00", "V0000000017", "11/20/2026")


def test_d27_a_changed_heading_is_one_readable_difference() -> None:
    error = refusal((TITLES.replace("AMOUNT", "AMT") + "\r\n" + OURS + "\r\n").encode())
    assert error.code == "columns" and '"AMOUNT" is now called "AMT"' in str(error)


def test_another_order_with_a_time_is_a_layout_of_ones_own() -> None:
    own = """
name = "own"
form = "delimited"
encoding = "utf-8"
heading = true
[[records]]
kind = "detail"
fields = [
  { name = "hold_code", kind = "text", title = "Srvc Ind Cd" },
  { name = "account", kind = "text", title = "ID" },
  { name = "institution", kind = "text", title = "Institution" },
]
"""
    reader = IndicatorReader(layout_from_toml(own, "own.toml"))
    assert list(read(reader, [b"Srvc Ind Cd,ID,Institution\nPRK,12345678,EXCCD\n"])) == [Indicator("12345678", "EXCCD", "PRK", "", -1)]


def test_layouts_that_lack_what_is_needed_are_refused() -> None:
    for make in (IndicatorReader, PaymentReader):
        with pytest.raises(Unreadable, match="it has no"):
            make(shipped("mass-assign"))
