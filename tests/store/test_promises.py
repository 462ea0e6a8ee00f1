"""What the database itself refuses, whoever asks (I2, I6), and the identity of every delivery's tally (I5)."""

import json

import pytest
import sqlalchemy as sa

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.store import moves
from bursarbridge.store.tally import ENDS
from tests.campus import Campus, campus_in_memory
from tests.campus_files import Answer, Fee, Paid, credit
from tests.flows.scenes import on_account, reported

FACTS = ("entry", "cause", "arrival", "obligation", "delivery", "batch_line", "credit")


def _lived(campus: Campus) -> None:
    on_account(campus, Fee("900", 500), Fee("901", 500))
    reported(campus, ("900", 200))
    campus.export(credit("c1", 500))
    campus.credits()


@pytest.mark.parametrize("table", FACTS)
def test_i2_no_fact_can_be_deleted(table: str) -> None:
    with campus_in_memory() as campus:
        _lived(campus)
        with campus.books(writing=True) as books:
            assert books.one(f"select count(*) from {table}") > 0
            with pytest.raises(sa.exc.IntegrityError, match="facts are append-only"):
                books.do(f"delete from {table}")


@pytest.mark.parametrize(
    "change",
    [
        "entry set cents = cents + 1",
        "entry set cents = cents",
        "cause set words = 'x'",
        "arrival set name = 'x'",
        "obligation set cents = 1",
        "obligation set account = 'x'",
        "delivery set sha256 = 'x'",
        "delivery set as_of = '1'",
        "batch_line set cents = 1",
        "batch_line set obligation_id = 1",
        "batch_line set to_place = 1",
        "credit set cents = 1",
        "credit set account = 'x'",
    ],
)
def test_i2_no_fact_can_be_changed(change: str) -> None:
    with campus_in_memory() as campus:
        _lived(campus)
        with campus.books(writing=True) as books, pytest.raises(sa.exc.IntegrityError, match="facts are append-only"):
            books.do(f"update {change}")


@pytest.mark.parametrize(
    "entry",
    [
        Entry(Place.BURSAR, Place.PAID, 501, Kind.PAYMENT),
        Entry(Place.PAID, Place.SETTLED, 1, Kind.PAYMENT),
        Entry(Place.SOURCE, Place.BURSAR, 1, Kind.CHARGE),
    ],
)
def test_i6_no_place_goes_below_zero(entry: Entry) -> None:
    with campus_in_memory() as campus:
        on_account(campus, Fee("900", 500))
        before = campus.place_of("900")
        with pytest.raises((sa.exc.IntegrityError, AssertionError)), campus.books(writing=True) as books:
            cause = books.cause("person")
            moves.begin(books)
            moves.plan(books, [(1, entry)])
            moves.carry_out(books, cause)
        assert campus.place_of("900") == before
        assert campus.unexplained() == 0


@pytest.mark.parametrize("entry", ["1, 3, 3, 5", "1, 3, 4, 0", "1, 3, 4, -5", "1, 3, 8, 5", "99, 3, 4, 5"])
def test_i1_an_entry_that_makes_no_sense_is_refused(entry: str) -> None:
    with campus_in_memory() as campus:
        on_account(campus, Fee("900", 500))
        with pytest.raises(sa.exc.IntegrityError), campus.books(writing=True) as books:
            books.do(f"insert into entry (obligation_id, from_place, to_place, cents, kind, cause_id) values ({entry}, 'payment', 1)")


def test_i3_a_name_stands_for_one_obligation() -> None:
    with campus_in_memory() as campus:
        on_account(campus, Fee("900", 500))
        with pytest.raises(sa.exc.IntegrityError), campus.books(writing=True) as books:
            books.do(
                "insert into obligation (source_id, source_reference, account, category, cents, assessed_on, item, owner, extra, cause_id) "
                "values (1, '900', 'x', 'x', 1, '', '', '', '', 1)"
            )


def test_i5_read_is_the_sum_of_its_ends_for_every_delivery() -> None:
    with campus_in_memory() as campus:
        document = on_account(campus, Fee("900", 500), Fee("901", 100), Fee("900", 500), Fee("901", 1), Fee("902", 0), Fee("903", 9, "bad"))
        reported(campus, ("900", 700), ("901", 40), ("901", 60))
        campus.later(hours=1)
        campus.report(Paid("nobody", 5), Paid(campus.reference("900"), 700), Paid(campus.reference("901"), 30, "7654321"))
        campus.answer(Answer("POSTED", document), Answer("POSTED", "other.dat"), Answer("REFUSED", document, campus.reference("900")))
        campus.payments()
        with campus.books() as books:
            found = books.rows("select name, records, record_cents, tally from delivery order by id")
        assert [(row[1], row[2]) for row in found if row[0].startswith(("export", "payments"))] == [(6, 1110), (3, 800), (3, 735)]
        for name, records, cents, text in found:
            tally = json.loads(text)
            assert sum(tally[end]["count"] for end in ENDS) == records == tally["read"]["count"], name
            assert sum(tally[end]["cents"] for end in ENDS) == cents == tally["read"]["cents"], name
