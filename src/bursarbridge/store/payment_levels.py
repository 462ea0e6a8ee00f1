"""What a payment file states, and the levels that are known: how much the bursar has said is applied, as of when."""

from __future__ import annotations

import json
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
    close_waiting(books, statement, condition, "posted")


def close_waiting(books: Books, statement: Statement, condition: str, resolution: str) -> None:
    """Closes what waited about the chosen news rows, unless a statement newer than this one said it."""
    if not books.one("select exists (select 1 from suspense where resolved_at is null and item_key like 'payment:%')"):
        return
    found = books.rows(
        f"select s.id, s.raw from (select obligation_id, period from news where {condition}) n join suspense s "
        "on s.obligation_id = n.obligation_id and s.resolved_at is null and s.item_key = 'payment:' || n.obligation_id || ':' || n.period"
    )
    closed: list[dict[str, object]] = [
        {"id": row[0], "at": books.now, "resolution": resolution} for row in found if json.loads(row[1])["as_of"] <= statement.as_of
    ]
    books.many("update suspense set resolved_at = :at, resolution = :resolution where id = :id", closed)
