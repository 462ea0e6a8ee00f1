"""Payments that set statements do not post: decided one by one by the pure rule; and payments that a report no longer lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.posting import AppliedLevel, Decision, Posted, Suspended, decide_applied
from bursarbridge.store import answers, moves, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.payment_levels import Statement, remember
from bursarbridge.store.standing import forgiven_after_payment, payable_of
from bursarbridge.store.tally import Tally

_VANISHED_EACH = 20
"""Up to this many vanished payments are named one by one; more of them are one question about the whole file."""


class _News(NamedTuple):
    """A level that differs from what was known."""

    obligation: int
    period: int
    cents: int
    rows: int
    known: int
    known_rows: int
    known_as_of: str
    open: int
    reference: str
    account: str


def post_each(books: Books, statement: Statement, cause: int, tally: Tally) -> None:
    """Everything that is not plain: over-payments, closed charges, reversals."""
    items: list[Counted] = []
    told_items: list[suspense.Item] = []
    for row in books.rows("select n.*, o.source_reference, o.account from news n join obligation o on o.id = n.obligation_id order by 1, 2"):
        news = _News._make(row)
        decision = _decide(books, statement, news)
        if isinstance(decision, Posted):
            told_items.extend(_carry(books, statement, cause, news, decision, tally))
            continue
        assert isinstance(decision, Suspended)
        items.append(Counted(_parked(statement, news, decision), int(news.cents)))
    suspense.put(books, statement.channel, told_items)
    put_counted(books, statement, items, tally)


def _decide(books: Books, statement: Statement, news: _News) -> Decision:
    told = AppliedLevel(int(news.cents), statement.as_of)
    # A cumulative report was judged by its age as a whole before; a snapshot row is judged by its own.
    known = AppliedLevel(int(news.known), "" if statement.cumulative else news.known_as_of)
    decision = decide_applied(told, known, payable_of(books, news.obligation))
    if isinstance(decision, Suspended) and decision.code == "reversal_in_flight" and _assume_told(books, news.obligation):
        return decide_applied(told, known, payable_of(books, news.obligation))
    return decision


def _assume_told(books: Books, obligation: int) -> bool:
    """A payment is taken back while its remittance, verifiably delivered, has no answer: the source is taken to know of it.

    Only so can the charge be open again at once; the line is marked as assumed, and a person is asked to open the fee in
    the source. A remittance that has not left yet keeps the reversal waiting instead.
    """
    lines = books.rows(
        "select l.batch_id, l.line_no, l.cents from batch_line l join batch b on b.id = l.batch_id "
        "where l.obligation_id = :o and l.from_place = 4 and l.state = 'sent' and b.state in ('SENT', 'RECEIVED')",
        o=obligation,
    )
    for batch, line_no, cents in lines:
        cause = books.cause("assumed", batch=int(batch), words="assumed: delivered, and taken back by the bursar since")
        moves.plan(books, [(obligation, Entry(Place.IN_TRANSIT, Place.SETTLED, int(cents), Kind.PAYMENT))])
        moves.carry_out(books, cause)
        books.do("update batch_line set state = 'assumed' where batch_id = :b and line_no = :n", b=int(batch), n=int(line_no))
        answers.settle(books, int(batch))
    return bool(lines)


def _carry(books: Books, statement: Statement, cause: int, news: _News, decision: Posted, tally: Tally) -> list[suspense.Item]:
    repeated = min(int(news.known_rows), int(news.rows) - 1) if news.rows else 0
    tally.posted.add(int(news.rows) - repeated, int(news.cents) - int(news.known))
    tally.already.add(repeated, int(news.known))
    moves.plan(books, [(news.obligation, entry) for entry in decision.entries])
    remember(books, statement, f"obligation_id = {int(news.obligation)} and period = {int(news.period)}")
    moves.carry_out(books, cause)
    forget_credited(books, news.obligation, decision.entries)
    return reopened(books, news.obligation, news.reference, news.account, decision.entries, statement.delivery)


def _parked(statement: Statement, news: _News, decision: Suspended) -> suspense.Item:
    raw = raw_of(statement, news.reference, news.account, int(news.period), int(news.cents), int(news.rows))
    return suspense.Item(
        f"payment:{news.obligation}:{news.period}",
        decision.code,
        decision.words,
        news.reference,
        news.account,
        int(news.cents) - int(news.known),
        raw,
        int(news.rows),
        delivery=statement.delivery,
        obligation=int(news.obligation),
    )


class Counted(NamedTuple):
    """An item, and the cents of the rows it stands for (its own cents are what is at stake)."""

    item: suspense.Item
    cents: int


def put_counted(books: Books, statement: Statement, counted: Sequence[Counted], tally: Tally) -> None:
    """Opens items and counts their rows; what a person has decided before counts as seen."""
    newer = set() if statement.cumulative else _said_later(books, statement)
    undecided = suspense.put_undecided(books, statement.channel, [one.item for one in counted if one.item.key not in newer]) | newer
    for one in counted:
        (tally.suspended if one.item.key in undecided else tally.already).add(one.item.rows, one.cents)


def _said_later(books: Books, statement: Statement) -> set[str]:
    """The keys of payments that wait as a newer statement told them; an older row does not overwrite them (T08)."""
    found = books.rows("select item_key, raw from suspense where resolved_at is null and item_key like 'payment:%'")
    return {str(key) for key, raw in found if json.loads(raw)["as_of"] > statement.as_of}


def reopened(books: Books, obligation: int, reference: str, account: str, entries: Sequence[Entry], delivery: int) -> list[suspense.Item]:
    """A reversal of money that the source was told of: its file cannot carry that back (only positive sums), so a person must."""
    cents = sum(entry.cents for entry in entries if entry.source is Place.SETTLED)
    if not cents:
        return []
    words = f"{shown(cents)} that the source was told is paid was taken back; it is open at the bursar again, open it in the source by hand"
    if forgiven := min(forgiven_after_payment(books, obligation), cents):
        words += f"; {shown(forgiven)} of it was forgiven after it was paid: what the cashier has not refunded of that comes off the student account"
    key = f"reopened:{obligation}:{delivery}"
    return [suspense.Item(key, "reopened", words, reference, account, cents, delivery=delivery, obligation=obligation)]


def forget_credited(books: Books, obligation: int, entries: Sequence[Entry]) -> None:
    """A student's credit was taken back: that a person once made it one is no answer when the same money is paid, or listed, again."""
    if any(entry.source is Place.STUDENT_CREDIT for entry in entries):
        books.do(
            "update suspense set item_key = 'answered:' || id || ':' || item_key "
            "where resolution = 'credit' and item_key in (select 'payment:' || obligation_id || ':' || period from applied where obligation_id = :o)",
            o=obligation,
        )


def lists_less(books: Books, statement: Statement) -> bool:
    """Whether fewer known payments are among the news than are known: only then can one have vanished. Asked before anything is posted."""
    known = books.one(
        f"select count(*) from applied where period in ({_listed(_periods(books, statement))}) and cents > 0 "
        "and delivery_id in (select id from delivery where channel = :channel)",
        channel=statement.channel,
    )
    return int(known) > int(books.one("select count(*) from news where known > 0"))


def notice_vanished(books: Books, statement: Statement, *, missing: bool) -> None:
    """Payments that the report listed before and no longer does: noticed, never taken as a reversal by themselves.

    `missing` is what `lists_less` said; without it only the questions that are open already are looked at.
    """
    periods = _periods(books, statement)
    _notice_unlisted(books, statement, periods)
    if books.one("select exists (select 1 from suspense where resolved_at is null and code = 'payment_vanished')"):
        books.do(
            "update suspense set resolved_at = :at, resolution = 'listed again' where resolved_at is null and code = 'payment_vanished' "
            "and obligation_id in (select obligation_id from level)",
            at=books.now,
        )
    if books.one("select exists (select 1 from suspense where code = 'payment_vanished' and resolution = 'dismiss' and item_key like 'vanished:%')"):
        # It was the report that was wrong then: when the payment vanishes once more, it is asked about once more.
        books.do(
            "update suspense set item_key = 'answered:' || id || ':' || item_key where code = 'payment_vanished' and resolution = 'dismiss' "
            "and item_key in (select 'vanished:' || obligation_id || ':' || period || ':' || cents from level)"
        )
    if missing:
        _ask_about(books, statement, periods)


def _ask_about(books: Books, statement: Statement, periods: set[int]) -> None:
    gone = (
        f"from applied a join obligation o on o.id = a.obligation_id where a.period in ({_listed(periods)}) and a.cents > 0 "
        "and not exists (select 1 from level l where l.obligation_id = a.obligation_id and l.period = a.period) "
        "and not exists (select 1 from suspense s where s.obligation_id = a.obligation_id and s.resolved_at is null "
        "and s.code in ('payment_other_person')) and a.delivery_id in (select id from delivery where channel = :channel)"
    )
    count, cents = books.rows(f"select count(*), coalesce(sum(a.cents), 0) {gone}", channel=statement.channel)[0]
    if int(count) > _VANISHED_EACH:
        words = f"the report no longer lists {count} payments ({shown(int(cents))}) that it listed before; nothing was taken back, check the file"
        key = f"vanished:{statement.channel}:{statement.delivery}"
        suspense.put(books, statement.channel, [suspense.Item(key, "payments_vanished", words, cents=int(cents), delivery=statement.delivery)])
        return
    items = []
    for row in books.rows(f"select a.obligation_id, a.period, a.cents, o.source_reference, o.account {gone}", channel=statement.channel):
        words = f"the report no longer lists the payment of {shown(int(row[2]))}; nothing was taken back: was it reversed?"
        raw = raw_of(statement, row[3], row[4], int(row[1]), 0, 0)
        key = f"vanished:{row[0]}:{row[1]}:{row[2]}"
        items.append(
            suspense.Item(key, "payment_vanished", words, row[3], row[4], int(row[2]), raw, delivery=statement.delivery, obligation=int(row[0]))
        )
    suspense.put_undecided(books, statement.channel, items)


def _periods(books: Books, statement: Statement) -> set[int]:
    return {int(row[0]) for row in books.rows("select distinct period from staged_payment")} | {statement.period}


def _listed(periods: set[int]) -> str:
    return ", ".join(str(period) for period in sorted(periods))


def _notice_unlisted(books: Books, statement: Statement, periods: set[int]) -> None:
    """Payments that wait and that the report does not list any more: they are not tried again by themselves."""
    found = books.rows(
        "select id, raw from suspense where resolved_at is null and channel = :channel and item_key like 'payment:%' and delivery_id <> :delivery",
        channel=statement.channel,
        delivery=statement.delivery,
    )
    unlisted: list[dict[str, object]] = []
    for number, raw in found:
        told = json.loads(raw)
        if int(told["period"]) in periods:
            words = f'the report no longer lists {shown(int(told["cents"]))} on "{told["reference"]}", which was never posted; ask the bursar'
            unlisted.append({"id": number, "words": words})
    books.many("update suspense set code = 'payment_unlisted', words = :words where id = :id", unlisted)


def set_level(books: Books, statement: Statement, obligation: int, period: int, cents: int, rows: int) -> None:
    """Writes down a level that a person decided."""
    books.do(
        "insert into applied (obligation_id, period, cents, row_count, as_of, delivery_id) values (:o, :p, :cents, :rows, :as_of, :delivery) "
        "on conflict (obligation_id, period) do update set cents = excluded.cents, row_count = excluded.row_count, as_of = excluded.as_of",
        o=obligation,
        p=period,
        cents=cents,
        rows=rows,
        as_of=statement.as_of,
        delivery=statement.delivery,
    )


def raw_of(statement: Statement, reference: str, account: str, period: int, cents: int, rows: int) -> str:
    """What a parked payment needs to be decided again."""
    return json.dumps(
        {"reference": reference, "account": account, "period": period, "cents": cents, "rows": rows, "as_of": statement.as_of}, ensure_ascii=False
    )
