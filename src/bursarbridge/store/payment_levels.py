"""What a payment file states, and the levels that are known: how much the bursar has said is applied, as of when."""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.store.books import Books


class Statement(NamedTuple):
    """The file the rows come from: what it is and how it speaks."""

    channel: str
    delivery: int
    as_of: str
    source: int | None
    """The source whose own references are matched; None when ours are."""
    cumulative: bool
    """A cumulative report is a full statement of its periods, so what it no longer lists has vanished."""
    period: int
    """The period the statement's own time falls in; 0 for snapshots."""


def remember(books: Books, statement: Statement, condition: str) -> None:
    """Writes down the level of the news rows that were posted, and closes what waited about them."""
    books.do(
        "insert into applied (obligation_id, period, cents, row_count, as_of, delivery_id) "
        f"select obligation_id, period, cents, row_count, :as_of, :delivery from news where {condition} order by obligation_id "
        "on conflict (obligation_id, period) do update set cents = excluded.cents, row_count = excluded.row_count, as_of = excluded.as_of, "
        "delivery_id = excluded.delivery_id",
        as_of=statement.as_of,
        delivery=statement.delivery,
    )
    if books.one("select exists (select 1 from suspense where resolved_at is null and item_key like 'payment:%')"):
        books.do(
            "update suspense set resolved_at = :at, resolution = 'posted' where resolved_at is null and item_key in "
            f"(select 'payment:' || obligation_id || ':' || period from news where {condition})",
            at=books.now,
        )
