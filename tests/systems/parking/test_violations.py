"""What a row of a parking office's list says: the samples against their readings, and every reason to reject a row."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursarbridge.apart import read_apart
from bursarbridge.errors import Unreadable
from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.money import text_of
from bursarbridge.ports import Rejected
from bursarbridge.systems.parking.violations import ViolationReader
from tests.systems.parking.forms import (
    ADDED,
    BALANCES,
    FORMS,
    GOOD,
    RELEASED,
    SAMPLES,
    TITLES,
    VIOLATIONS,
    code,
    listed,
    only,
    readings,
    row,
    said,
    sample,
)


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
