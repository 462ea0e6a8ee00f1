"""Deliveries: which bytes arrived, under which names, what became of them. The same bytes have one effect, ever.

But for dated statements of what is true at a time: there, the same bytes at a later time are a later statement.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from bursarbridge.store.books import Books
from bursarbridge.store.tally import Tally


class Arrived(NamedTuple):
    """A file that is in the vault now."""

    channel: str
    name: str
    sha256: str
    size: int
    as_of: str
    """The source's own time for it (UTC or campus text that sorts), from its name or its modification time."""


class Known(NamedTuple):
    """What is known of bytes that arrived before."""

    id: int
    state: str
    words: str
    tally: dict[str, dict[str, int]]


def known(books: Books, arrived: Arrived, *, restates: bool) -> Known | None:
    """The delivery of the same bytes on the same channel, if there was one.

    `restates`: the file is a statement that tells its own time, so the same bytes under a later time say something again
    (a payment was taken back and stands again): only those of the same or an earlier time are a repeat. What a guard held of another time
    (a list that came too late, a wrong date in its name) says nothing about these either.
    """
    found = books.rows(
        "select id, state, words, tally from delivery where channel = :channel and sha256 = :sha256 "
        "and (:repeats or (state = 'read' and as_of >= :as_of) or (state = 'refused' and (as_of = :as_of "
        "or not exists (select 1 from guarded g where g.delivery_id = delivery.id)))) order by as_of desc",
        channel=arrived.channel,
        sha256=arrived.sha256,
        as_of=arrived.as_of,
        repeats=not restates,
    )
    return Known(int(found[0][0]), found[0][1], found[0][2], json.loads(found[0][3])) if found else None


def record(books: Books, arrived: Arrived) -> int:
    """A new delivery, read in this transaction; its tally follows at the end of it."""
    return books.new(
        "insert into delivery (channel, name, sha256, size, as_of, state, arrived_at, run_id) "
        "values (:channel, :name, :sha256, :size, :as_of, 'read', :at, :run)",
        **arrived._asdict(),
        at=books.now,
        run=books.run,
    )


def record_arrival(books: Books, delivery: int, name: str) -> None:
    """That these bytes arrived now, under this name."""
    books.do(
        "insert into arrival (delivery_id, name, at, run_id) values (:delivery, :name, :at, :run)",
        delivery=delivery,
        name=name,
        at=books.now,
        run=books.run,
    )


def finish(books: Books, delivery: int, tally: Tally, words: str = "") -> None:
    """Writes down where every record of the delivery ended, and what else there is to say of it."""
    read = tally.read
    books.do(
        "update delivery set records = :records, record_cents = :cents, tally = :tally, words = :words where id = :id",
        records=read.count,
        cents=read.cents,
        tally=json.dumps(tally.as_json()),
        words=words,
        id=delivery,
    )


def readmit(books: Books, delivery: int) -> Arrived:
    """Takes back that a delivery was refused, because people approved it; returns its kept file, to be read.

    Whoever was decided since it arrived was decided without it: what it says is new for the holds, whatever number it has.
    """
    books.do("update delivery set state = 'read', words = '' where id = :id", id=delivery)
    books.do("update hold_state set last_delivery = :id - 1 where last_delivery >= :id", id=delivery)
    row = books.rows("select channel, name, sha256, size, as_of from delivery where id = :id", id=delivery)[0]
    return Arrived(row[0], row[1], row[2], int(row[3]), row[4])


def refuse(books: Books, delivery: int, words: str) -> None:
    """Marks a delivery whose bytes are not what they should be; no record of it has had an effect."""
    books.do("update delivery set state = 'refused', words = :words where id = :id", words=words, id=delivery)


def newest_as_of(books: Books, channel: str) -> str:
    """The newest source time read on a channel; "" when nothing was."""
    return str(books.one("select coalesce(max(as_of), '') from delivery where channel = :channel and state = 'read'", channel=channel))
