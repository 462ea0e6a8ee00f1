"""Epochs: a ledger that was put back from a backup does not know what left since, so nothing leaves until a person has reconciled it.

The outbox of every kind asks here (`NOTHING_LEAVES`): documents, payments told by API, waives and mails (reliability.md P21).
"""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.errors import Refused
from bursarbridge.store.books import Books

NOTHING_LEAVES = "not exists (select 1 from epoch where reconciled_at is null)"
"""A condition for the statements that say what is to leave: false while an epoch waits to be reconciled."""


class Blocked(Refused):
    """Nothing may leave: the ledger was put back, and what left since then is not known yet."""


class Epoch(NamedTuple):
    """A stretch of a ledger's life that began with a restore; `reconciled_at` is "" while nothing may leave."""

    number: int
    began_at: str
    because: str
    reconciled_at: str
    actor: str
    note: str


def all_of(books: Books) -> list[Epoch]:
    """Every epoch, oldest first; a ledger that was never put back has none."""
    found = books.rows("select number, began_at, because, coalesce(reconciled_at, ''), actor, note from epoch order by number")
    return [Epoch(int(row[0]), *map(str, row[1:])) for row in found]


def waiting(books: Books) -> Epoch | None:
    """The epoch that waits to be reconciled, if there is one."""
    return next((one for one in all_of(books) if not one.reconciled_at), None)


def newest(books: Books) -> int:
    """The number of the newest epoch; 0 when there was none."""
    return int(books.one("select coalesce(max(number), 0) from epoch"))


def begin(books: Books, number: int, because: str) -> Epoch:
    """A new epoch: from now on nothing leaves. While one waits already, that one goes on."""
    found = waiting(books)
    if found is not None:
        return found
    number = max(number, newest(books) + 1)
    books.do("insert into epoch (number, began_at, because) values (:n, :at, :because)", n=number, at=books.now, because=because)
    return Epoch(number, books.now, because, "", "", "")


def lift(books: Books, actor: str, note: str) -> Epoch:
    """A person has looked: what is due may leave again. Raises Refused when nothing is blocked, or without a reason."""
    found = waiting(books)
    if found is None:
        raise Refused("nothing is blocked: no backup was put back since the last reconciliation")
    if not note.strip():
        raise Refused("say why what is due may leave again; the reason is kept with your name")
    books.do(
        "update epoch set reconciled_at = :at, actor = :actor, note = :note where number = :n", at=books.now, actor=actor, note=note, n=found.number
    )
    return found._replace(reconciled_at=books.now, actor=actor, note=note)


def require_none(books: Books) -> None:
    """Raises Blocked while an epoch waits to be reconciled."""
    found = waiting(books)
    if found is not None:
        raise Blocked(
            f"nothing runs and nothing leaves: {found.because}. What left since then is not known here; `bursarbridge reconcile` finds it out "
            "without sending anything, and `bursarbridge reconcile --confirm --reason TEXT` lets the runs go on"
        )


class Mark(NamedTuple):
    """How far a ledger had come: kept outside of it, so that an older ledger under the same name is noticed."""

    epoch: int = 0
    run: int = 0
    name: str = ""
    """The run's own name, which no other run ever has."""
    ended: bool = False
    batch: int = 0
    """The highest batch number ever given out: it stands in a document's name."""
    obligation: int = 0
    """The highest obligation number ever given out: it stands in references."""


def mark_of(books: Books) -> Mark:
    """How far this ledger has come."""
    last = books.rows("select id, name, ended_at is not null from run order by id desc limit 1")
    run, name, ended = last[0] if last else (0, "", False)
    highest = books.rows("select (select coalesce(max(id), 0) from batch), (select coalesce(max(id), 0) from obligation)")[0]
    return Mark(newest(books), int(run), str(name), bool(ended), int(highest[0]), int(highest[1]))


def behind(books: Books, mark: Mark) -> str:
    """Why this ledger is older than its mark says, or another one; "" when it is not."""
    last = mark_of(books)
    if mark.run and not last.run:
        return f"there is an empty ledger where one with run {mark.run} ({mark.name}) was"
    if mark.epoch > last.epoch:
        return "a backup was put back and the ledger does not know of it"
    if not mark.run:
        return ""
    found = books.rows("select ended_at is not null from run where id = :id and name = :name", id=mark.run, name=mark.name)
    if found and (bool(found[0][0]) or not mark.ended):
        return ""
    came = "ended" if mark.ended else "begun"
    return f"the ledger is older than it was: its last run is {last.run} ({last.name}), and run {mark.run} ({mark.name}) had {came}"
