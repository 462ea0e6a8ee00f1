"""Two ways to the same answer, for violations: staged deliveries by set statements, and the pure rule one fact at a time."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bursarbridge.flows.reading import Reading
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.violations import Finding, KnownViolation, decide_violation
from bursarbridge.store import deliveries, opening, runs
from bursarbridge.store.books import Books
from bursarbridge.store.deliveries import Arrived
from tests.campus import campus_in_memory
from tests.store.pure_violations import PureViolations

QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


class Sent(NamedTuple):
    as_of: str
    kind: str
    facts: tuple[Violation, ...]


FACTS = st.builds(
    Violation,
    reference=st.sampled_from("abcd"),
    account=st.sampled_from(["0012345"] * 5 + ["0012346"]),
    category=st.just("NO PERMIT"),
    cents=st.sampled_from([0, 2500, 5000]),
    violated_on=st.just("2026-07-01"),
    status=st.sampled_from([Standing.OPEN, Standing.OPEN, Standing.OPEN, Standing.DISPUTED]),
    user_type=st.just("Student"),
)
SENT = st.builds(Sent, st.integers(1, 5).map(str), st.sampled_from(["full", "changes", "changes"]), st.lists(FACTS, max_size=5).map(tuple))
STEPS = st.lists(SENT, max_size=7)
ONE = Violation("a", "0012345", "NO PERMIT", 2500, "2026-07-01")
TWO_PERSONS = [Sent("1", "full", (ONE,)), Sent("2", "full", (ONE._replace(account="0012346"), ONE._replace(cents=5000)))]
TWO_LISTS = [Sent("2", "full", ()), Sent("1", "changes", (ONE._replace(cents=0),)), Sent("2", "full", ()), Sent("1", "changes", (ONE,))]


@settings(max_examples=250, deadline=None, phases=QUICK)
@given(STEPS, st.sampled_from(["cleared", "ask"]), st.integers(1, 3))
@example(TWO_PERSONS, "cleared", 1)
@example(TWO_LISTS, "ask", 1)
def test_violations_in_any_order_repeat_differ_and_vanish(steps: Sequence[Sent], absent: str, chunk: int) -> None:
    with campus_in_memory() as campus, campus.books(writing=True) as books, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bursarbridge.flows.violations.CHUNK", chunk)
        _compare(books, steps, absent)


@settings(max_examples=60, deadline=None, phases=QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, absent=st.sampled_from(["cleared", "ask"]))
def test_violations_the_same_on_postgresql(pg_books: sa.Engine, steps: Sequence[Sent], absent: str) -> None:
    with pg_books.connect() as connection:
        transaction = connection.begin()
        _compare(Books(connection, 0, "2026-08-03T02:00:00Z"), steps, absent)
        transaction.rollback()


@pytest.fixture
def pg_books(pg_address: str) -> sa.Engine:
    ledger = opening.open_engine(pg_address)
    opening.migrate(ledger)
    return ledger


def _compare(books: Books, steps: Sequence[Sent], absent: str) -> None:
    pure = PureViolations(absent)
    books.run = runs.begin(books, "two ways", "parking-holds", "1")
    for number, sent in enumerate(steps):
        if sent.kind == "full" and not sent.facts and any(past.now.cents for past in pure.known.values()):
            continue  # refused as a whole (H01)
        posted = _post(books, number, sent, absent)
        assert posted == pure.post(sent.as_of, sent.kind, sent.facts).as_json(), sent
        found = books.rows("select reference, account, cents, status from violation order by reference")
        assert [tuple(row) for row in found] == [
            (reference, past.now.account, past.now.cents, past.now.status) for reference, past in sorted(pure.known.items())
        ], sent
        open_ones = books.rows("select code, account, reference from suspense where resolved_at is null")
        assert {(f"{row[0]}:{row[1]}" if row[0] == "violation_other_person" else row[0], row[2]) for row in open_ones} == pure.questions, sent


def _post(books: Books, number: int, sent: Sent, absent: str) -> object:
    arrived = Arrived(f"parking-{sent.kind}", f"file-{number}", f"{number:064}", 1, sent.as_of)
    delivery = deliveries.record(books, arrived)
    reading = Reading(books, arrived.channel, delivery, books.cause("delivery", delivery=delivery), arrived)
    ViolationPoster("parking", "P", sent.kind, absent)(reading, iter(sent.facts))
    reading.put_rejected()
    deliveries.finish(books, delivery, reading.tally)
    return reading.tally.as_json()


KNOWN = KnownViolation("0012345", "NO PERMIT", 5000, "2026-07-01", Standing.OPEN, "", "20260802")
TOLD = Violation("a", "0012345", "NO PERMIT", 5000, "2026-07-01")


@pytest.mark.parametrize(
    ("told", "as_of", "known", "listed", "finding"),
    [
        (TOLD, "20260803", None, "", Finding.NEW),
        (TOLD, "20260803", None, "20260804", Finding.OLDER),
        (TOLD, "20260803", KNOWN, "", Finding.SAME),
        (TOLD._replace(cents=1), "20260803", KNOWN, "", Finding.CHANGED),
        (TOLD._replace(cents=1), "20260801", KNOWN, "", Finding.OLDER),
        (TOLD._replace(cents=1), "20260802", KNOWN, "", Finding.CONFLICT),
        (TOLD._replace(cents=1), "20260803", KNOWN, "20260803", Finding.CONFLICT),
        (TOLD._replace(cents=1), "20260803", KNOWN, "20260804", Finding.OLDER),
        (TOLD._replace(account="0012346"), "20260803", KNOWN, "", Finding.OTHER_PERSON),
        (TOLD._replace(status=Standing.DISPUTED), "20260803", KNOWN, "", Finding.CHANGED),
    ],
)
def test_the_rule_as_a_table(told: Violation, as_of: str, known: KnownViolation | None, listed: str, finding: Finding) -> None:
    assert decide_violation(told, as_of, known, listed) is finding


def test_whom_a_delivery_says_something_new_of_is_written_down() -> None:
    with campus_in_memory() as campus, campus.books(writing=True) as books:
        books.run = runs.begin(books, "news", "parking-holds", "1")
        post = partial(_post, books, absent="cleared")
        facts = [TOLD._replace(reference=one, account=f"001234{number}") for number, one in enumerate("abc")]
        post(0, Sent("1", "full", tuple(facts)))
        assert news(books) == ["0012340", "0012341", "0012342"]
        post(1, Sent("2", "full", (facts[0], facts[1]._replace(cents=1))))
        assert news(books) == ["0012341", "0012342"]
        post(2, Sent("3", "full", (facts[0], facts[1]._replace(cents=1))))
        assert news(books) == []
        post(3, Sent("4", "changes", (facts[0],)))
        assert news(books) == ["0012340"]  # said again: nobody is decided too seldom


@pytest.mark.parametrize("kept", ["memory", "postgresql"])
def test_whoever_owed_it_before_is_named_too(kept: str, request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        if kept == "memory":
            books = stack.enter_context(stack.enter_context(campus_in_memory()).books(writing=True))
        else:
            connection = stack.enter_context(request.getfixturevalue("pg_books").connect())
            stack.callback(connection.begin().rollback)
            books = Books(connection, 0, "2026-08-03T02:00:00Z")
        books.run = runs.begin(books, "news", "parking-holds", "1")
        _post(books, 0, Sent("1", "changes", (TOLD,)), "cleared")
        _post(books, 1, Sent("2", "changes", (TOLD._replace(account="0012346"),)), "cleared")
        assert news(books) == []  # a question
        books.do("update suspense set resolved_at = '2026-08-03', resolution = 'accept' where resolved_at is null")
        _post(books, 2, Sent("3", "changes", (TOLD._replace(account="0012346"),)), "cleared")
        assert news(books) == ["0012345", "0012346"]
        _post(books, 3, Sent("3", "changes", (TOLD._replace(account="0012346", cents=1),)), "cleared")
        assert books.one("select account from violation") == "0012345"  # two statements of one time: what was true before
        assert news(books) == ["0012345", "0012346"]


def news(books: Books) -> list[str]:
    """Whom the newest delivery said something new of."""
    return [str(row[0]) for row in books.rows("select account from violation_news where delivery_id = (select max(id) from delivery) order by 1")]
