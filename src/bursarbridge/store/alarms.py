"""Alarms, one open at a time for each leg and kind; and the questions by which lateness is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.store.books import Books


class AlarmRow(NamedTuple):
    """An alarm as it stands."""

    id: int
    leg: str
    kind: str
    opened_at: str
    level: int
    told_at: str
    subject: str
    readers: dict[str, int]
    """Who was told, and at which level first; of somebody who was told of it together with others, the number of that digest below 0."""


class Unanswered(NamedTuple):
    """A document that arrived and has no answer yet."""

    id: int
    flow: str
    document: str
    destination: str
    lines: int
    cents: int
    sent_at: str
    expected_at: str


class Ahead(NamedTuple):
    """A channel whose files bear a time that is still to come."""

    channel: str
    seconds: int
    seen_at: str


def open_ones(books: Books) -> list[AlarmRow]:
    """The alarms that are not resolved, oldest first."""
    found = books.rows("select id, leg, kind, opened_at, level, told_at, subject, readers from alarm where resolved_at is null order by id")
    return [AlarmRow._make((*row[:7], json.loads(row[7]))) for row in found]


def raise_alarm(books: Books, leg: str, kind: str, subject: str, readers: Sequence[str]) -> int:
    """Opens an alarm; returns its number, 0 when the same one is open already."""
    found = books.rows(
        "insert into alarm (leg, kind, opened_at, told_at, subject, readers) values (:leg, :kind, :now, :now, :subject, :readers) "
        "on conflict (leg, kind) where resolved_at is null do nothing returning id",
        leg=leg,
        kind=kind,
        now=books.now,
        subject=subject,
        readers=json.dumps(dict.fromkeys(readers, 0)),
    )
    return int(found[0][0]) if found else 0


def escalate(books: Books, number: int, level: int, readers: dict[str, int]) -> bool:
    """Writes down that more people were told."""
    sql = "update alarm set level = :level, told_at = :now, readers = :readers where id = :id and level = :before and resolved_at is null"
    return books.do(sql, id=number, level=level, before=level - 1, now=books.now, readers=json.dumps(readers)) == 1


def told_together(books: Books, number: int, reader: str, digest: int) -> None:
    """Writes down that a reader was first told of an alarm in a digest."""
    readers = json.loads(books.one("select readers from alarm where id = :id", id=number))
    books.do("update alarm set readers = :readers where id = :id", id=number, readers=json.dumps({**readers, reader: -digest}))


def resolve(books: Books, number: int) -> bool:
    """Closes an alarm whose cause is gone."""
    return books.do("update alarm set resolved_at = :now where id = :id and resolved_at is null", id=number, now=books.now) == 1


def newest_arrival(books: Books, channels: Sequence[str]) -> str:
    """When the newest whole file came in on one of the channels; "" when none ever did."""
    newest = (
        "select a.at from arrival a join delivery d on d.id = a.delivery_id where d.channel = :name and d.state = 'read' order by a.id desc limit 1"
    )
    return max((str(row[0]) for name in channels for row in books.rows(newest, name=name)), default="")


def unanswered(books: Books) -> list[Unanswered]:
    """The documents that were sent and have no answer, oldest first."""
    found = books.rows(
        "select id, flow, document, destination, lines, cents, coalesce(sent_at, ''), coalesce(expected_at, '') from batch "
        "where state in ('SENT', 'RECEIVED') and document is not null order by id"
    )
    return [Unanswered(int(row[0]), row[1], row[2], row[3], int(row[4]), int(row[5]), row[6], row[7]) for row in found]


def people_in(books: Books, batch: int) -> int:
    """How many people the lines of a batch are about."""
    sql = "select count(distinct o.account) from batch_line l join obligation o on o.id = l.obligation_id where l.batch_id = :id"
    return int(books.one(sql, id=batch))


def standing_at(books: Books, place: int) -> tuple[int, int]:
    """People and cents in a place."""
    sql = (
        "select count(distinct o.account), coalesce(sum(p.cents), 0) from position p join obligation o on o.id = p.obligation_id "
        "where p.place = :place and p.cents > 0"
    )
    ((people, cents),) = books.rows(sql, place=place)
    return int(people), int(cents)


def saw_clock(books: Books, channel: str, ahead_seconds: int) -> bool:
    """Writes down by how much a channel's newest file was ahead of our clock."""
    return (
        books.do(
            "insert into clock_seen (channel, ahead_seconds, seen_at) values (:channel, :ahead, :now) "
            "on conflict (channel) do update set ahead_seconds = :ahead, seen_at = :now",
            channel=channel,
            ahead=ahead_seconds,
            now=books.now,
        )
        == 1
    )


def clocks_ahead(books: Books) -> list[Ahead]:
    """The channels whose clock was seen to be ahead."""
    return [Ahead(row[0], int(row[1]), row[2]) for row in books.rows("select channel, ahead_seconds, seen_at from clock_seen order by channel")]
