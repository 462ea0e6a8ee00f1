"""What makes a parking office's list as a whole unfit, or whole; and what some lines of it say."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.errors import Unreadable
from bursarbridge.systems.parking.agreed import Trailer
from bursarbridge.systems.parking.violations import ViolationReader
from tests.systems.parking.forms import BALANCES, CLOSED, FIXED, FORMS, GOOD, HEADING, VIOLATIONS, code, listed, readings, refusal, row, said, sample

UNCLOSED = ("violations", "nasty", "balances", "added", "released")


@pytest.mark.parametrize("name", ["fixed", "closed"])
def test_t01_a_list_with_a_trailer_cut_at_any_byte_is_refused_whole(name: str) -> None:
    """Except where the cut takes nothing away but a line end or zeros after the point."""
    content, form = sample(name), FORMS[name]
    whole = readings(form, [content])
    for cut in range(len(content)):
        try:
            assert readings(form, [content[:cut]]) == whole and cut >= len(content.rstrip().rstrip(b"0"))
        except Unreadable as error:
            assert error.code in ("truncated", "control_total", "ragged", "csv", "line", "empty", "environment"), (cut, error)


@pytest.mark.parametrize("name", UNCLOSED)
def test_t01_a_list_without_a_trailer_cut_inside_a_line_is_refused_whole(name: str) -> None:
    content, form = sample(name), FORMS[name]
    for cut in range(len(content)):
        if not content[:cut].endswith(b"\n"):
            assert refusal(form, content[:cut]).code in ("truncated", "columns", "ragged", "csv", "empty", "encoding"), cut


@pytest.mark.parametrize("name", ["fixed", "closed"])
def test_t02_a_list_cut_exactly_at_a_line_end_is_told_by_its_trailer(name: str) -> None:
    lines = sample(name).splitlines(keepends=True)
    for kept in range(1, len(lines)):
        error = refusal(FORMS[name], b"".join(lines[:kept]))
        assert error.code == "truncated"
        assert "the file is cut after" in str(error)


def test_t02_without_a_trailer_a_list_cut_at_a_line_end_says_no_more_than_it_holds() -> None:
    """What is missing is not said to owe nothing here; the guard on volume sees the size (reliability.md 2.4)."""
    lines = sample("violations").splitlines(keepends=True)
    assert readings(VIOLATIONS, lines[:4]) == readings(VIOLATIONS, lines)[:3]


def test_t11_a_list_of_another_environment_is_refused_whole() -> None:
    content = sample("fixed")
    assert refusal(FIXED, content.replace(b"HPARKING", b"HSANDBOX")).code == "environment"
    one_row = refusal(FIXED, content.replace(b"LIVE \r\nT", b"TEST \r\nT"))
    assert one_row.code == "environment" and '"TEST"' in str(one_row) and "(environment)" in str(one_row)
    column = replace(VIOLATIONS, environment="^LIVE$", columns=(*VIOLATIONS.columns, ("environment", (3, 0))))
    assert refusal(column, listed(row(User_Type="LIVE"), row(User_Type="LIVE2"))).code == "environment"
    assert len(readings(column, [listed(row(User_Type="LIVE"), row(User_Type="LIVE"))])) == 2
    with_line = replace(VIOLATIONS, first_line="^LIVE;")
    assert readings(with_line, [b"LIVE;2026\n" + listed(GOOD)]) == readings(VIOLATIONS, [listed(GOOD)])
    assert refusal(with_line, listed(GOOD)).code == "environment"
    assert refusal(with_line, b"LIVE;2026\n" + listed(GOOD, GOOD[:20] + "\n")).where == "line 4"


def test_t11_a_trailer_in_a_list_with_environments_is_no_row() -> None:
    form = replace(CLOSED, environment="^LIVE$", columns=(*CLOSED.columns, ("environment", (3, 0))))
    content = sample("closed").replace(b"Student", b"LIVE")
    assert len(readings(form, [content])) == 3


def test_d25_byte_order_marks_and_declared_encodings_say_the_same() -> None:
    plain = readings(VIOLATIONS, [listed(row(Type="Café Lot"))])
    assert readings(VIOLATIONS, [b"\xef\xbb\xbf" + listed(row(Type="Café Lot"))]) == plain
    for encoding in ("iso-8859-1", "windows-1252"):
        content = (HEADING + row(Type="Café Lot")).encode(encoding)
        assert readings(replace(VIOLATIONS, encoding=encoding), [content]) == plain


def test_d25_other_bytes_are_refused_and_the_place_is_named() -> None:
    assert refusal(VIOLATIONS, listed(GOOD) + row(Type="Café").encode("iso-8859-1")).code == "encoding"
    assert "byte" in str(refusal(VIOLATIONS, listed(GOOD) + b"\xff\xfe\n"))
    assert refusal(VIOLATIONS, (HEADING + GOOD).encode("utf-16")).code == "encoding"
    assert refusal(VIOLATIONS, listed(GOOD.replace("No", "N\0"))).code == "nul"


def test_d26_quotes_delimiters_and_line_ends_inside_a_text() -> None:
    quoted = listed(row(Name='Says "hm", and goes', Type='Lot "C", East'))
    assert said(VIOLATIONS, quoted).category == 'Lot "C", East'
    spanning = listed(row(Name="two\nlines"), row(Violation="PV-2"))
    assert len(readings(replace(VIOLATIONS, spanning=True), [spanning])) == 2
    assert refusal(VIOLATIONS, spanning).code == "csv"
    assert code(listed(row(Type="two\nlines")), replace(VIOLATIONS, spanning=True)) == "characters"


def test_d26_ragged_rows_blank_lines_and_other_widths_are_named_by_line() -> None:
    for broken, found in ((GOOD.replace(",USD", ""), "ragged"), (GOOD.replace(",USD", ",USD,"), "ragged"), ("\n", "ragged"), ('"0012345\n', "csv")):
        error = refusal(VIOLATIONS, listed(GOOD, broken, GOOD))
        assert (error.code, "line 3" in error.where or broken[0] == '"') == (found, True), error
    lines = sample("fixed").splitlines(keepends=True)
    error = refusal(FIXED, b"".join([*lines[:2], lines[2][1:], *lines[3:]]))
    assert (error.code, error.where) == ("line", "line 3")
    assert "53 characters" in error.words and "54" in error.words


def test_d26_an_endless_field_is_refused_early() -> None:
    def endless() -> Iterator[bytes]:
        yield HEADING.encode()
        while True:
            yield b"x" * (1 << 16)

    with pytest.raises(Unreadable) as caught:
        readings(VIOLATIONS, endless())
    assert caught.value.code == "too_long"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Balance", "Amount Due", '"Balance" is now called "Amount Due"'),
        (",Currency", "", '"Currency" is missing'),
        (",Status", ",Status,Plate", '"Plate" is new'),
        ("Student ID,Name", "Name,Student ID", "the columns stand in another order"),
        ("Balance", "balance", '"Balance" is now called "balance"'),
    ],
)
def test_d27_a_changed_heading_is_one_readable_difference(old: str, new: str, words: str) -> None:
    error = refusal(VIOLATIONS, listed(GOOD).replace(old.encode(), new.encode(), 1))
    assert error.code == "columns" and words in str(error) and "parking-violations" in str(error)


@pytest.mark.parametrize(
    ("name", "old", "new", "figures"),
    [
        ("closed", b"TRL;3;77.50", b"TRL;4;77.50", ('"4"', "has 3")),
        ("closed", b"TRL;3;77.50", b"TRL;3;77.51", ('"77.51"', "$77.50")),
        ("closed", b"TRL;3;77.50", b"TRL;3;", ('""', "$77.50")),
        ("closed", b"TRL;3;77.50", b"TRL;three;77.50", ('"three"', "has 3")),
        ("closed", b"20.5;", b"20,5;", ("$57.00", "1 amounts cannot be read")),
        ("fixed", b"T000004", b"T000005", ('"000005"', "has 4")),
        ("fixed", b"000004500", b"000004501", ("$180.51", '"000000018050"')),
    ],
)
def test_d29_a_count_or_total_that_does_not_match_stops_the_list_and_shows_both(name: str, old: bytes, new: bytes, figures: tuple[str, str]) -> None:
    assert old in sample(name)
    error = refusal(FORMS[name], sample(name).replace(old, new, 1))
    assert error.code == "control_total"
    assert all(figure in str(error) for figure in figures), str(error)


def test_d29_nothing_may_follow_the_trailer() -> None:
    for name, more in (("closed", b"0012345;x;Student;PV-9;No Permit;10/03/2026;45.00;USD;Outstanding\n"), ("fixed", b"T" + b" " * 53 + b"\n")):
        assert refusal(FORMS[name], sample(name) + more).code == "control_total"
    assert readings(CLOSED, [sample("closed") + b"\n\n"]) == readings(CLOSED, [sample("closed")])


def test_d29_a_list_of_nobody_with_its_trailer_is_whole() -> None:
    assert readings(CLOSED, [b"TRL;0;0.00\n"]) == []
    assert readings(VIOLATIONS, [HEADING.encode()]) == []
    assert refusal(CLOSED, b"").code == refusal(VIOLATIONS, b"").code == refusal(FIXED, b"").code == "empty"


@given(st.binary(max_size=200), st.sampled_from(sorted(FORMS)))
def test_whatever_arrives_is_read_or_refused_in_words(content: bytes, name: str) -> None:
    for whole in (content, sample(name) + content):
        try:
            readings(FORMS[name], [whole])
        except Unreadable as error:
            assert error.words and error.code


@pytest.mark.parametrize("name", FORMS)
@given(kept=st.lists(st.booleans(), min_size=30, max_size=30))
def test_some_lines_of_a_list_say_what_they_say_in_the_whole(name: str, kept: list[bool]) -> None:
    """What a fast lane relies on: the lines before the records and any of the records."""
    form = FORMS[name]
    reader = ViolationReader(form, whole=False)
    assert reader.lines_are_records is (form.trailer is None)
    lines = [line for line in sample(name).splitlines(keepends=True) if line.strip()]
    before, rows = lines[: reader.lines_before], lines[reader.lines_before : len(lines) - (form.trailer is not None)]
    chosen = [number for number in range(len(rows)) if kept[number]]
    assert readings(form, [*before, *(rows[number] for number in chosen)], whole=False) == [
        readings(form, [sample(name)])[number] for number in chosen
    ]


def test_lines_are_records_only_where_nothing_else_has_to_be_looked_at() -> None:
    assert ViolationReader(BALANCES).lines_are_records
    for other in (replace(BALANCES, spanning=True), replace(BALANCES, first_line="^LIVE"), FIXED, CLOSED):
        assert not ViolationReader(other).lines_are_records
    assert [ViolationReader(form).lines_before for form in (BALANCES, FIXED, CLOSED, replace(BALANCES, first_line="^LIVE"))] == [1, 1, 0, 2]


def test_t01_some_lines_of_which_the_last_is_cut_are_refused() -> None:
    head, *lines = sample("balances").splitlines(keepends=True)
    with pytest.raises(Unreadable) as caught:
        readings(BALANCES, [head, lines[2][:-3]], whole=False)
    assert caught.value.code == "truncated"


def test_some_lines_may_have_the_trailer_among_them() -> None:
    lines = sample("closed").splitlines(keepends=True)
    assert len(readings(CLOSED, [lines[1], lines[-1]], whole=False)) == 1
    assert readings(CLOSED, [], whole=False) == []


def test_a_trailer_may_say_one_of_both() -> None:
    assert len(readings(CLOSED, [sample("closed").replace(b"77.50", b"77.50;;;;;;")])) == 3
    for trailer in (Trailer("TRL", (2, 0), None), Trailer("TRL", None, (3, 0))):
        assert len(readings(replace(CLOSED, trailer=trailer), [sample("closed")])) == 3


@given(st.integers(1, 300))
def test_memory_of_a_reader_has_bounds(count: int) -> None:
    """Rows are streamed: the first is there before the last chunk was asked for."""
    asked = 0

    def chunks() -> Iterator[bytes]:
        nonlocal asked
        yield HEADING.encode()
        for _ in range(count):
            asked += 1
            yield GOOD.encode()

    records = ViolationReader(VIOLATIONS).records(chunks())
    assert next(records)
    assert asked == 1
