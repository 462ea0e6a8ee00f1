"""Credit files: each dialect byte for byte, the original repeated where it is wanted, and the rules that split files."""

from dataclasses import replace

import pytest

from bursarbridge.errors import Unreadable
from bursarbridge.formats.layout import shipped
from bursarbridge.ports import ControlTotal, Line, Original, Parcel
from bursarbridge.systems.peoplesoft.charges import charges_in
from bursarbridge.systems.peoplesoft.credits import CreditDestination
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, CreditAs, TermBy
from tests.systems.peoplesoft.samples import GOLDEN, HEADING, line, settings, three

TODAY = HEADING.made_on
AUGUST = Original("2026-08-10", "2026-08-10", 0)
DIALECTS = [
    *((dialect, "generic-charges") for dialect in CreditAs),
    (CreditAs.REVERSAL_FLAG, "asu-reversals"),
    (CreditAs.CREDIT_ITEM_TYPE, "cornell-charges"),
]


def speaking(dialect: CreditAs, layout: str = "generic-charges") -> ChargeSettings:
    chosen = settings(layout)
    return replace(chosen, item_types=tuple(replace(one, credit_as=dialect) for one in chosen.item_types))


def credits_of_three() -> list[Line]:
    return [one._replace(original=AUGUST._replace(cents=one.cents)) for one in three("credit")]


def parcels(chosen: ChargeSettings, lines: list[Line]) -> list[Parcel]:
    return CreditDestination(chosen).parcels(lines, TODAY)


def written(parcel: Parcel) -> bytes:
    writer = parcel.destination.writer(HEADING)
    total = ControlTotal(len(parcel.lines), sum(one.cents for one in parcel.lines))
    return (writer.head(total) + "".join(map(writer.line, parcel.lines)) + writer.tail(total)).encode(parcel.destination.encoding)


def refusal(chosen: ChargeSettings, entry: Line) -> Unreadable:
    (parcel,) = parcels(chosen, [entry])
    with pytest.raises(Unreadable) as caught:
        written(parcel)
    return caught.value


@pytest.mark.parametrize(("dialect", "layout"), DIALECTS)
def test_golden_byte_for_byte(dialect: CreditAs, layout: str) -> None:
    (parcel,) = parcels(speaking(dialect, layout), credits_of_three())
    assert written(parcel) == (GOLDEN / f"credits-{dialect}-{layout}.txt").read_bytes()


@pytest.mark.parametrize(
    ("dialect", "item_type", "term", "direction", "cents"),
    [
        (CreditAs.CREDIT_ITEM_TYPE, "820000206129", "2267", "credit", 1000),
        (CreditAs.REVERSAL_FLAG, "240000012000", "2264", "credit", 1000),
        (CreditAs.REVERSAL_EXACT, "240000012000", "2264", "credit", 1000),
        (CreditAs.NEGATIVE_AMOUNT, "240000012000", "2264", "charge", -1000),
    ],
)
def test_what_each_dialect_repeats_of_the_original(dialect: CreditAs, item_type: str, term: str, direction: str, cents: int) -> None:
    (parcel,) = parcels(speaking(dialect), credits_of_three())
    row = next(charges_in(shipped("generic-charges"), [written(parcel)]))
    assert (row.item_type, row.term, row.direction, row.cents, row.reference) == (item_type, term, direction, cents, "L0000000017")


def test_a_reversal_has_the_item_type_of_its_charge_even_when_that_is_retired() -> None:
    old = line("012345678", 500, "RETIRED", 1, "credit")._replace(original=Original("2026-06-20", "2026-06-20", 500))
    (parcel,) = parcels(speaking(CreditAs.REVERSAL_FLAG), [old])
    assert next(charges_in(shipped("generic-charges"), [written(parcel)])).item_type == "240000012002"
    assert refusal(speaking(CreditAs.CREDIT_ITEM_TYPE), old).code == "unmapped_fee_type"


def test_the_term_of_a_reversal_follows_the_charge_as_it_was_coded() -> None:
    for term_by, term in ((TermBy.ASSESSED, "2264"), (TermBy.BLANK, "")):
        (parcel,) = parcels(replace(speaking(CreditAs.REVERSAL_FLAG), term_by=term_by), credits_of_three())
        assert next(charges_in(shipped("generic-charges"), [written(parcel)])).term == term


def test_dialects_never_share_a_document() -> None:
    chosen = settings("generic-charges")
    first, second, third = chosen.item_types
    mixed = replace(chosen, item_types=(replace(first, credit_as=CreditAs.NEGATIVE_AMOUNT), replace(second, credit_as=CreditAs.REVERSAL_FLAG), third))
    assert [[one.cents for one in parcel.lines] for parcel in parcels(mixed, credits_of_three())] == [[82, 499_999], [1000]]


def test_exact_reversals_stand_one_a_student_term_and_item_type_in_a_file() -> None:
    chosen = speaking(CreditAs.REVERSAL_EXACT)
    same = [line("012345678", 500 + at, "LOST", at + 1, "credit")._replace(original=AUGUST._replace(cents=500 + at)) for at in range(3)]
    other_term = line("012345678", 700, "LOST", 9, "credit")._replace(original=Original("2026-09-01", "2026-09-01", 700))
    found = parcels(chosen, [*same, other_term])
    assert [[one.cents for one in parcel.lines] for parcel in found] == [[500, 700], [501], [502]]
    assert all(written(parcel) for parcel in found)


@pytest.mark.parametrize(("sent_on", "files"), [("2026-11-20", 1), (TODAY, 0), ("2026-11-22", 0)])
def test_an_exact_reversal_waits_until_the_day_after_its_charge_was_sent(sent_on: str, files: int) -> None:
    entry = line("012345678", 500, "LOST", 1, "credit")._replace(original=Original("2026-11-20", sent_on, 500))
    assert len(parcels(speaking(CreditAs.REVERSAL_EXACT), [entry])) == files


def test_an_exact_reversal_of_another_amount_is_refused_with_the_way_out() -> None:
    error = refusal(speaking(CreditAs.REVERSAL_EXACT), line("012345678", 450, "LOST", 1, "credit")._replace(original=AUGUST._replace(cents=500)))
    assert error.code == "not_whole"
    assert "$4.50" in error.words and "$5.00" in error.words


@pytest.mark.parametrize(
    ("dialect", "layout"),
    [
        (CreditAs.REVERSAL_FLAG, "humboldt-charges"),
        (CreditAs.REVERSAL_EXACT, "cornell-charges"),
        (CreditAs.NEGATIVE_AMOUNT, "cornell-charges"),
        (CreditAs.NEGATIVE_AMOUNT, "princeton-credits"),
        (CreditAs.REVERSAL_FLAG, "asu-charges"),
    ],
)
def test_a_layout_that_cannot_tell_a_credit_from_a_charge_is_never_written(dialect: CreditAs, layout: str) -> None:
    entry = line("012345678", 500, "LOST", 1, "credit")._replace(original=AUGUST._replace(cents=500))
    assert refusal(speaking(dialect, layout), entry).code == "credit_layout"


def test_a_credit_item_type_that_is_the_charges_own_needs_a_flag() -> None:
    entry = line("012345678", 500, "LOST", 1, "credit")
    for layout, lawful in (("humboldt-charges", False), ("princeton-credits", True)):
        chosen = settings(layout)
        chosen = replace(chosen, item_types=tuple(replace(one, credit=one.charge) for one in chosen.item_types))
        if lawful:
            (parcel,) = parcels(chosen, [entry])
            assert b" Y " in written(parcel)
        else:
            assert refusal(chosen, entry).code == "credit_layout"


def test_a_charge_never_stands_among_credits() -> None:
    assert refusal(speaking(CreditAs.REVERSAL_FLAG), three()[0]).code == "mixed_kinds"
