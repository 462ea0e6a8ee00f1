"""What should have happened by now and did not: the legs that are late, as far as the ledger tells."""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.store.books import Books


class LateLeg(NamedTuple):
    """One leg that is late: a destination that did not answer, or a flow that failed."""

    leg: str
    """The destination or the flow."""
    kind: str
    """unanswered, unsent, or failed."""
    since: str
    """UTC."""
    words: str
    """A sentence; it names batches by number, as documents may be named by others."""


def late_legs(books: Books) -> list[LateLeg]:
    """Every leg that is late now, by leg."""
    return sorted([*_unanswered(books), *_unsent(books), *_failed(books)])


def _unanswered(books: Books) -> list[LateLeg]:
    found = books.rows(
        "select destination, min(expected_at), count(*), min(id) from batch "
        "where state in ('SENT', 'RECEIVED') and expected_at <> '' and expected_at < :now group by destination",
        now=books.now,
    )
    return [LateLeg(str(r[0]), "unanswered", str(r[1]), f"{_batches(r[2], r[3])} to {r[0]} should have had an answer by {r[1]}") for r in found]


def _unsent(books: Books) -> list[LateLeg]:
    """Sealed in a run that has ended, and still here: the run that sealed it would have sent it."""
    found = books.rows(
        "select b.destination, min(b.sealed_at), count(*), min(b.id) from batch b join run r on r.id = b.run_id "
        "where b.state = 'SEALED' and r.ended_at is not null group by b.destination"
    )
    return [LateLeg(str(r[0]), "unsent", str(r[1]), f"{_batches(r[2], r[3])} to {r[0]} could not leave since {r[1]}") for r in found]


def _failed(books: Books) -> list[LateLeg]:
    found = books.rows("select flow, ended_at from run where outcome = 'failed' and id in (select max(id) from run group by flow)")
    return [LateLeg(str(r[0]), "failed", str(r[1]), f"the last run of {r[0]} failed at {r[1]}") for r in found]


def _batches(count: object, first: object) -> str:
    return f"batch {first}" if count == 1 else f"{count} batches, the oldest of them {first},"
