"""The store's half of the comparison: the same facts, posted by set statements."""

from collections.abc import Sequence

from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.facts import Answer, AnswerStatus, Charge
from bursarbridge.ledger.reference import reference_of
from bursarbridge.ports import ControlTotal
from bursarbridge.store import answers, batches, charges, deliveries, payments, runs
from bursarbridge.store.batches import Route, Sealed
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from bursarbridge.store.payment_levels import Statement as Told
from bursarbridge.store.tally import Tally
from tests.store.pure import FEE_CENTS, UNKNOWN, Row, Statement

EXPORT, PAYMENTS, RESULTS = "library-export", "bursar-payments", "bursar-results"
CHARGE = Route("bursar", "library-charges", 1, "L", Kind.CHARGE, Place.SOURCE, Place.BURSAR)
REMITTANCE = Route("library", "library-payments", 1, "L", Kind.PAYMENT, Place.PAID, Place.SETTLED)


def begin(books: Books) -> None:
    """A run, and the source."""
    books.run = runs.begin(books, "two ways", "library-charges", "1")
    assert runs.source_number(books, "library", "L") == 1


def post_charges(books: Books, number: int, fees: Sequence[Charge], chunk: int) -> Tally:
    """Posts one export in chunks."""
    delivery, cause = _arrived(books, EXPORT, number, "")
    tally = Tally()
    charges.begin(books)
    for start in range(0, len(fees), chunk):
        charges.post(books, 1, EXPORT, delivery, cause, fees[start : start + chunk], tally)
    deliveries.finish(books, delivery, tally)
    return tally


def put_fees(books: Books, starts: Sequence[str]) -> None:
    """Fees 1, 2, ... where they start: at the source, in transit to the bursar, or at the bursar."""
    post_charges(books, 1000, [Charge(f"fee-{fee}", account_of(fee), "OTHER", cents, "") for fee, cents in enumerate(FEE_CENTS)], 10)
    for batch_of in ("sent", "bursar"):
        batches.take(books, CHARGE)
        for fee, start in enumerate(starts):
            if start != batch_of:
                books.do("delete from unsent where obligation_id = :o", o=fee + 1)
        batch = _seal(books, CHARGE)
        if batch and batch_of == "bursar":
            delivery, cause = _arrived(books, RESULTS, 1, "")
            said = Answer(f"doc-{batch}.x", AnswerStatus.POSTED, "", "", "", -1, -1, "")
            answers.post(books, RESULTS, delivery, cause, [answers.Said(said, None, "", "")], Tally())


def account_of(fee: int) -> str:
    """The person of a fee."""
    return f"001234{fee}"


def post_payments(books: Books, number: int, statement: Statement, *, cumulative: bool, by_source: bool) -> Tally:
    """Posts one payment file."""
    delivery, cause = _arrived(books, PAYMENTS, number, statement.as_of)
    tally = Tally()
    payments.begin(books)
    payments.stage(books, 0, [_row(row, by_source=by_source) for row in statement.rows])
    told = Told(PAYMENTS, delivery, statement.as_of, 1 if by_source else None, cumulative=cumulative, period=0)
    payments.post(books, told, cause, tally)
    deliveries.finish(books, delivery, tally)
    return tally


def remit(books: Books, number: int) -> list[tuple[int, int]]:
    """Sends what is paid to the source; returns fee and cents of every line."""
    batches.take(books, REMITTANCE)
    batches.settle_told(books, REMITTANCE)
    lines = sorted((line.obligation - 1, line.cents) for line in batches.lines(books, REMITTANCE))
    _seal(books, REMITTANCE)
    return lines


def confirm(books: Books) -> None:
    """Takes every remittance that waits as taken in."""
    for one in batches.awaiting(books, "library"):
        answers.confirm(books, one.id, books.cause("assumed", batch=one.id), assumed=True)


def _row(row: Row, *, by_source: bool) -> payments.Row:
    account = {"same": account_of(row.fee), "other": "9999999", "": ""}[row.account]
    if by_source:
        return payments.Row(None, f"fee-{row.fee}", account, row.period, row.cents)
    number = None if row.fee == UNKNOWN else row.fee + 1
    return payments.Row(number, reference_of("L", row.fee + 1), account, row.period, row.cents)


def _seal(books: Books, route: Route) -> int:
    total = ControlTotal(*map(int, books.rows("select count(*), coalesce(sum(cents), 0) from unsent")[0]))
    if not total.count:
        return 0
    batch = batches.open_batch(books, route)
    batches.seal(books, route, Sealed(batch, f"doc-{batch}.x", f"{batch:064}", 1, total))
    batches.mark_sent(books, batch, "read_back", books.now)
    return batch


def _arrived(books: Books, channel: str, number: int, as_of: str) -> tuple[int, int]:
    delivery = deliveries.record(books, Arrived(channel, f"file-{number}", f"{channel}-{number}", 1, as_of))
    deliveries.record_arrival(books, delivery, f"file-{number}")
    return delivery, books.cause("delivery", delivery=delivery)
