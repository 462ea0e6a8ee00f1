"""Slots of the timetable: each came due once, was claimed by one run at a time, and ended somehow. They never decrease (I14)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bursarbridge.store.books import Books


class Key(NamedTuple):
    """What a slot is, whatever the instant."""

    flow: str
    local_date: str
    slot: str


class SlotRow(NamedTuple):
    """A slot and what became of it; instants are UTC text, "" when there is none."""

    flow: str
    local_date: str
    slot: str
    due_at: str
    state: str
    tries: int
    run_name: str
    started_at: str
    ended_at: str
    outcome: str
    words: str

    @property
    def key(self) -> Key:
        """Its identity."""
        return Key(self.flow, self.local_date, self.slot)


class Seen(NamedTuple):
    """Since when a flow is on the timetable, and up to when its slots are written down."""

    began_at: str
    seen_at: str


_COLUMNS = "s.flow, s.local_date, s.slot, s.due_at, s.state, s.tries, s.run_name, s.started_at, s.ended_at, s.outcome, s.words"
_ONE = "flow = :flow and local_date = :local_date and slot = :slot"
_GREEN = "('completed', 'completed_with_exceptions', 'nothing_to_do')"


def seen(books: Books) -> dict[str, Seen]:
    """Every flow that was ever on the timetable."""
    return {row[0]: Seen(row[1], row[2]) for row in books.rows("select flow, began_at, seen_at from timetable")}


def begin(books: Books, flow: str) -> None:
    """Puts a flow on the timetable as of now: nothing before now is ever due."""
    sql = (
        "insert into timetable (flow, began_at, seen_at) values (:flow, :now, :now) on conflict (flow) do update set began_at = :now, seen_at = :now"
    )
    books.do(sql, flow=flow, now=books.now)


def leave(books: Books, flow: str) -> None:
    """Takes a flow off the timetable; what was due and did not run is skipped."""
    books.do("delete from timetable where flow = :flow", flow=flow)
    sql = "update slot set state = 'skipped', ended_at = :now, words = 'taken off the timetable' where flow = :flow and state = 'due'"
    books.do(sql, flow=flow, now=books.now)


def note(books: Books, found: Iterable[tuple[Key, str]], flow: str) -> None:
    """Writes down the slots of a flow that came due up to now; one that is there already stays as it is."""
    books.many(
        "insert into slot (flow, local_date, slot, due_at, state) values (:flow, :local_date, :slot, :due_at, 'due') "
        "on conflict (flow, local_date, slot) do nothing",
        [{**key._asdict(), "due_at": due_at} for key, due_at in found],
    )
    books.do("update timetable set seen_at = :now where flow = :flow and seen_at < :now", flow=flow, now=books.now)


def waiting(books: Books) -> list[SlotRow]:
    """The slots that are not over, oldest first."""
    return _rows(books, "where s.state in ('due', 'running') order by s.due_at, s.flow, s.slot")


def claim(books: Books, key: Key, run_name: str) -> bool:
    """Gives a slot to a run; False when another one has it or had it, or when a later slot of the flow went before."""
    sql = (
        f"update slot set state = 'running', run_name = :run_name, started_at = :now, tries = tries + 1, words = '' where {_ONE} and state = 'due' "
        "and not exists (select 1 from slot other where other.flow = :flow and (other.state = 'running' "
        "or (other.due_at > slot.due_at and other.state in ('done', 'failed', 'held'))))"
    )
    books.take_turn()
    return books.do(sql, **key._asdict(), run_name=run_name, now=books.now) == 1


def settle(books: Books, key: Key, run_name: str, state: str, outcome: str, words: str) -> bool:
    """Writes down how the run of a slot ended; `due` puts it back to be tried again. False when the slot is not that run's any more."""
    sql = (
        "update slot set state = :state, outcome = :outcome, words = :words, ended_at = :ended "
        f"where {_ONE} and state = 'running' and run_name = :run_name"
    )
    ended = "" if state == "due" else books.now
    return books.do(sql, **key._asdict(), run_name=run_name, state=state, outcome=outcome, words=words, ended=ended) == 1


def pass_over(books: Books, key: Key, state: str, words: str) -> bool:
    """Ends a slot that never ran, as skipped or missed."""
    sql = f"update slot set state = :state, words = :words, ended_at = :now where {_ONE} and state = 'due'"
    return books.do(sql, **key._asdict(), state=state, words=words, now=books.now) == 1


def left_behind(books: Books) -> list[tuple[SlotRow, str, str]]:
    """Slots of runs that nobody settled, each with its run's outcome ("" while it goes on) and whether there is such a run ("" or its name)."""
    found = books.rows(
        f"select {_COLUMNS}, coalesce(r.outcome, ''), coalesce(r.name, '') from slot s left join run r on r.name = s.run_name "
        "where s.state = 'running'"
    )
    return [(SlotRow._make(row[:11]), row[11], row[12]) for row in found]


def newest(books: Books, flow: str, *states: str) -> SlotRow | None:
    """The newest slot of a flow in one of some states."""
    words = ", ".join(f"'{state}'" for state in states)
    found = _rows(books, f"where s.flow = :flow and s.state in ({words}) order by s.due_at desc, s.slot desc limit 1", flow=flow)
    return found[0] if found else None


def one(books: Books, key: Key) -> SlotRow | None:
    """A slot by its identity; None when it never came due."""
    found = _rows(books, "where s.flow = :flow and s.local_date = :local_date and s.slot = :slot", **key._asdict())
    return found[0] if found else None


def newest_due_at(books: Books, flow: str, before: str) -> str:
    """When the newest slot of a flow up to an instant was due; "" when there was none."""
    sql = "select coalesce(max(due_at), '') from slot where flow = :flow and due_at <= :before and state <> 'skipped'"
    return str(books.one(sql, flow=flow, before=before))


def last_green(books: Books, flow: str) -> str:
    """When the newest good run of a flow ended, by hand or by the timetable; "" when there was none."""
    found = books.rows(f"select ended_at from run where flow = :flow and outcome in {_GREEN} order by id desc limit 1", flow=flow)
    return str(found[0][0]) if found else ""


def _rows(books: Books, rest: str, **values: object) -> list[SlotRow]:
    return [SlotRow._make(row) for row in books.rows(f"select {_COLUMNS} from slot s {rest}", **values)]
