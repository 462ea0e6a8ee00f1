"""Two ways to the same answer (architecture.md, section 4): the set statements of the store and the pure rules of the ledger.

Both are fed the same facts in any order, with repeats and conflicts; every place, level, tally and suspense item is compared.
"""

from collections import Counter
from collections.abc import Sequence

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bursarbridge.ledger.facts import Charge
from bursarbridge.store.books import Books
from bursarbridge.store.standing import standing_of
from bursarbridge.store.tally import Tally
from tests.campus import campus_in_memory
from tests.store import stored
from tests.store.pure import PureCharges, PurePayments, Row, Statement

QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)

# ---- charges

FEES = st.builds(
    Charge,
    reference=st.sampled_from("abcdef"),
    account=st.sampled_from(["0012345", "0012346"]),
    category=st.sampled_from(["OVERDUEFINE", "OTHER"]),
    cents=st.sampled_from([0, 100, 100, 100, 250]),
    assessed_on=st.sampled_from(["2026-07-28", ""]),
)


@settings(max_examples=100, deadline=None, phases=QUICK)
@given(st.lists(st.lists(FEES, max_size=10), max_size=4), st.integers(1, 4))
def test_charges_in_any_order_repeat_and_conflict(files: list[list[Charge]], chunk: int) -> None:
    pure = PureCharges()
    with campus_in_memory() as campus, campus.books(writing=True) as books:
        stored.begin(books)
        for number, fees in enumerate(files):
            tally = stored.post_charges(books, number, fees, chunk)
            assert tally.as_json() == pure.post(fees).as_json()
        numbers = {row[0]: row[1] for row in books.rows("select source_reference, id from obligation")}
        assert {ref: standing_of(books, numbers[ref]).source for ref in numbers} == pure.source
        conflicts = {(row[0], row[1]) for row in books.rows("select reference, words from suspense where code = 'conflict'")}
        assert conflicts == pure.conflicts


# ---- payments

CENTS = st.sampled_from([100, 100, 100, 40, 60, 140, 250])
ROWS = st.builds(
    Row,
    fee=st.integers(0, 4),
    period=st.sampled_from([0, 0, 0, 1]),
    cents=CENTS | CENTS.map(lambda cents: -cents) | st.just(0),
    account=st.sampled_from(["same", "same", "same", "same", "", "other"]),
)
STATEMENTS = st.builds(Statement, as_of=st.integers(1, 6).map(str), rows=st.lists(ROWS, max_size=7).map(tuple))
STEPS = st.lists(STATEMENTS | st.sampled_from(["remit", "confirm"]), max_size=8)
STARTS = st.lists(st.sampled_from(["bursar", "bursar", "source", "sent"]), min_size=4, max_size=4)
"""Where each of four fees is at first; a fifth number is a fee that nobody knows."""


@settings(max_examples=200, deadline=None, phases=QUICK)
@given(STARTS, STEPS, st.booleans(), st.booleans())
def test_payments_up_down_over_again_and_older(starts: list[str], steps: Sequence[Statement | str], cumulative: bool, by_source: bool) -> None:
    pure = PurePayments(starts, cumulative=cumulative)
    with campus_in_memory() as campus, campus.books(writing=True) as books:
        stored.begin(books)
        stored.put_fees(books, starts)
        for number, step in enumerate(steps):
            if isinstance(step, Statement):
                told = stored.post_payments(books, number, step, cumulative=cumulative, by_source=by_source)
                assert told.as_json() == pure.post(step).as_json(), step
            elif step == "remit":
                assert stored.remit(books, number) == pure.remit()
            else:
                stored.confirm(books)
                pure.confirm()
            _compare(books, pure)


def _compare(books: Books, pure: PurePayments) -> None:
    for fee, standing in enumerate(pure.standings):
        assert standing_of(books, fee + 1) == standing, fee
    found = books.rows("select obligation_id, period, cents, row_count from applied where cents <> 0 or row_count <> 0")
    assert {(row[0] - 1, row[1]): (row[2], row[3]) for row in found} == pure.levels()
    codes = Counter(row[0] for row in books.rows("select code from suspense where resolved_at is null and code <> 'reopened'"))
    assert codes == pure.codes(), (codes, pure.codes())


def test_the_tally_is_the_sum_of_its_ends() -> None:
    tally = Tally()
    tally.posted.add(2, 300)
    tally.already.add(1, 50)
    tally.suspended.add(1, -20)
    assert tally.read.as_json() == {"count": 4, "cents": 330}
