"""The inbox: every genuine webhook call as it came, once and for ever, and how it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bursarbridge.ports.calls import Notice
from bursarbridge.store.books import Books


class Received(NamedTuple):
    """A genuine call on its way into the inbox. `notice` is None when it is in no form that is known."""

    source: str
    notice: Notice | None
    body: bytes
    received_at: str
    """UTC text."""


class Waiting(NamedTuple):
    """A call that has not ended yet."""

    id: int
    received_at: str
    state: str
    event: str
    body: str


def put(books: Books, received: Sequence[Received]) -> None:
    """Takes calls in; one that is known already has no effect, however often and in how many copies it comes."""
    books.many(
        "insert into webhook (source, dedupe_key, event_key, received_at, event, loan_id, job, body) "
        "values (:source, :dedupe_key, :event_key, :received_at, :event, :loan_id, :job, :body) on conflict do nothing",
        [_row(one) for one in received],
    )


def count(books: Books, day: str, counted: Mapping[tuple[str, str], int]) -> None:
    """Adds to how many calls of a day were turned away, by source and reason; nothing else is kept of those."""
    books.many(
        "insert into webhook_count (source, day, what, calls) values (:source, :day, :what, :calls) "
        "on conflict (source, day, what) do update set calls = webhook_count.calls + excluded.calls",
        [{"source": source, "day": day, "what": what, "calls": calls} for (source, what), calls in counted.items()],
    )


def pending(books: Books, source: str, most: int) -> list[Waiting]:
    """The calls that have not ended, but for those about jobs: new ones before those that wait, oldest first."""
    found = books.rows(
        "select id, received_at, state, event, body from webhook where source = :source and state in ('new', 'waiting') and event <> 'JOB_END' "
        "order by case state when 'new' then 0 else 1 end, id limit :most",
        source=source,
        most=most,
    )
    return [Waiting(int(row[0]), row[1], row[2], row[3], row[4]) for row in found]


def end(books: Books, number: int, state: str, words: str) -> bool:
    """Writes down how a call ended (done, ignored) or why it waits."""
    books.do(
        "update webhook set state = :state, words = :words, ended_at = :at where id = :id and state in ('new', 'waiting')",
        state=state,
        words=words,
        at=None if state == "waiting" else books.now,
        id=number,
    )
    return True


def jobs_told(books: Books, source: str) -> set[str]:
    """The runs of jobs that a source's calls have told of."""
    return {str(row[0]) for row in books.rows("select distinct job from webhook where source = :source and job <> ''", source=source)}


def turned_away(books: Books, source: str) -> dict[str, int]:
    """How many calls of a source were turned away so far, by reason."""
    found = books.rows("select what, sum(calls) from webhook_count where source = :source group by what", source=source)
    return {str(row[0]): int(row[1]) for row in found}


def _row(one: Received) -> dict[str, object]:
    notice = one.notice
    return {
        "source": one.source,
        "dedupe_key": _dedupe_key(one),
        "event_key": _digest(one.source, "event", notice.institution, notice.event, notice.loan, notice.at)
        if notice and notice.loan and notice.at
        else None,
        "received_at": one.received_at,
        "event": notice.event if notice else "",
        "loan_id": notice.loan if notice else "",
        "job": notice.job if notice else "",
        "body": one.body.decode("utf-8", "backslashreplace").replace("\0", "\\0"),
    }


def _dedupe_key(one: Received) -> str:
    """What makes two calls the same: institution and id (reliability.md F4), within one event and loan, as ids are not proven to be
    unique (alma.md 4.3); the bytes themselves where there is no id. `event_key` adds (event, loan, time), for a repeat under another id."""
    notice = one.notice
    if notice is None or not notice.id:
        return _digest(one.source, "body", one.body.hex())
    return _digest(one.source, "id", notice.institution, notice.id, notice.event, notice.loan or notice.job)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
