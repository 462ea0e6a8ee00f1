"""Payments for a parking office: what is written reads back the same, in every form, and what cannot be said is refused."""

from datetime import UTC, datetime

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.formats.shape import Form, RecordKind
from bursarbridge.ports import ControlTotal, Heading, Line
from bursarbridge.systems.parking.payments import RemittanceSettings, parking_payments, told_in

NOW = datetime(2026, 10, 15, 19, 5, tzinfo=UTC)
LINES = [
    Line(1, "P0000001K4M", "V202600001", "0012345", "No permit", 4500, "payment", "2026-10-03", "V202600001", "", ""),
    Line(2, "P0000002R7X", "V202600002", "20260417", "Fire lane", 1, "payment", "", "V202600002", "", ""),
]


@pytest.mark.parametrize("name", ["generic-remittance", "remittance-delimited"])
def test_what_is_written_reads_back_the_same(name: str) -> None:
    layout = shipped(name)
    writer = parking_payments(RemittanceSettings(layout, "paid_{made_on}_{sequence:06d}.txt")).writer(Heading("paid.txt", 1, NOW, "2026-10-15"))
    total = ControlTotal(2, 4501)
    content = (writer.head(total) + "".join(writer.line(line) for line in LINES) + writer.tail(total)).encode(layout.encoding)
    read = fixed.read(layout, [content]) if layout.form is Form.FIXED else delimited.read(layout, [content])
    found = list(read)
    assert [row for kind, row in found if kind is RecordKind.DETAIL] == [
        ("V202600001", "0012345", 4500, "2026-10-15", "P0000001K4M"),
        ("V202600002", "20260417", 1, "2026-10-15", "P0000002R7X"),
    ]
    assert [tuple(row) for row in told_in(layout, [content])] == [("V202600001", 4500, "0012345"), ("V202600002", 1, "20260417")]
    if layout.form is Form.FIXED:
        assert [row for kind, row in found if kind is not RecordKind.DETAIL] == [(2, 4501, "2026-10-15"), (2, 4501)]


def test_a_document_has_a_name_of_its_own() -> None:
    office = parking_payments(RemittanceSettings(shipped("generic-remittance"), "paid_{made_on}_{made_at}_{sequence:06d}.txt"))
    assert office.name(7, NOW, "2026-10-15") == "paid_20261015_20261015190500_000007.txt"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINES[0]._replace(cents=0), "not_positive"),
        (LINES[0]._replace(kind="credit"), "kind"),
        (LINES[0]._replace(source_reference=""), "blank"),
        (LINES[0]._replace(account="123456789012"), "too_wide"),
    ],
)
def test_what_cannot_be_said_is_refused(line: Line, code: str) -> None:
    writer = parking_payments(RemittanceSettings(shipped("generic-remittance"), "p_{sequence}")).writer(Heading("p_1", 1, NOW, "2026-10-15"))
    with pytest.raises(Unreadable) as caught:
        writer.line(line)
    assert caught.value.code == code


def test_a_layout_that_could_close_nothing_is_refused_before_anything_is_written() -> None:
    fields = 'fields = [{ name = "amount", kind = "amount" }, { name = "term" }]'
    text = f'name = "x"\nform = "delimited"\nencoding = "utf-8"\n[[records]]\nkind = "detail"\n{fields}'
    with pytest.raises(Unreadable, match=r"no value for.*term.*without source_reference closes nothing"):
        parking_payments(RemittanceSettings(layout_from_toml(text, "x.toml"), "p_{sequence}"))
