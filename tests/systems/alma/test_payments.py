"""The bursar import document: as Alma documents it, escaped rightly, and read again as it was written."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.errors import Refused, Unreadable
from bursarbridge.ports import ControlTotal, Heading, Line
from bursarbridge.systems.alma.listening import Header
from bursarbridge.systems.alma.payments import Paid, PaymentDestination, PaymentSettings, read_import
from tests.systems.alma.documents import NAMESPACE

MADE_AT = datetime(2026, 10, 2, 16, 15, tzinfo=UTC)
DESTINATION = PaymentDestination(PaymentSettings("bursarbridge-{sequence:06d}-{made_at}.xml", ZoneInfo("America/Los_Angeles")))
HEADING = Heading("x.xml", 42, MADE_AT, "2026-10-02")
GOLDEN = f"""<?xml version="1.0" encoding="UTF-8"?>
<xb:xml-fragment xmlns:xb="{NAMESPACE}">
<xb:userExportedFineFees><xb:exportNumber>42</xb:exportNumber></xb:userExportedFineFees>
<xb:userExportedFineFees><xb:userExportedList>
<xb:userExportedFineFeesList><xb:user><xb:type>02</xb:type><xb:value>0012345</xb:value><xb:owneredEntity><xb:InstitutionId>4400</xb:InstitutionId>\
</xb:owneredEntity></xb:user><xb:patronName>Vandermolen &amp; Tess</xb:patronName><xb:finefeeList>
<xb:userFineFee><xb:fineFeeType>OVERDUEFINE</xb:fineFeeType><xb:lastTransactionDate>10/02/2026 09:15:00</xb:lastTransactionDate><xb:compositeSum>\
<xb:currency>USD</xb:currency><xb:sum>25.00</xb:sum></xb:compositeSum><xb:bursarTransactionId>700</xb:bursarTransactionId></xb:userFineFee>
<xb:userFineFee><xb:fineFeeType>OVERDUEFINE</xb:fineFeeType><xb:lastTransactionDate>10/02/2026 09:15:00</xb:lastTransactionDate><xb:compositeSum>\
<xb:currency>USD</xb:currency><xb:sum>0.01</xb:sum></xb:compositeSum><xb:bursarTransactionId>INST00012345</xb:bursarTransactionId></xb:userFineFee>
</xb:finefeeList></xb:userExportedFineFeesList>
<xb:userExportedFineFeesList><xb:user><xb:type>userName</xb:type><xb:value>T0456789</xb:value><xb:owneredEntity><xb:InstitutionId>null</xb:InstitutionId>\
</xb:owneredEntity></xb:user><xb:patronName></xb:patronName><xb:finefeeList>
<xb:userFineFee><xb:fineFeeType>OTHER</xb:fineFeeType><xb:lastTransactionDate>10/02/2026 09:15:00</xb:lastTransactionDate><xb:compositeSum>\
<xb:currency>USD</xb:currency><xb:sum>1234.50</xb:sum></xb:compositeSum><xb:bursarTransactionId>701</xb:bursarTransactionId></xb:userFineFee>
</xb:finefeeList></xb:userExportedFineFeesList>
</xb:userExportedList></xb:userExportedFineFees>
</xb:xml-fragment>
"""


def line(reference: str, cents: int, account: str = "0012345", category: str = "OVERDUEFINE", who: str = "02\x1f4400\x1fVandermolen & Tess") -> Line:
    return Line(1, "BB1", reference, account, category, cents, "payment", "2026-03-05", "", "", f"{who}\x1f03/05/2026 09:00:00 EST\x1fUSD")


def written(*lines: Line) -> str:
    writer = DESTINATION.writer(HEADING)
    total = ControlTotal(len(lines), sum(each.cents for each in lines))
    return "".join([writer.head(total), *map(writer.line, lines), writer.tail(total)])


def refused(of: Line) -> str:
    with pytest.raises(Unreadable) as caught:
        DESTINATION.writer(HEADING).line(of)
    return caught.value.code


def test_the_document_is_the_minimal_one_byte_for_byte() -> None:
    third = line("701", 123450, "T0456789", "OTHER", "userName\x1fnull\x1f")
    assert written(line("700", 2500), line("INST00012345", 1), third) == GOLDEN


def test_a_document_without_lines_is_whole() -> None:
    assert list(read_import([written().encode()], Header())) == []


def test_a_refused_line_leaves_the_document_as_if_it_had_not_been() -> None:
    writer = DESTINATION.writer(HEADING)
    total = ControlTotal(1, 2500)
    with pytest.raises(Unreadable):
        writer.line(line("700", 2500, who="02"))
    assert writer.head(total) + writer.line(line("700", 2500)) + writer.tail(total) == written(line("700", 2500))


CARRIED = st.text(st.characters(codec="utf-8", exclude_characters=[*map(chr, range(32)), "\ufffe", "\uffff"]), min_size=1)
TEXT = st.tuples(CARRIED, st.sampled_from(["", "\n", "\r", "\t&<>]]>\"'"]), CARRIED).map("".join).map(lambda text: text.strip(" \t\r\n")).filter(bool)


@given(st.lists(st.tuples(TEXT, st.integers(1, 99_999_999_999), TEXT, TEXT, TEXT), max_size=8))
def test_what_is_written_is_read_again(rows: list[tuple[str, int, str, str, str]]) -> None:
    lines = sorted(
        (line(reference, cents, account, category, f"02\x1fnull\x1f{name}") for reference, cents, account, category, name in rows), key=account_of
    )
    header = Header()
    assert list(read_import([written(*lines).encode()], header)) == [
        Paid(each.source_reference, "02", each.account, each.category, each.cents, "USD") for each in lines
    ]
    assert header.export_number == "42"


def account_of(of: Line) -> str:
    return of.account


@pytest.mark.parametrize("cents", [0, -1, -2500])
def test_only_sums_above_zero_go_to_alma(cents: int) -> None:
    assert refused(line("700", cents)) == "not_positive"


def test_lines_alma_could_not_use_are_refused() -> None:
    assert refused(line("", 1)) == "incomplete"
    assert refused(line("700", 1, account="")) == "incomplete"
    assert refused(line("700", 1)._replace(kind="charge")) == "kind"
    assert refused(line("700", 1)._replace(extra="")) == "extra"
    assert refused(line("700", 1, who="02\x1f4400")) == "extra"
    assert refused(line("70\x000", 1)) == "character"
    assert refused(line("700", 1, who="02\x1f4400\x1fA\ufffeB")) == "character"
    assert refused(line("700", 1, who="02\x1f4400\x1fA\ud800B")) == "character"


@pytest.mark.parametrize(("old", "new"), [("25.00", "-25.00"), ("25.00", "0"), ("25.00", "2.500"), (">700<", "><")])
def test_a_document_that_says_what_we_never_write_is_not_verified(old: str, new: str) -> None:
    with pytest.raises(Unreadable):
        list(read_import([GOLDEN.replace(old, new, 1).encode()], Header()))


def test_names_are_unique_per_sequence_and_plain() -> None:
    assert DESTINATION.name(42, MADE_AT, "2026-10-02") == "bursarbridge-000042-20261002T161500Z.xml"
    for template in ("a-{made_at}.xml", "a/{sequence}.xml", "{sequence}-{title}.xml", "{sequence:q}.xml", "{sequence", "{sequence}{}"):
        with pytest.raises(Refused):
            PaymentDestination(PaymentSettings(template, ZoneInfo("UTC"))).name(1, MADE_AT, "2026-10-02")
