"""Posting payments: a file is reduced to "applied so far per obligation"; the difference to what was known is the news.

The plain majority (more was paid, and it fits what is open) is posted by set statements in key order; everything else goes
through posting.decide_applied one by one. Both give the same answer (tests/store/test_two_ways.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.money import shown
from bursarbridge.store import answers, moves, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.payment_cases import Counted, lists_less, notice_vanished, post_each, put_counted, raw_of
from bursarbridge.store.payment_levels import Statement, close_waiting, remember
from bursarbridge.store.tally import Tally

PARKED = ("payment_unknown", "payment_before_charge", "payment_in_flight", "reversal_in_flight")
"""Codes that time may cure: they are decided again at every run."""


class Row(NamedTuple):
    """One payment row, resolved as far as the file allows."""

    obligation: int | None
    """From our own reference; None when the source's reference is matched, or when there is none such."""
    reference: str
    account: str
    period: int
    cents: int


def begin(books: Books) -> None:
    """Makes the staging tables of this transaction."""
    books.temporary("staged_payment", "n integer, obligation_id bigint, reference text, account text, period integer, cents bigint")
    books.temporary(
        "level", "obligation_id bigint, period integer, cents bigint, row_count bigint, account text, primary key (obligation_id, period)"
    )
    moves.begin(books)


def stage(books: Books, start: int, rows: Iterable[Row]) -> None:
    """Adds a chunk of rows; `start` is the number of the first."""
    columns = ("n", "obligation_id", "reference", "account", "period", "cents")
    books.stage("staged_payment", columns, [(n, *row) for n, row in enumerate(rows, start)])


def post(books: Books, statement: Statement, cause: int, tally: Tally) -> None:
    """Posts everything staged as one statement of what is applied to date."""
    if statement.cumulative and _has_newer(books, statement):
        _pass_over(books, statement, cause, tally)
        return
    if _level(books, statement) < int(books.one("select count(*) from staged_payment")):
        _unknown(books, statement, tally)
    _other_person(books, statement, tally)
    _evidence(books, cause)
    _news(books)
    missing = statement.cumulative and lists_less(books, statement)
    _older_or_same(books, statement, tally)
    _plain(books, statement, cause, tally)
    post_each(books, statement, cause, tally)
    if statement.cumulative:
        notice_vanished(books, statement, missing=missing)


def _pass_over(books: Books, statement: Statement, cause: int, tally: Tally) -> None:
    """A report older than one that was read proves that the bursar has the charges it lists, and says nothing else that is new (T08)."""
    count, cents = books.rows("select count(*), coalesce(sum(cents), 0) from staged_payment")[0]
    tally.already.add(int(count), int(cents))
    _level(books, statement)
    books.do("delete from level where account <> ''")
    _evidence(books, cause)


def _matched(statement: Statement) -> str:
    """The join of staged rows to obligations, in key order, which halves the cost of a shuffled file (performance.md 7)."""
    if statement.source is None:
        return "(select * from staged_payment where obligation_id is not null order by obligation_id) p join obligation o on o.id = p.obligation_id"
    return (
        "(select * from staged_payment order by reference) p cross join obligation o "
        f"on o.source_id = {int(statement.source)} and o.source_reference = p.reference"
    )


def _level(books: Books, statement: Statement) -> int:
    """Reduces the staged rows to levels; returns how many rows found their obligation."""
    matched = _matched(statement).replace("cross join", "join") if books.postgres else _matched(statement)
    books.do(
        "insert into level (obligation_id, period, cents, row_count, account) "
        "select o.id, p.period, sum(p.cents), count(*), max(case when p.account in ('', o.account) then '' else p.account end) "
        f"from {matched} group by o.id, p.period"
    )
    return int(books.one("select coalesce(sum(row_count), 0) from level"))


def _unknown(books: Books, statement: Statement, tally: Tally) -> None:
    condition = (
        "p.obligation_id is null or not exists (select 1 from obligation o where o.id = p.obligation_id)"
        if statement.source is None
        else f"not exists (select 1 from obligation o where o.source_id = {int(statement.source)} and o.source_reference = p.reference)"
    )
    found = books.rows(
        f"select p.reference, p.period, max(p.account), sum(p.cents), count(*) from staged_payment p where {condition} group by p.reference, p.period"
    )
    items = []
    for reference, period, account, cents, count in found:
        words = f'{shown(int(cents))} was paid on "{reference}", which is no charge of ours; it is decided again at every run'
        items.append(
            suspense.Item(
                f"payment:unknown:{reference}:{period}",
                "payment_unknown",
                words,
                reference,
                account,
                int(cents),
                raw_of(statement, reference, account, int(period), int(cents), int(count)),
                int(count),
                delivery=statement.delivery,
            )
        )
    put_counted(books, statement, [Counted(item, item.cents) for item in items], tally)


def _other_person(books: Books, statement: Statement, tally: Tally) -> None:
    """A reference of one person paid under another's id: a spreadsheet or a hand has been at it (D24)."""
    found = books.rows(
        "select l.obligation_id, l.period, l.account, o.account, o.source_reference, l.cents, l.row_count "
        "from level l join obligation o on o.id = l.obligation_id where l.account <> ''"
    )
    items = []
    for row in found:
        words = f"{shown(int(row[5]))} names person {row[2]}, but the charge is on {row[3]}; check the payment file, nothing was posted"
        raw = raw_of(statement, row[4], row[2], int(row[1]), int(row[5]), int(row[6]))
        items.append(
            suspense.Item(
                f"payment:{row[0]}:{row[1]}",
                "payment_other_person",
                words,
                row[4],
                row[2],
                int(row[5]),
                raw,
                int(row[6]),
                delivery=statement.delivery,
                obligation=int(row[0]),
            )
        )
    if items:
        put_counted(books, statement, [Counted(item, item.cents) for item in items], tally)
        books.do("delete from level where account <> ''")


def _evidence(books: Books, cause: int) -> None:
    """A charge that the bursar lists in a payment file is on the account: lines without an answer are confirmed by it."""
    waiting = "exists (select 1 from batch where kind = 'charge' and (state in ('SEALED', 'SENT', 'RECEIVED', 'IN_DOUBT') or assumed = 1))"
    if not books.one(f"select {waiting}"):
        return
    # A batch that never left is confirmed by nothing; one whose fate a cut line hid is.
    waits = (
        "from_place = 1 and state in ('sent', 'assumed') and obligation_id in (select obligation_id from level) "
        "and batch_id in (select id from batch where state <> 'SEALED' or uploaded_at is not null)"
    )
    touched = books.rows(f"select distinct batch_id from batch_line where {waits}")
    books.do(
        "insert into move (obligation_id, from_place, to_place, cents, kind) "
        f"select obligation_id, 2, to_place, cents, 'charge' from batch_line where {waits} and state = 'sent'"
    )
    books.do(f"update batch_line set state = 'posted', reason = 'seen in payments' where {waits}")
    if books.one("select exists (select 1 from move)"):
        moves.carry_out(books, cause)
    for (batch,) in touched:
        answers.settle(books, int(batch))


def _news(books: Books) -> None:
    books.temporary(
        "news",
        "obligation_id bigint, period integer, cents bigint, row_count bigint, known bigint, known_rows bigint, known_as_of text, open bigint",
    )
    books.do(
        "insert into news select l.obligation_id, l.period, l.cents, l.row_count, coalesce(a.cents, 0), coalesce(a.row_count, 0), "
        "coalesce(a.as_of, ''), coalesce(p.cents, 0) from level l "
        "left join applied a on a.obligation_id = l.obligation_id and a.period = l.period "
        "left join position p on p.place = 3 and p.obligation_id = l.obligation_id"
    )


def _older_or_same(books: Books, statement: Statement, tally: Tally) -> None:
    """Rows that say nothing new: the same level again, or a statement older than the one that is known."""
    older = "(1 = 0 and :as_of = '')" if statement.cumulative else "known_as_of > :as_of"
    row = books.rows(f"select coalesce(sum(row_count), 0), coalesce(sum(cents), 0) from news where cents = known or {older}", as_of=statement.as_of)[
        0
    ]
    tally.already.add(int(row[0]), int(row[1]))
    books.do(f"delete from news where {older}", as_of=statement.as_of)
    close_waiting(books, statement, "cents = known", "no longer said")
    if not statement.cumulative:
        books.do(
            "insert into applied (obligation_id, period, cents, row_count, as_of, delivery_id) "
            "select obligation_id, period, cents, row_count, :as_of, :delivery from news where cents = known "
            "on conflict (obligation_id, period) do update set as_of = excluded.as_of",
            as_of=statement.as_of,
            delivery=statement.delivery,
        )
    books.do("delete from news where cents = known")


def _has_newer(books: Books, statement: Statement) -> bool:
    """A cumulative report is judged by its age as a whole, a snapshot row by row."""
    return bool(
        books.one(
            "select exists (select 1 from delivery where channel = :channel and state = 'read' and as_of > :as_of)",
            channel=statement.channel,
            as_of=statement.as_of,
        )
    )


def _plain(books: Books, statement: Statement, cause: int, tally: Tally) -> None:
    """More was paid, and it fits what is open: the rows that set statements post."""
    plain = "cents > known and cents - known <= open"
    if books.one("select count(distinct period) from news") > 1:
        plain += " and obligation_id not in (select obligation_id from news group by 1 having count(*) > 1)"
    row = books.rows(
        f"select count(*), coalesce(sum(cents), 0), coalesce(sum(known), 0), coalesce(sum(row_count), 0), "
        f"coalesce(sum(case when row_count > known_rows then known_rows else row_count - 1 end), 0) from news where {plain}"
    )[0]
    if not row[0]:
        return
    tally.posted.add(int(row[3]) - int(row[4]), int(row[1]) - int(row[2]))
    tally.already.add(int(row[4]), int(row[2]))
    books.temporary("paid", f"obligation_id {books.number_key}, cents bigint")
    books.do(f"insert into paid select obligation_id, cents - known from news where {plain} order by obligation_id")
    remember(books, statement, plain)
    books.do(f"delete from news where {plain}")
    moves.carry_all(books, "paid", Place.BURSAR, Place.PAID, Kind.PAYMENT, cause)
