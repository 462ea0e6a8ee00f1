"""Moving cents: entries are added, positions follow, and the database refuses a place that would go below zero."""

from collections.abc import Iterable

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.store.books import Books

_COLUMNS = "obligation_id bigint, from_place smallint, to_place smallint, cents bigint, kind text"


def begin(books: Books) -> None:
    """An empty list of moves; `plan` and set statements fill the temporary table `move`."""
    books.temporary("move", _COLUMNS)


def plan(books: Books, moves: Iterable[tuple[int, Entry]]) -> None:
    """Adds decided entries to the list, each with its obligation."""
    books.stage(
        "move",
        ("obligation_id", "from_place", "to_place", "cents", "kind"),
        [(obligation, int(entry.source), int(entry.target), entry.cents, entry.kind.value) for obligation, entry in moves],
    )


def carry_out(books: Books, cause: int) -> int:
    """Turns the planned moves into entries and positions, all or nothing; returns how many there were.

    Money arrives before it leaves, so that a chain (in transit -> bursar -> paid) never dips; the check on `position`
    refuses what was not there to be taken (I6).
    """
    moved = books.do(
        "insert into entry (obligation_id, from_place, to_place, cents, kind, cause_id) "
        "select obligation_id, from_place, to_place, cents, kind, :cause from move order by obligation_id",
        cause=cause,
    )
    if not moved:
        return 0
    books.do(
        "insert into position (place, obligation_id, cents) "
        "select to_place, obligation_id, sum(cents) from move where to_place <> 0 group by to_place, obligation_id "
        "on conflict (place, obligation_id) do update set cents = position.cents + excluded.cents"
    )
    taken = (
        "update position set cents = position.cents - gone.cents from "
        "(select from_place, obligation_id, sum(cents) as cents from move where from_place <> 0 group by from_place, obligation_id) as gone "
        "where position.place = gone.from_place and position.obligation_id = gone.obligation_id"
    )
    expected = books.one("select count(*) from (select distinct from_place, obligation_id from move where from_place <> 0) as pairs")
    touched = books.do(taken)
    assert touched == expected, f"{expected - touched} moves take money from a place that holds none"
    books.do("delete from position where cents = 0 and (place, obligation_id) in (select from_place, obligation_id from move where from_place <> 0)")
    books.do("delete from move")
    return moved


def carry_all(books: Books, table: str, source: Place, target: Place, kind: Kind, cause: int) -> int:
    """Moves, for every row (obligation_id, cents) of a temporary table, its cents from one place to the other.

    The same as planning each row and carrying it out, for the many that go the same way: no list of moves is made, and a
    place that is emptied loses its row instead of being set to nothing first. One row an obligation at most.
    """
    rows = books.do(
        "insert into entry (obligation_id, from_place, to_place, cents, kind, cause_id) "
        f"select obligation_id, :source, :target, cents, :kind, :cause from {table} order by obligation_id",
        source=int(source),
        target=int(target),
        kind=kind.value,
        cause=cause,
    )
    books.do(
        f"insert into position (place, obligation_id, cents) select :target, obligation_id, cents from {table} where true order by obligation_id "
        "on conflict (place, obligation_id) do update set cents = position.cents + excluded.cents",
        target=int(target),
    )
    if source is Place.OUTSIDE:
        return rows
    books.temporary("part", f"obligation_id {books.number_key}, cents bigint")
    parts = books.do(
        f"insert into part select gone.obligation_id, gone.cents from {table} gone "
        "join position p on p.place = :source and p.obligation_id = gone.obligation_id where p.cents <> gone.cents",
        source=int(source),
    )
    if parts:  # the check on `position` refuses a part larger than the whole
        books.do(
            "update position set cents = position.cents - (select gone.cents from part gone where gone.obligation_id = position.obligation_id) "
            "where place = :source and obligation_id in (select obligation_id from part)",
            source=int(source),
        )
    kept = " except select obligation_id from part" if parts else ""
    emptied = books.do(
        f"delete from position where place = :source and obligation_id in (select obligation_id from {table}{kept})", source=int(source)
    )
    assert emptied + parts == rows, f"{rows - emptied - parts} moves take money from a place that holds none"
    return rows
