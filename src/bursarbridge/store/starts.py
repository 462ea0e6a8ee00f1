"""Who started a run: a person by hand, or the timetable. Written down before the run begins, so that whoever finishes it finds it there (I11)."""

from __future__ import annotations

from bursarbridge.ledger.guards import person_key
from bursarbridge.store.books import Books

HAND, TIMETABLE = "hand", "timetable"

STARTED = "coalesce(s.how, ''), coalesce(s.actor, '')"
"""How a run was started and by whom, of `s`; both "" for one of which nobody wrote it down."""


def by_hand(books: Books, run_name: str, actor: str) -> None:
    """A person starts a run, which begins afterwards."""
    _put(books, run_name, HAND, " ".join(actor.split()))


def by_timetable(books: Books, run_name: str) -> None:
    """The timetable starts a run, which begins afterwards."""
    _put(books, run_name, TIMETABLE, "")


def _put(books: Books, run_name: str, how: str, actor: str) -> None:
    books.do(
        "insert into run_start (run_name, how, actor_key, actor, at) select :run_name, :how, :key, :actor, :at "
        "where not exists (select 1 from run where name = :run_name) on conflict do nothing",
        run_name=run_name,
        how=how,
        key=person_key(actor),
        actor=actor,
        at=books.now,
    )
