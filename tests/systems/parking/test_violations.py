"""What a parking office's list says: the samples against their readings, every reason to reject a row, and what makes a whole list unfit."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.apart import read_apart
from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Fact, Standing, Violation
from bursarbridge.ledger.money import text_of
from bursarbridge.ports import Rejected
from bursarbridge.systems.parking.agreed import Trailer, ViolationForm
from bursarbridge.systems.parking.violations import ViolationReader
from tests.systems.parking.forms import ADDED, BALANCES, CLOSED, FIXED, FORMS, RELEASED, SAMPLES, TITLES, VIOLATIONS, readings, sample

HEADING = ",".join(TITLES) + "\n"
GOOD = '0012345,"Lindqvist, Maja",Student,PV-1,No Permit,10/03/2026,45.00,USD,Outstanding\n'
UNCLOSED = ("violations", "nasty", "balances", "added", "released")


def listed(*rows: str) -> bytes:
    """A list with the heading and these rows."""
    return "".join((HEADING, *rows)).encode()


def row(**changes: str) -> str:
    """A good row with some columns changed."""
    texts = dict(zip(TITLES, ("0012345", "Maja", "Student", "PV-1", "No Permit", "10/03/2026", "45.00", "USD", "Outstanding"), strict=True))
    texts |= {name.replace("_", " "): text for name, text in changes.items()}
    return ",".join('"' + text.replace('"', '""') + '"' for text in texts.values()) + "\n"


def only(content: bytes, form: ViolationForm = VIOLATIONS) -> Fact | Rejected:
    """What the one row of a list says."""
    (reading,) = readings(form, [content])
    return reading


def said(form: ViolationForm, content: bytes) -> Violation:
    """The same, as the violation it has to be."""
    reading = only(content, form)
    assert isinstance(reading, Violation), reading
    return reading


def code(content: bytes, form: ViolationForm = VIOLATIONS) -> str:
    """Why the one row is rejected."""
    reading = only(content, form)
    assert isinstance(reading, Rejected), reading
    return reading.code


def refusal(form: ViolationForm, content: bytes) -> Unreadable:
    """Why the whole list is refused."""
    with pytest.raises(Unreadable) as caught:
        readings(form, [content])
    return caught.value


@pytest.mark.parametrize("name", FORMS)
def test_every_sample_reads_as_the_golden_reading_beside_it(name: str) -> None:
    golden = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text("utf-8").splitlines()]
    assert [{type(reading).__name__.lower(): reading._asdict()} for reading in readings(FORMS[name], [sample(name)])] == golden


@pytest.mark.parametrize("name", FORMS)
def test_every_sample_reads_the_same_in_pieces_and_apart(name: str, tmp_path: Path) -> None:
    whole = readings(FORMS[name], [sample(name)])
    assert readings(FORMS[name], [bytes([one]) for one in sample(name)]) == whole
    (tmp_path / "kept").write_bytes(sample(name))
    apart = list(read_apart(partial(ViolationReader, FORMS[name]), tmp_path / "kept"))
    assert apart == whole
    assert [type(one.status) for one in apart if isinstance(one, Violation)] == [Standing for one in whole if isinstance(one, Violation)]


@pytest.mark.parametrize("name", FORMS)
def test_a_kept_row_says_the_same_again(name: str) -> None:
    reader = ViolationReader(FORMS[name])
    for reading in readings(FORMS[name], [sample(name)]):
        if isinstance(reading, Rejected) and reading.code != "national_id":
            with pytest.raises(Unreadable) as again:
                reader.fact(reader.revived(reading.raw))
            assert (again.value.code, str(again.value)) == (reading.code, reading.words)
    for odd in ("", "[]", '{"plate": "7ABC123"}', '{"id": 5}'):
        with pytest.raises(Unreadable, match="have the list sent again"):
            reader.revived(odd)


def test_a_kept_row_is_read_with_todays_settings() -> None:
    kept = only(listed(row(Status="Payment Plan")))
    assert isinstance(kept, Rejected)
    later = ViolationReader(replace(VIOLATIONS, statuses=(*VIOLATIONS.statuses, ("Payment Plan", "open"))))
    assert later.fact(later.revived(kept.raw)) == said(VIOLATIONS, listed(row()))


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


def test_d01_a_person_whose_id_is_not_one_waits_alone_and_the_list_goes_on() -> None:
    found = readings(VIOLATIONS, [listed(GOOD, row(Student_ID=""), row(Student_ID="123"), row(Student_ID="S1234"), GOOD)])
    assert [getattr(one, "code", "read") for one in found] == ["read", "account", "account_form", "account_form", "read"]


@pytest.mark.parametrize(
    "amount", ["1,045.00", "$45.00", "45.005", "4.5e1", "45,00", "", "-", "-0.01", "(45.00)", "45.00-", "٤٥.٠٠", "NaN", "1" * 10]
)
def test_d09_an_amount_that_is_not_plain_is_never_guessed(amount: str) -> None:
    reading = only(listed(row(Balance=amount)))
    assert isinstance(reading, Rejected) and reading.code == "amount"
    assert "column Balance" in reading.words


@given(st.integers(0, 99_999), st.sampled_from(["", " ", "0", "00000000000"]), st.sampled_from(["", "  "]))
def test_d09_every_plain_amount_is_exact(cents: int, before: str, after: str) -> None:
    text = f"{before}{text_of(cents)}{after}"
    assert said(VIOLATIONS, listed(row(Balance=text))).cents == cents
    assert said(replace(VIOLATIONS, point=False), listed(row(Balance=f"{before}{cents}{after}"))).cents == cents


@pytest.mark.parametrize("amount", ["45.00", "4,500", "", "4e3", "9" * 12])
def test_d09_an_amount_without_a_point_is_cents_or_nothing(amount: str) -> None:
    assert code(listed(row(Balance=amount)), replace(VIOLATIONS, point=False)) == "amount"


def test_d24_leading_zeros_and_letters_are_part_of_the_id() -> None:
    assert said(VIOLATIONS, listed(row(Student_ID="0000001"))).account == "0000001"
    assert said(VIOLATIONS, listed(row(Student_ID="A16229411"))).account == "A16229411"


@pytest.mark.parametrize("lost", ["12345", "1.2345E+4", "12345.0", "'0012345", "a16229411", "00012345", "٠٠١٢٣٤٥"])
def test_d24_an_id_that_a_spreadsheet_has_changed_waits(lost: str) -> None:
    assert code(listed(row(Student_ID=lost))) == "account_form"


@pytest.mark.parametrize("number", ["219-09-9999", "219 09 9999", "219099999", " 219-09-9999 "])
def test_a_national_id_is_kept_nowhere(number: str) -> None:
    reading = only(listed(row(Student_ID=number)))
    assert isinstance(reading, Rejected) and reading.code == "national_id"
    assert "219" not in repr(reading)
    assert "219" not in repr(
        only(listed(row(Student_ID=number)), replace(BALANCES, titles=TITLES, columns=(("id", (1, 0)), ("amount", (7, 0))), account_pattern="x"))
    )
    assert code(listed(row(Student_ID="219-09-9999")), replace(VIOLATIONS, account_pattern=".*")) == "national_id"
    shifted = only(listed(row(Balance="219-09-9999")))
    assert "219" not in repr(shifted)


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


@pytest.mark.parametrize(
    ("status", "amount", "standing", "cents"),
    [
        ("Outstanding", "45.00", Standing.OPEN, 4_500),
        ("Outstanding", "0.00", Standing.OPEN, 0),
        ("In Appeal", "45.00", Standing.DISPUTED, 4_500),
        ("Paid", "0", Standing.PAID, 0),
        ("Spoiled", "45.00", Standing.VOID, 0),
        (" Warning ", "45.00", Standing.WARNING, 0),
    ],
)
def test_what_each_status_owes(status: str, amount: str, standing: Standing, cents: int) -> None:
    found = said(VIOLATIONS, listed(row(Status=status, Balance=amount)))
    assert (found.status, found.cents) == (standing, cents)


def test_without_a_status_column_what_owes_is_open_and_what_does_not_is_paid() -> None:
    form = replace(VIOLATIONS, columns=tuple(one for one in VIOLATIONS.columns if one[0] != "status"), statuses=())
    assert said(form, listed(row(Status="Anything"))).status is Standing.OPEN
    assert said(form, listed(row(Balance="0.00"))).status is Standing.PAID


@pytest.mark.parametrize("amount", ["0.00", "45.00"])
def test_a_system_processed_payment_is_not_money(amount: str) -> None:
    assert code(listed(row(Status="System Processed", Balance=amount))) == "not_evidence"


def test_a_word_that_nobody_has_explained_releases_nobody() -> None:
    for word in ("", "paid", "PAID", "Payment Plan"):
        assert code(listed(row(Status=word, Balance="0.00"))) == "status"


def test_ready_made_lists_take_only_what_they_are_for() -> None:
    assert (
        code(b"Student/Staff ID,Total Amount Owed,User Type,Violation Type,Violation Date\n0012345,0.01,Student,No Permit,\n", RELEASED)
        == "wrong_list"
    )
    assert (
        code(b"Student/Staff ID,Total Amount Owed,User Type,Violation Type,Violation Date\n0012345,0.00,Student,No Permit,\n", ADDED) == "wrong_list"
    )
    assert readings(RELEASED, [sample("added")]) != readings(ADDED, [sample("added")])
    assert {getattr(one, "code", "read") for one in readings(RELEASED, [sample("added")])[:2]} == {"wrong_list"}


def test_a_limit_is_for_what_is_owed() -> None:
    assert code(listed(row(Balance="1000.01"))) == "over_limit"
    assert said(VIOLATIONS, listed(row(Balance="1000.00"))).cents == 100_000
    assert said(VIOLATIONS, listed(row(Balance="1000.01", Status="Spoiled"))).cents == 0


def test_another_currency_is_never_converted() -> None:
    assert code(listed(row(Currency="CAD"))) == code(listed(row(Currency=""))) == "currency"
    assert said(VIOLATIONS, listed(row(Currency=" USD "))).cents == 4_500


@pytest.mark.parametrize(
    "written", ["10/03/2026", "2026-10-03", "10/03/2026 14:07", "10/03/2026 2:07:09 PM", "2026-10-03T14:07:09.250", " 10/03/2026 "]
)
def test_a_time_of_day_is_not_read(written: str) -> None:
    assert said(VIOLATIONS, listed(row(Issued=written))).violated_on == "2026-10-03"


@pytest.mark.parametrize("written", ["10/3/2026", "02/30/2026", "03.10.2026", "20261003", "10/03/26", "10/03/2026 noon", "45932"])
def test_a_date_that_is_none_waits(written: str) -> None:
    assert code(listed(row(Issued=written))) == "date"


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12)


@given(st.lists(st.tuples(*[CELLS] * 9), max_size=5))
def test_every_row_is_a_violation_or_waits_whatever_it_holds(cells: list[tuple[str, ...]]) -> None:
    content = listed(*(",".join('"' + cell.replace('"', '""') + '"' for cell in one) + "\n" for one in cells))
    found = readings(VIOLATIONS, [content])
    assert len(found) == len(cells)
    for one in found:
        assert isinstance(one, Violation | Rejected) and one.cents >= 0


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
    assert reader.lines_are_records
    lines = sample(name).rstrip(b"\r\n").splitlines(keepends=True)
    before, rows = lines[: reader.lines_before], lines[reader.lines_before : len(lines) - (form.trailer is not None)]
    chosen = [number for number in range(len(rows)) if kept[number]]
    assert readings(form, [*before, *(rows[number] for number in chosen)], whole=False) == [
        readings(form, [sample(name)])[number] for number in chosen
    ]
    assert not ViolationReader(replace(form, spanning=True)).lines_are_records or not form.delimiter


def test_some_lines_may_have_the_trailer_among_them() -> None:
    lines = sample("closed").splitlines(keepends=True)
    assert len(readings(CLOSED, [lines[1], lines[-1]], whole=False)) == 1
    assert readings(CLOSED, [], whole=False) == []


def test_a_trailer_may_say_one_of_both() -> None:
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
