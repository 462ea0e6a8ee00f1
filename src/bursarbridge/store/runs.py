"""Runs, and the small numbers by which sources are known in the tables."""

from __future__ import annotations

import json
from typing import NamedTuple

from bursarbridge.errors import Refused
from bursarbridge.store import suspense
from bursarbridge.store.books import Books


def begin(books: Books, name: str, flow: str, version: str) -> int:
    """The number of the run of that name, made when it is new (a resumed run keeps its own)."""
    books.do(
        "insert into run (name, flow, version, started_at) values (:name, :flow, :version, :at) on conflict (name) do nothing",
        name=name,
        flow=flow,
        version=version,
        at=books.now,
    )
    return int(books.one("select id from run where name = :name", name=name))


def finish(books: Books, run: int, outcome: str, summary: dict[str, object]) -> bool:
    """Writes down how a run ended; one that ended well also ends what was said of its flow's failing (failing.py)."""
    if outcome != "failed":
        flow = str(books.one("select flow from run where id = :id", id=run))
        suspense.close(books, f"flow:{flow}", "cured", note="a run of it ended well")
    books.do(
        "update run set ended_at = :at, outcome = :outcome, summary = :summary where id = :id",
        at=books.now,
        outcome=outcome,
        summary=json.dumps(summary),
        id=run,
    )
    return True


def ended(books: Books, name: str) -> None:
    """Corrects when a run ended: its own instant is one for all it does, and so says nothing of how long that took."""
    books.do("update run set ended_at = :at where name = :name and ended_at is not null and ended_at < :at", at=books.now, name=name)


def summary_of(books: Books, name: str) -> dict[str, object]:
    """What a run that ended says it did."""
    summary: dict[str, object] = json.loads(str(books.one("select summary from run where name = :name", name=name)))
    return summary


def open_ones(books: Books) -> int:
    """How many runs have begun and not ended."""
    return int(books.one("select count(*) from run where ended_at is null"))


class Ended(NamedTuple):
    """A run and how it ended; "" for what has not happened."""

    run: str
    flow: str
    started_at: str
    outcome: str


def newest(books: Books, count: int) -> list[Ended]:
    """The newest runs, newest first."""
    rows = books.rows("select name, flow, started_at, coalesce(outcome, '') from run order by id desc limit :count", count=count)
    return [Ended._make(row) for row in rows]


def source_number(books: Books, name: str, prefix: str) -> int:
    """The lasting number of a source; a prefix, once used in references, belongs to it for ever."""
    found = books.rows("select id, prefix from source where name = :name", name=name)
    if found:
        if found[0][1] != prefix:
            raise Refused(f'source {name} has used the reference prefix "{found[0][1]}" before; put it back instead of "{prefix}"')
        return int(found[0][0])
    taken = books.rows("select name from source where prefix = :prefix", prefix=prefix)
    if taken:
        raise Refused(f'the reference prefix "{prefix}" of source {name} belongs to {taken[0][0]}; choose another')
    number = int(books.one("select coalesce(max(id), 0) + 1 from source"))
    books.do("insert into source (id, name, prefix) values (:id, :name, :prefix)", id=number, name=name, prefix=prefix)
    return number
