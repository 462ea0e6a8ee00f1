"""Charge files: byte for byte as published, and what refuses to become a line."""

from dataclasses import replace

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats.layout import shipped
from bursarbridge.formats.shape import Layout
from bursarbridge.ledger.entries import Kind
from bursarbridge.ports import Line
from bursarbridge.systems.peoplesoft.charges import ChargeDestination, ChargeRow, charges_in
from bursarbridge.systems.peoplesoft.coding import due_date
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, DueKind, DueRule, TermBy, checked
from tests.systems.peoplesoft.samples import GOLDEN, HEADING, document, line, settings, three

PUBLISHED = [
    ("princeton-charges", Kind.CHARGE, "EXCCD", ""),
    ("princeton-credits", Kind.CREDIT, "EXCCD", ""),
    ("cornell-charges", Kind.CHARGE, "EXCCD", ""),
    ("asu-charges", Kind.CHARGE, "EXCCD", ""),
    ("asu-reversals", Kind.CREDIT, "EXCCD", ""),
    ("uta-charges", Kind.CHARGE, "UTARL", "1"),
    ("humboldt-charges", Kind.CHARGE, "EXCCD", ""),
    ("generic-charges", Kind.CHARGE, "EXCCD", ""),
]


def refusal(chosen: ChargeSettings, entry: Line) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        ChargeDestination(chosen).writer(HEADING).line(entry)
    return caught.value


@pytest.mark.parametrize(("name", "kind", "unit", "before"), PUBLISHED)
def test_golden_byte_for_byte(name: str, kind: Kind, unit: str, before: str) -> None:
    written = document(checked(settings(name, unit)), three(kind.value, before), kind)
    assert written == (GOLDEN / f"{name}.txt").read_bytes()


@pytest.mark.parametrize(("name", "kind", "unit", "before"), PUBLISHED)
def test_golden_reads_back_to_the_cent(name: str, kind: Kind, unit: str, before: str) -> None:
    rows = list(charges_in(shipped(name), [(GOLDEN / f"{name}.txt").read_bytes()]))
    assert [(row.account, row.cents) for row in rows] == [(entry.account, entry.cents) for entry in three(kind.value, before)]


def test_a_generic_line_reads_back_whole() -> None:
    row = next(charges_in(shipped("generic-charges"), [(GOLDEN / "generic-charges.txt").read_bytes()]))
    assert row == ChargeRow("012345678", 1000, "240000012000", "2267", "2026-12-25", "L0000000017", "Library overdue", "charge", "2026-11-21")


def test_generic_credits_are_positive_and_flagged() -> None:
    written = document(settings("generic-charges"), three("credit"), Kind.CREDIT)
    assert [row.direction for row in charges_in(shipped("generic-charges"), [written])] == ["credit"] * 3
    assert b"0000000005010.81" in written.splitlines()[0]


def test_d29_control_totals_that_do_not_match_stop_the_file() -> None:
    golden = (GOLDEN / "generic-charges.txt").read_bytes()
    for changed in (golden.replace(b"0000000000010.00", b"0000000000010.01"), b"".join(golden.splitlines(keepends=True)[i] for i in (0, 1, 2, 4))):
        with pytest.raises(Unreadable, match=r"\$5,010\.8") as caught:
            list(charges_in(shipped("generic-charges"), [changed]))
        assert caught.value.code == "control_total"


def test_d31_an_unmapped_fee_type_is_refused_with_a_cure() -> None:
    error = refusal(settings("generic-charges"), line("900000014", 100, "CUSTOMER_DEFINED_01", 1))
    assert error.code == "unmapped_fee_type"
    assert 'fee type "CUSTOMER_DEFINED_01"' in str(error)
    assert "[[bursar.item_types]]" in str(error)
    assert "valid on 2026-11-21" in str(refusal(settings("generic-charges"), line("900000014", 100, "RETIRED", 1)))


def test_no_term_and_no_due_rule_are_refused() -> None:
    chosen = settings("generic-charges")
    assert refusal(replace(chosen, terms=()), three()[0]).code == "no_term"
    assert refusal(replace(chosen, due_rules=()), three()[0]).code == "no_due_date_rule"
    assert refusal(replace(chosen, term_by=TermBy.ASSESSED, terms=chosen.terms[1:]), three()[0]).code == "no_term"
    later = replace(chosen, due_rules=(DueRule("2027-01-01", DueKind.NONE),))
    assert refusal(later, three()[0]).code == "no_due_date_rule"


def test_the_term_follows_the_chosen_date() -> None:
    def term(term_by: TermBy) -> str:
        written = document(replace(settings("generic-charges"), term_by=term_by), three()[:1])
        return next(charges_in(shipped("generic-charges"), [written])).term

    assert [term(by) for by in (TermBy.MADE, TermBy.ASSESSED, TermBy.BLANK)] == ["2267", "2264", ""]


@pytest.mark.parametrize(
    ("rule", "made_on", "due_on"),
    [
        (DueRule("2020-01-01", DueKind.DAYS_AFTER, 30), "2026-12-15", "2027-01-14"),
        (DueRule("2020-01-01", DueKind.DAY_OF_NEXT_MONTH, 25), "2026-11-25", "2026-12-25"),
        (DueRule("2020-01-01", DueKind.DAY_OF_NEXT_MONTH, 25), "2026-11-26", "2027-01-25"),
        (DueRule("2020-01-01", DueKind.DAY_OF_NEXT_MONTH, 25), "2026-12-03", "2027-01-25"),
        (DueRule("2020-01-01", DueKind.DAY_OF_NEXT_MONTH, 25), "2026-12-31", "2027-02-25"),
        (DueRule("2020-01-01", DueKind.NONE), "2026-12-31", ""),
    ],
)
def test_due_dates(rule: DueRule, made_on: str, due_on: str) -> None:
    assert due_date(rule, made_on) == due_on


def test_d07_d08_zero_and_negative_amounts_never_stand_in_a_charge_file() -> None:
    for cents in (0, -1, -500):
        assert refusal(settings("generic-charges"), line("900000014", cents, "LOST", 1)).code == "amount"


def test_d10_an_amount_above_the_limit_is_refused() -> None:
    error = refusal(settings("generic-charges"), line("900000014", 500_001, "LOST", 1))
    assert error.code == "amount_over_limit"
    assert "$5,000.01" in str(error)
    assert "$5,000.00" in str(error)


def test_d10_overflow_is_too_wide_and_never_shifts_columns() -> None:
    for name, most in (("humboldt-charges", 999_999), ("cornell-charges", 99_999_999), ("asu-charges", 999_999_999)):
        chosen = replace(settings(name), amount_max_cents=10**18)
        width = len(document(chosen, [line("900000014", most, "LOST", 1)]).splitlines()[-1])
        assert width in (41, 75, 97)
        for cents in (most + 1, 10**18):
            error = refusal(chosen, line("900000014", cents, "LOST", 1))
            assert (error.code, error.where) == ("too_wide", "field amount")
            assert "room for" in error.words


def test_too_wide_names_field_width_and_limit() -> None:
    long = three()[0]._replace(account="123456789012")
    error = refusal(settings("generic-charges"), long)
    assert (error.code, error.where) == ("too_wide", "field account")
    assert "12 characters" in error.words
    assert "room for 11" in error.words
    assert refusal(settings("generic-charges"), long._replace(account="1", reference="R" * 31)).where == "field reference"
    assert refusal(replace(settings("asu-charges"), description="x" * 99), long._replace(account="1", reference="R" * 32)).code == "too_wide"


def test_an_id_of_another_length_is_not_padded() -> None:
    for name in ("princeton-charges", "humboldt-charges", "uta-charges"):
        error = refusal(settings(name), line("12345678", 100, "LOST", 1))
        assert (error.code, error.where) == ("too_narrow", "field account")


def test_l9_l10_no_thousands_separator_and_no_placeholder_ever_stands_in_a_file() -> None:
    written = document(settings("generic-charges"), three())
    assert b"," not in written
    assert b"[" not in written
    assert refusal(settings("generic-charges"), line("", 100, "LOST", 1)).code == "blank"


@pytest.mark.parametrize("words", ["Lost item\n", "Lost\titem", "Größe", "a\x00b", "\x85"])
def test_d26_line_ends_controls_and_foreign_letters_stay_out_of_fixed_text(words: str) -> None:
    error = refusal(replace(settings("generic-charges"), description=words), three()[0])
    assert (error.code, error.where) == ("characters", "field description")


def test_one_kind_per_file() -> None:
    assert refusal(settings("generic-charges"), three("credit")[0]).code == "mixed_kinds"


def test_the_description_may_name_office_and_fee() -> None:
    chosen = replace(settings("generic-charges"), description="{label} {office}")
    written = document(chosen, three()[:1])
    assert next(charges_in(shipped("generic-charges"), [written])).description == "Library overdue MAIN"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"description": "{title}"}, "titles, plates and names are not sent"),
        ({"description": "{plate}"}, "titles, plates and names are not sent"),
        ({"description": "{label!r}"}, "takes no format"),
        ({"description": "{"}, "unbalanced"),
        ({"description": "{label.__class__}"}, "unknown"),
        ({"name": "libfines.dat"}, "{sequence}"),
        ({"name": "{sequence}_{person}.dat"}, "person"),
        ({"name": "{sequence:zz}.dat"}, "format"),
        ({"name": "../{sequence}.dat"}, "characters beyond"),
        ({"name": "{business_unit}_" + "x" * 30 + "{sequence}.dat"}, "room for 30"),
        ({"amount_max_cents": 0}, "above 0.00"),
        ({"due_rules": (DueRule("2020-01-01", DueKind.DAY_OF_NEXT_MONTH, 31),)}, "1 to 28"),
        ({"layout": shipped("asu-payments")}, "paid_amount"),
    ],
)
def test_faults_in_settings_are_named(change: dict[str, str | int | tuple[DueRule, ...] | Layout], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        checked(replace(settings("generic-charges"), **change))  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_names_are_unique_per_sequence() -> None:
    destination = ChargeDestination(settings("generic-charges"))
    names = {destination.name(sequence, HEADING.made_at, HEADING.made_on) for sequence in range(1, 100)}
    assert len(names) == 99
    assert destination.name(42, HEADING.made_at, HEADING.made_on) == HEADING.name
    assert ChargeDestination(settings("generic-charges"), Kind.CREDIT).name(42, HEADING.made_at, HEADING.made_on) != HEADING.name
