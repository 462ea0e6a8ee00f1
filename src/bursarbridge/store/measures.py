"""What the ledger looks like in numbers, for machines that watch. Counts, cents and instants; never who, what or under which reference."""

from __future__ import annotations

import json
from collections import Counter
from typing import NamedTuple

import sqlalchemy as sa

from bursarbridge.store import views
from bursarbridge.store.books import Books
from bursarbridge.store.late import LateLeg, late_legs


class FlowMeasure(NamedTuple):
    """The newest run of a flow, and its newest good one; UTC text, "" where there is none."""

    flow: str
    outcome: str
    """"running" until it has ended."""
    started_at: str
    ended_at: str
    good_at: str
    """When it last ended with nothing failed or held."""


class SuspenseMeasure(NamedTuple):
    """Open suspense of one code."""

    code: str
    number: int
    cents: int
    oldest_at: str


class BatchMeasure(NamedTuple):
    """The batches of one destination and kind in one state."""

    destination: str
    kind: str
    state: str
    number: int
    cents: int


class Oldest(NamedTuple):
    """How many of a kind there are, and since when the oldest."""

    name: str
    kind: str
    number: int
    at: str


class Measures(NamedTuple):
    """Everything that is measured, as of one instant (UTC text)."""

    now: str
    flows: tuple[FlowMeasure, ...]
    ended: tuple[tuple[str, str, int], ...]
    """Flow, outcome, and how many runs ended so."""
    unfinished: tuple[Oldest, ...]
    """Runs that began and have not ended, by flow."""
    places: dict[str, int]
    suspense: tuple[SuspenseMeasure, ...]
    batches: tuple[BatchMeasure, ...]
    unanswered: tuple[Oldest, ...]
    """Batches that left and wait for an answer, by destination."""
    mails: tuple[Oldest, ...]
    """By state."""
    calls: tuple[Oldest, ...]
    """Webhook calls that have not ended, by source and state."""
    late: tuple[LateLeg, ...]
    blocked: bool
    """Whether nothing may leave, because the ledger was put back from a backup."""


def measure(books: Books) -> Measures:
    """The ledger in numbers, in this transaction. Reads no more than small tables, indexes, and the positions."""
    return Measures(
        now=books.now,
        flows=tuple(_flows(books)),
        ended=tuple(
            (str(r[0]), str(r[1]), int(r[2]))
            for r in books.rows("select flow, outcome, count(*) from run where outcome is not null group by flow, outcome order by flow, outcome")
        ),
        unfinished=_oldest(books, "select flow, '', count(*), min(started_at) from run where ended_at is null group by flow order by flow"),
        places={place: cents for place, cents in views.places(books).items() if place != "outside"},
        suspense=tuple(
            SuspenseMeasure(str(r[0]), int(r[1]), int(r[2]), str(r[3]))
            for r in books.rows(
                "select code, count(*), sum(cents), min(opened_at) from suspense where resolved_at is null group by code order by code"
            )
        ),
        batches=tuple(
            BatchMeasure(str(r[0]), str(r[1]), str(r[2]), int(r[3]), int(r[4]))
            for r in books.rows("select destination, kind, state, count(*), sum(cents) from batch group by destination, kind, state order by 1, 2, 3")
        ),
        unanswered=_oldest(
            books, "select destination, '', count(*), min(sent_at) from batch where state in ('SENT', 'RECEIVED') group by destination order by 1"
        ),
        mails=_oldest(books, "select state, '', count(*), min(created_at) from mail group by state order by state"),
        calls=_oldest(
            books,
            "select source, state, count(*), min(received_at) from webhook where state in ('new', 'waiting') group by source, state order by 1, 2",
        ),
        late=tuple(late_legs(books)),
        blocked=epoch_blocks(books),
    )


def _flows(books: Books) -> list[FlowMeasure]:
    found = books.rows(
        "select r.flow, coalesce(r.outcome, 'running'), r.started_at, coalesce(r.ended_at, ''), coalesce((select max(g.ended_at) from run g "
        "where g.flow = r.flow and g.outcome in ('completed', 'completed_with_exceptions', 'nothing_to_do')), '') "
        "from run r where r.id in (select max(id) from run group by flow) order by r.flow"
    )
    return [FlowMeasure._make(row) for row in found]


def _oldest(books: Books, sql: str) -> tuple[Oldest, ...]:
    return tuple(Oldest(str(r[0]), str(r[1]), int(r[2]), str(r[3] or "")) for r in books.rows(sql))


def epoch_blocks(books: Books) -> bool:
    """Whether the ledger was put back from a backup and nothing may leave until a person has reconciled it."""
    if not sa.inspect(books.connection).has_table("epoch"):
        return False
    return bool(books.one("select exists (select 1 from epoch where reconciled_at is null)"))


def stuck_runs(books: Books, before: str) -> list[Oldest]:
    """Runs that began before an instant and have not ended, by flow."""
    sql = "select flow, '', count(*), min(started_at) from run where ended_at is null and started_at < :before group by flow order by flow"
    return [Oldest(str(r[0]), str(r[1]), int(r[2]), str(r[3])) for r in books.rows(sql, before=before)]


class RecordCounts:
    """How many records of every channel ended how, since the first delivery; each look reads only what came since the last."""

    def __init__(self) -> None:
        self._newest = 0
        self.counted: Counter[tuple[str, str]] = Counter()
        """By channel and end: one of tally.ENDS, or `refused` for whole files."""

    def look(self, books: Books) -> None:
        """Adds the deliveries that are new. Deliveries are posted in turns and never change, so none is missed."""
        found = books.rows("select id, channel, state, tally from delivery where id > :newest order by id", newest=self._newest)
        for number, channel, state, tally in found:
            self._newest = int(number)
            if state == "refused":
                self.counted[channel, "file_refused"] += 1
            for end, one in json.loads(tally).items():
                if end != "read":
                    self.counted[channel, end] += int(one["count"])
