"""Everything the store does, on SQLite and on PostgreSQL: the same story with the same figures. Charges first, then every kind of payment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from bursarbridge.flows import posters
from bursarbridge.ledger.posting import Standing
from bursarbridge.ledger.reference import reference_of
from bursarbridge.store import books as books_room
from bursarbridge.store import opening, views
from bursarbridge.store.books import Books
from tests.campus import SNAPSHOT, Campus, Changes, campus_in_memory, counted
from tests.campus_files import TAM, WREN, Answer, Fee, Paid, credit

Found = Callable[..., Campus]

FEES = (
    Fee("11", 8500, WREN, "LOSTITEMREPLACEMENTFEE"),
    Fee("12", 1550, WREN, "LOSTITEMPROCESSFEE"),
    Fee("13", 82, TAM),
    Fee("14", 1000, TAM),
    Fee("15", 4225, TAM, "DAMAGEDITEMFINE"),
    Fee("16", 700, TAM, "CUSTOMER_DEFINED_01"),
    Fee("17", 0, TAM),
    Fee("13", 82, TAM),
)
"""Six with an amount, of them one without an item type; one of 0.00; one twice."""


@pytest.fixture(params=["sqlite", "postgresql"])
def found(request: pytest.FixtureRequest) -> Iterator[Found]:
    """Founds campuses on one of the databases."""
    with ExitStack() as stack:

        def of(changes: Changes = ()) -> Campus:
            campus = stack.enter_context(campus_in_memory(changes))
            if request.param == "postgresql":
                campus.ledger.dispose()
                campus.ledger = opening.open_engine(request.getfixturevalue("pg_address"))
                opening.migrate(campus.ledger)
            return campus

        yield of


@pytest.fixture
def campus(found: Found) -> Campus:
    """A campus after its first evening, on which the bursar posted everything."""
    campus = found()
    campus.export(*FEES)
    campus.charges()
    (document,) = campus.charge_files()
    campus.later(hours=8)
    campus.answer(Answer("RECEIVED", document, cents=15_357, lines=5), Answer("POSTED", document, cents=15_357, lines=5))
    assert campus.payments()["outcome"] == "completed"
    return campus


def test_charges_out_and_their_results(campus: Campus) -> None:
    assert campus.places() == {"bursar": 15_357, "source": 700}
    assert campus.codes() == ["unmapped_fee_type"]
    campus.export(Fee("11", 5800, WREN, "LOSTITEMREPLACEMENTFEE"), Fee("18", 300), name="again.xml")
    summary = campus.charges()
    assert [counted(summary, end) for end in ("read", "conflicts", "sent")] == [(2, 6100), (1, 5800), (1, 300)]
    assert summary["deliveries"][0]["tally"]["posted"] == {"count": 1, "cents": 300}
    assert _plain(summary)
    _nothing_unexplained(campus)


def test_lines_refused_resent_withdrawn_and_kept(campus: Campus) -> None:
    campus.export(Fee("21", 100), Fee("22", 200), Fee("23", 300), Fee("11", 1, WREN, "LOSTITEMREPLACEMENTFEE"))
    campus.charges()
    document = list(campus.charge_files())[-1]
    campus.answer(
        Answer("REFUSED", document, campus.reference("21"), 100, reason="Invalid Term"),
        Answer("REFUSED", document, campus.reference("22"), 200, reason="no such thing"),
        Answer("POSTED", document, campus.reference("23"), 300),
        Answer("POSTED", document, "L0000000000"),
        Answer("POSTED", "OTHER_FILE"),
    )
    campus.payments()
    assert campus.codes() == ["unmapped_fee_type", "conflict", "refused_invalid_term", "refused_other", "answer_unknown_line", "answer_unknown_file"]
    numbers = {item.code: item.id for item in campus.items()}
    campus.resolve(numbers["conflict"], "keep")
    campus.resolve(numbers["refused_invalid_term"], "resend")
    campus.resolve(numbers["refused_other"], "withdraw")
    campus.resolve(numbers["answer_unknown_file"], "dismiss")
    campus.later(hours=1)
    summary = campus.charges()
    assert counted(summary, "sent") == (1, 100)
    assert campus.place_of("22") == {} and campus.place_of("21") == {"in_transit": 100}
    campus.answer(Answer("NOT_POSTED", list(campus.charge_files())[-1], reason="Do Not Post"))
    campus.payments()
    assert campus.place_of("21") == {"source": 100}
    _nothing_unexplained(campus)


def test_payments_of_every_kind(campus: Campus) -> None:
    ours = {fee.reference: campus.reference(fee.reference) for fee in FEES}
    campus.report(
        Paid(ours["11"], 8500), Paid(ours["14"], 400, TAM), Paid("L0000000000", 5), Paid(ours["15"], 4225, WREN), Paid(ours["16"], 700, TAM)
    )
    first = campus.payments()
    assert counted(first, "sent") == (2, 8900)
    assert campus.codes() == ["unmapped_fee_type", "payment_unknown", "payment_other_person", "payment_before_charge"]
    assert campus.alma_takes() == 1
    campus.later(hours=1)
    over, twice = Paid(ours["12"], 2000), Paid(ours["14"], 200, TAM)
    campus.report(Paid(ours["14"], 400, TAM), twice, twice, over, Paid(ours["13"], 82, TAM), Paid(ours["13"], -82, TAM), Paid(ours["16"], 700, TAM))
    second = campus.payments()
    assert second["confirmed_lines"] == 2 and counted(second, "sent") == (2, 1950)
    assert campus.place_of("12") == {"in_transit": 1550, "student_credit": 450}
    assert "payment_vanished" in campus.codes()
    campus.later(hours=1)
    campus.alma_takes()
    campus.report(Paid(ours["14"], 400, TAM), Paid(ours["12"], 500), Paid(ours["11"], 8500))
    campus.payments()
    assert campus.place_of("12") == {"bursar": 1050, "settled": 500} and campus.place_of("14") == {"bursar": 600, "settled": 400}
    assert "reopened" in campus.codes() and "payment_vanished" not in [i.code for i in campus.items() if i.reference == "11"]
    _nothing_unexplained(campus)


def test_what_people_decide_about_payments(campus: Campus) -> None:
    ours = {fee.reference: campus.reference(fee.reference) for fee in FEES}
    campus.report(Paid(ours["11"], 8500), Paid(ours["15"], 4225, WREN))
    campus.payments()
    campus.alma_takes()
    campus.later(hours=1)
    campus.report(Paid(ours["11"], 8500), Paid(ours["11"], 100), Paid(ours["15"], 4225, WREN))
    campus.payments()
    campus.resolve({item.code: item.id for item in campus.items()}["payment_for_closed"], "credit")
    campus.later(hours=1)
    campus.report(Paid(ours["15"], 4225, WREN))
    campus.payments()
    numbers = {item.code: item.id for item in campus.items()}
    campus.resolve(numbers["payment_other_person"], "accept")
    campus.resolve(numbers["payment_vanished"], "reversed")
    assert campus.place_of("15") == {"paid": 4225} and campus.place_of("11") == {"bursar": 8500}
    _nothing_unexplained(campus)


def test_credits_of_every_kind(campus: Campus) -> None:
    campus.report(Paid(campus.reference("15"), 4225, TAM))
    campus.payments()
    campus.later(hours=1)
    campus.export(
        credit("c1", 8500), credit("c2", 1000, account=TAM), credit("c3", 1000, account=TAM, comment="bursar"), credit("c4", 40, account=TAM),
        credit("c5", 4225, account=TAM), credit("c1", 8500), credit("c1", 1), credit("c6", 700, account=TAM), credit("c7", 5, "B9"),
    )  # fmt: skip
    summary = campus.credits()
    ends = [counted(summary, end) for end in ("read", "sent", "noted", "already", "conflicts", "suspended")]
    assert ends == [(9, 23_971), (2, 9500), (1, 1000), (1, 8500), (1, 1), (3, 4270)]
    assert campus.place_of("16") == {"settled": 700} and campus.place_of("11") == {"in_transit": 8500}
    assert campus.codes() == ["credit_unmatched", "credit_unmatched", "conflict", "credit_before_charge"]
    campus.resolve(campus.items()[0].id, "dismiss")
    campus.resolve(campus.items()[0].id, "apply", f"for {campus.reference('15')}")
    assert campus.codes() == ["conflict", "credit_before_charge", "refund_question"]
    assert campus.place_of("15") == {"in_transit": 4225, "student_credit": 4225}
    (document,) = campus.credit_files()
    campus.answer(Answer("REFUSED", document, campus.reference("11"), 8500, reason="Invalid Term"), Answer("POSTED", document, cents=1000, lines=1))
    campus.credits()
    assert campus.place_of("11") == {"waived": 8500} and campus.place_of("14") == {"settled": 1000}
    campus.resolve(campus.items()[-1].id, "withdraw")
    assert campus.place_of("11") == {"bursar": 8500}
    _nothing_unexplained(campus)


def test_snapshots(found: Found) -> None:
    campus = found(SNAPSHOT)
    campus.export(*FEES)
    campus.charges()
    ours = campus.reference("11")
    late = campus.report_name()
    campus.later(hours=1)
    campus.snapshot(Paid(ours, 500), Paid(campus.reference("13"), 0, TAM))
    assert counted(campus.payments(), "sent") == (1, 500)
    campus.later(hours=1)
    campus.snapshot(Paid(ours, 9999), name=late)
    assert counted(campus.payments(), "already") == (1, 9999)
    assert campus.place_of("11") == {"bursar": 8000, "in_transit": 500} and campus.place_of("13") == {"bursar": 82}
    _nothing_unexplained(campus)


def test_more_rows_than_a_chunk(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books_room, "CHUNK", 3)
    monkeypatch.setattr(posters, "CHUNK", 3)
    campus = found()
    fees = [Fee(str(number), number) for number in range(1, 11)]
    campus.export(*fees, *fees[:4], Fee("5", 500))
    summary = campus.charges()
    assert [counted(summary, end) for end in ("read", "sent", "already", "conflicts")] == [(15, 565), (10, 55), (4, 10), (1, 500)]
    assert [line.cents for line in next(iter(campus.charge_files().values()))] == list(range(1, 11))
    campus.report(*[Paid(campus.reference(fee.reference), fee.cents) for fee in reversed(fees)])
    assert counted(campus.payments(), "sent") == (10, 55)
    _nothing_unexplained(campus)


def test_every_view(campus: Campus) -> None:
    campus.report(Paid(campus.reference("11"), 100))
    campus.payments()
    with campus.books() as books:
        (eleven,) = views.obligations(books, reference_of("L", 1).lower())
        assert (eleven.source_reference, eleven.standing) == ("11", Standing(in_transit=100, bursar=8400))
        assert [event.cents for event in eleven.history] == [8500, 8500, 8500, 100, 100] and eleven.in_flight[0].cents == 100
        assert len(views.obligations(books, TAM)) == 5
        assert [batch.state for batch in views.batches(books, only_open=False)] == ["POSTED", "SENT"]
        assert [batch.late for batch in views.batches(books, only_open=True)] == [False]
        (item,) = views.items(books)
        assert views.item(books, item.id) == item and item.blocks is True and views.item(books, 999) is None
        assert [run.outcome for run in views.last_runs(books)] == ["completed_with_exceptions", "completed"]
        assert [(file.direction, file.lines) for file in views.files(books)] == [("in", 8), ("out", 5), ("in", 2), ("in", 1), ("out", 1)]
        seen: list[object] = [views.places(books), eleven, views.items(books), views.batches(books, only_open=False), views.files(books)]
    assert all("Decimal" not in repr(one) for one in seen)


@pytest.mark.parametrize(
    "statement",
    [
        "update entry set cents = cents + 1",
        "delete from entry",
        "update obligation set cents = 1",
        "delete from obligation",
        "update cause set words = 'x'",
        "delete from arrival",
        "update delivery set sha256 = 'x'",
        "delete from delivery",
        "update batch_line set cents = 1",
        "update position set cents = -1",
        "insert into entry (obligation_id, from_place, to_place, cents, kind, cause_id) values (1, 0, 1, 0, 'charge', 1)",
        "insert into entry (obligation_id, from_place, to_place, cents, kind, cause_id) values (999, 0, 1, 5, 'charge', 1)",
        "update batch set state = 'LOST'",
    ],
)
def test_the_database_itself_refuses(campus: Campus, statement: str) -> None:
    before = campus.places()
    with pytest.raises(sa.exc.DBAPIError), campus.ledger.begin() as connection:
        connection.exec_driver_sql(statement)
    assert campus.places() == before


def test_two_postings_take_turns(campus: Campus) -> None:
    with campus.books(writing=True) as books, _second(campus) as other:
        books.take_turn()
        with pytest.raises(sa.exc.OperationalError):
            other()


@contextmanager
def _second(campus: Campus) -> Iterator[Callable[[], None]]:
    """Another transaction that would post, and does not wait long for its turn."""
    engine = opening.open_engine(campus.ledger.url.render_as_string(hide_password=False).replace("sqlite:///", "sqlite:"))

    def other() -> None:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("set lock_timeout = '50ms'")
            else:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("pragma busy_timeout=50")
                connection.exec_driver_sql("begin immediate")
            Books(connection, 0, "2026-08-03T02:00:00Z").take_turn()

    try:
        yield other
    finally:
        engine.dispose()


def test_migrating_again_is_nothing(campus: Campus, tmp_path: Path) -> None:
    before = opening.version_of(campus.ledger)
    opening.migrate(campus.ledger)
    assert opening.version_of(campus.ledger) == before == opening.HEAD


def _plain(told: object) -> bool:
    """Whether a summary is made of JSON's own values only (a Decimal would not survive a checkpoint)."""
    if isinstance(told, dict):
        return all(isinstance(key, str) and _plain(value) for key, value in told.items())
    if isinstance(told, list | tuple):
        return all(_plain(one) for one in told)
    return told is None or type(told) in (str, int, bool)


def _nothing_unexplained(campus: Campus) -> None:
    assert campus.unexplained() == 0
    with suppress(StopIteration), campus.books() as books:
        for row in books.rows("select records, tally from delivery where state = 'read'"):
            assert '"Decimal' not in str(row[1])
