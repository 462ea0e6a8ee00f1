"""What a layout writes it reads back, and the other way round, for every layout that ships."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursarbridge.formats import delimited, fixed
from bursarbridge.formats.layout import layout_from_toml, shipped, shipped_names
from bursarbridge.formats.shape import ABSENT, Blank, Field, FieldKind, Form, Layout, RecordKind, Row, Sign, Value

PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)
LOOSE = st.characters(codec="utf-8", exclude_characters="\0")


def text_values(layout: Layout, field: Field) -> st.SearchStrategy[str]:
    if layout.form is Form.FIXED:
        return st.builds(str.rstrip, st.text(st.one_of(PRINTABLE, st.just(" ")), min_size=1, max_size=field.width or 60)).filter(bool)
    characters = LOOSE if layout.encoding == "utf-8" else st.characters(min_codepoint=1, max_codepoint=127)
    return st.text(characters, min_size=1, max_size=field.width or 60)


def digit_values(_layout: Layout, field: Field) -> st.SearchStrategy[str]:
    exact = field.pad != " " or field.align == "right"
    return st.text("0123456789", min_size=field.width if exact else 1, max_size=field.width)


def amount_values(_layout: Layout, field: Field) -> st.SearchStrategy[int]:
    most = min(10 ** (field.width - 1 if field.width else 11) - 1, 99_999_999_999)
    return st.integers(-most // 10 if field.sign is Sign.SIGNED else 0, most)


VALUES: dict[FieldKind, Callable[[Layout, Field], st.SearchStrategy[Value]]] = {
    FieldKind.TEXT: text_values,
    FieldKind.DIGITS: digit_values,
    FieldKind.AMOUNT: amount_values,
    FieldKind.COUNT: lambda _, field: st.integers(0, 10 ** min(field.width or 10, 10) - 1),
    FieldKind.DATE: lambda *_: st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(date.isoformat),
    FieldKind.CHOICE: lambda _, field: st.sampled_from([word for word, _ in field.choices]),
}


def values(layout: Layout, field: Field) -> st.SearchStrategy[Value]:
    some = VALUES[field.kind](layout, field)
    absent: Value = ABSENT if field.kind in (FieldKind.AMOUNT, FieldKind.COUNT) else ""
    return st.one_of(some, st.just(absent)) if field.blank is Blank.ALLOWED else some


def rows(layout: Layout, kind: RecordKind, most: int) -> st.SearchStrategy[list[tuple[RecordKind, Row]]]:
    record = layout.record(kind)
    if record is None:
        return st.just([])
    row = st.tuples(*[values(layout, field) for field in record.fields if field.carries])
    return st.lists(st.tuples(st.just(kind), row), min_size=most == 1, max_size=most)


def files(layout: Layout) -> st.SearchStrategy[list[tuple[RecordKind, Row]]]:
    header, details, trailer = (rows(layout, kind, 4 if kind is RecordKind.DETAIL else 1) for kind in RecordKind)
    return st.builds(lambda *parts: [record for part in parts for record in part], header, details, trailer)


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


@pytest.mark.parametrize("name", shipped_names())
def test_write_of_read_is_the_same_and_read_of_write_too(name: str) -> None:
    layout = shipped(name)
    read, write = (fixed.read, fixed.write) if layout.form is Form.FIXED else (delimited.read, delimited.write)

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(files(layout), st.integers(1, 300))
    def check(records: list[tuple[RecordKind, Row]], size: int) -> None:
        content = b"".join(write(layout, records))
        back = list(read(layout, pieces(content, size)))
        assert back == records
        assert b"".join(write(layout, back)) == content

    check()


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "windows-1252"])
def test_every_kind_of_fixed_field_goes_round(encoding: str) -> None:
    layout = layout_from_toml(
        f"""
        name = "all"
        form = "fixed"
        encoding = "{encoding}"
        newline = "\\r\\n"
        [[records]]
        kind = "detail"
        width = 90
        fields = [
          {{ name = "percent", kind = "literal", start = 1, width = 3, literal = "%s" }},
          {{ name = "account", kind = "text", start = 5, width = 8, align = "right", blank = "allowed" }},
          {{ name = "item_type", kind = "digits", start = 13, width = 6, align = "right" }},
          {{ name = "amount", kind = "amount", start = 20, width = 9, pad = " ", sign = "signed" }},
          {{ name = "paid_amount", kind = "amount", start = 30, width = 8, point = false, sign = "signed" }},
          {{ name = "charge_amount", kind = "amount", start = 40, width = 8, pad = " ", point = false, blank = "allowed" }},
          {{ name = "line_count", kind = "count", start = 50, width = 4, pad = " ", blank = "allowed" }},
          {{ name = "direction", kind = "choice", start = 55, width = 2, choices = {{ charge = "", credit = "Y" }} }},
          {{ name = "due_on", kind = "date", start = 58, width = 10, dates = ["DD.MM.YY"], blank = "allowed" }},
        ]
        """,
        "test",
    )
    rows_in: list[tuple[RecordKind, Row]] = [
        (RecordKind.DETAIL, ("abc", "000012", -5, -7, 0, 0, "charge", "2026-11-21")),
        (RecordKind.DETAIL, ("", "123456", 99_999_999, 99_999_999, ABSENT, ABSENT, "credit", "")),
    ]
    rows_in += [(RecordKind.DETAIL, ("é £", "123456", 0, 0, 1, 9999, "credit", ""))] if encoding != "ascii" else []
    content = b"".join(fixed.write(layout, rows_in))
    assert {len(line) for line in content.split(b"\r\n")} == {90, 0}
    assert list(fixed.read(layout, pieces(content, 13))) == rows_in
