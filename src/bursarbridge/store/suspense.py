"""Suspense: what waits for a person, with its reason, its money and, where it can be tried again, its own words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.ports import Rejected
from bursarbridge.store.books import Books
from bursarbridge.store.tally import Count, Tally


class Item(NamedTuple):
    """One thing that waits. `key` says what it is about: while one is open, the same key is not opened again."""

    key: str
    code: str
    words: str
    reference: str = ""
    account: str = ""
    cents: int = 0
    raw: str = ""
    rows: int = 1
    blocks: bool = False
    delivery: int | None = None
    batch: int | None = None
    obligation: int | None = None


_INSERT = (
    "insert into suspense (item_key, code, channel, reference, account, cents, words, raw, row_count, blocks, delivery_id, batch_id, "
    "obligation_id, opened_at) values (:key, :code, :channel, :reference, :account, :cents, :words, :raw, :rows, :blocks, :delivery, :batch, "
    ":obligation, :at) on conflict (item_key) where resolved_at is null do update set code = excluded.code, cents = excluded.cents, "
    "words = excluded.words, raw = excluded.raw, row_count = excluded.row_count, delivery_id = excluded.delivery_id"
)


def put(books: Books, channel: str, items: Sequence[Item]) -> None:
    """Opens items, or refreshes the open ones of the same key; never makes a second of one key."""
    rows: list[dict[str, object]] = [{**item._asdict(), "blocks": int(item.blocks), "channel": channel, "at": books.now} for item in items]
    books.many(_INSERT, rows)


def put_rejected(books: Books, channel: str, delivery: int, rejected: Sequence[Rejected], tally: Tally) -> int:
    """Takes the records that could not be facts; one that a person dismissed before counts as seen. Returns how many were not dismissed."""
    items = [
        Item(record_key(channel, one.raw), one.code, one.words, one.reference, one.account, one.cents, one.raw, delivery=delivery) for one in rejected
    ]
    undecided = put_undecided(books, channel, items)
    for item in items:
        (tally.suspended if item.key in undecided else tally.already).add(1, item.cents)
    return sum(item.key in undecided for item in items)


def put_undecided(books: Books, channel: str, items: Sequence[Item]) -> set[str]:
    """Opens those items about which no person has decided, with the same money, that nothing is to be done; returns their keys."""
    decided = _decided(books, items)
    undecided = [item for item in items if (item.key, item.cents) not in decided]
    put(books, channel, undecided)
    return {item.key for item in undecided}


def record_key(channel: str, raw: str) -> str:
    """The key of a record that cannot be a fact: what it says, not where it stood."""
    return f"record:{channel}:{hashlib.sha256(raw.encode()).hexdigest()[:32]}"


def close(books: Books, key: str, resolution: str, *, actor: str = "", note: str = "") -> int:
    """Resolves the open item of that key, if there is one; returns how many were open."""
    return books.do(
        "update suspense set resolved_at = :at, resolution = :resolution, actor = :actor, note = :note where item_key = :key and resolved_at is null",
        at=books.now,
        resolution=resolution,
        actor=actor,
        note=note,
        key=key,
    )


def is_open(books: Books, key: str) -> bool:
    """Whether an item of that key is open."""
    return bool(books.one("select exists (select 1 from suspense where item_key = :key and resolved_at is null)", key=key))


def open_total(books: Books) -> Count:
    """What is open now."""
    row = books.rows("select count(*), coalesce(sum(cents), 0) from suspense where resolved_at is null")[0]
    return Count(int(row[0]), int(row[1]))


def _decided(books: Books, items: Sequence[Item]) -> set[tuple[str, int]]:
    if not items or not books.one("select exists (select 1 from suspense where resolution in ('dismiss', 'keep', 'credit'))"):
        return set()
    books.temporary("wanted_key", "item_key text")
    books.stage("wanted_key", ("item_key",), [(item.key,) for item in items])
    sql = (
        "select s.item_key, s.cents from wanted_key w join suspense s on s.item_key = w.item_key where s.resolution in ('dismiss', 'keep', 'credit')"
    )
    return {(str(row[0]), int(row[1])) for row in books.rows(sql)}
