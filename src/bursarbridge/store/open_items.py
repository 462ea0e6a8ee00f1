"""Open items: who has to be decided anew for a hold, and what each of them owes now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from bursarbridge.ledger.holds import OpenItem, Override, Told
from bursarbridge.store.books import Books


class Basis(StrEnum):
    """What a source's holds are about: violations as the source states them, or charges that are open on the student account."""

    VIOLATIONS = "violations"
    ACCOUNT = "account"


class Marks(NamedTuple):
    """How far a source's holds were evaluated."""

    fingerprint: str = ""
    """Of the policy and of the day's circumstances; another one decides everybody anew."""
    evaluated_on: str = ""
    delivery: int = 0
    entry: int = 0
    release: int = 0
    compared: int = 0
    """The newest list of the bursar's that was compared."""


class Person(NamedTuple):
    """One person to be decided, with all that counts."""

    account: str
    hold: int
    """The row in `hold`; 0 when there is none."""
    told: Told
    override: Override | None
    items: list[OpenItem]


_OPEN = "v.source_id = {source} and v.cents > 0 and v.status in ('open', 'disputed')"
_SINCE = "case when o.assessed_on <> '' then o.assessed_on else substr(c.at, 1, 10) end"
WAITING = "((h.verb = 'release' and h.confirmed = '') or h.repair <> '' or h.reopened_on <> '')"
"""A hold (h) that waits for something, word for word as the index hold_waiting has it: SQLite uses it for nothing else."""


def marks(books: Books, source: int) -> Marks:
    """How far the source's holds were evaluated; nothing yet for one that never was."""
    found = books.rows(
        "select fingerprint, evaluated_on, last_delivery, last_entry, last_release, compared from hold_state where source_id = :s", s=source
    )
    return Marks(found[0][0], found[0][1], *(int(one) for one in found[0][2:])) if found else Marks()


def mark(books: Books, source: int, marks: Marks) -> None:
    """Writes down that everything up to these marks was evaluated."""
    books.do(
        "insert into hold_state (source_id, fingerprint, evaluated_on, last_delivery, last_entry, last_release, compared) "
        "values (:s, :fingerprint, :evaluated_on, :delivery, :entry, :release, :compared) on conflict (source_id) do update set "
        "fingerprint = excluded.fingerprint, evaluated_on = excluded.evaluated_on, last_delivery = excluded.last_delivery, "
        "last_entry = excluded.last_entry, last_release = excluded.last_release, compared = excluded.compared",
        s=source,
        **marks._asdict(),
    )


def newest(books: Books, fingerprint: str, today: str, compared: int) -> Marks:
    """The marks of an evaluation of everything there is now."""
    row = books.rows(
        "select (select coalesce(max(id), 0) from delivery), (select coalesce(max(id), 0) from entry), "
        "(select coalesce(max(id), 0) from hold_release)"
    )[0]
    return Marks(fingerprint, today, int(row[0]), int(row[1]), int(row[2]), compared)


def touch(books: Books, account: str) -> None:
    """Has a person decided by the next run of every source: for whoever changes what is owed outside of a delivery."""
    books.do("insert into hold_touched (source_id, account) select id, :account from source where true on conflict do nothing", account=account)


def begin(books: Books) -> None:
    """An empty list of people to decide: the temporary table `deciding`."""
    books.temporary("deciding", "account text primary key")


def choose(books: Books, source: int, basis: Basis, grace_days: int, today: str, since: Marks) -> None:
    """Puts everybody on the list for whom something may have changed since those marks; the rest stays as it is decided."""
    chosen = [*_asked_for(source, today, since)]
    if basis is Basis.VIOLATIONS:
        chosen += _violations(source, grace_days, today, since)
    else:
        chosen += _account(source, grace_days, today, since)
    _put(books, chosen)


def choose_all(books: Books, source: int, basis: Basis, today: str, since: Marks) -> None:
    """Puts everybody on the list who owes something or has a hold."""
    owing = f"select v.account from violation v where {_OPEN.format(source=source)}"
    if basis is Basis.ACCOUNT:
        owing = f"select o.account from position p join obligation o on o.id = p.obligation_id where p.place = 3 and o.source_id = {source}"
    _put(books, [owing, f"select account from hold where source_id = {source} and verb in ('place', 'change')", *_asked_for(source, today, since)])


def choose_planned(books: Books, plan: int) -> None:
    """Puts everybody on the list whom a plan that waits is about."""
    _put(books, [f"select h.account from hold_line l join hold h on h.id = l.hold_id where l.plan_id = {plan} and l.state = 'planned'"])


def choose_told(books: Books, run: int) -> None:
    """Puts everybody on the list of whom a run told that they owe."""
    _put(books, [f"select h.account from hold_line l join hold h on h.id = l.hold_id where l.sealed_run = {int(run)} and l.verb <> 'release'"])


def choose_one(books: Books, account: str) -> None:
    """Puts one person on the list, known or not."""
    books.do("insert into deciding (account) values (:account) on conflict do nothing", account=account)


def leave_out_told(books: Books, source: int) -> None:
    """Takes those off the list whom this run has told of already; the next run decides them (nobody is in two files of one run)."""
    if not books.one("select exists (select 1 from hold_line where sealed_run = :run)", run=books.run):
        return
    told = "select h.account from hold_line l join hold h on h.id = l.hold_id where l.sealed_run = :run and h.source_id = :s"
    books.do(
        f"insert into hold_touched (source_id, account) select :s, account from deciding where account in ({told}) on conflict do nothing",
        s=source,
        run=books.run,
    )
    books.do(f"delete from deciding where account in ({told})", s=source, run=books.run)


def forget_touched(books: Books, source: int) -> None:
    """Whoever was named for a decision is on the list now."""
    books.do("delete from hold_touched where source_id = :s", s=source)


def _put(books: Books, chosen: list[str]) -> None:
    for one in chosen:
        books.do(f"insert into deciding (account) select account from ({one}) as chosen where true on conflict do nothing")


def _asked_for(source: int, today: str, since: Marks) -> list[str]:
    """Those named for a decision, those whose hold waits for something, and those for whom an order begins or ends."""
    return [
        f"select account from hold_touched where source_id = {source}",
        f"select h.account from hold h where h.source_id = {source} and {WAITING}",
        f"select account from hold_release where source_id = {source} and (id > {since.release} "
        f"or (until_on >= '{since.evaluated_on}' and until_on < '{today}'))",
    ]


def _violations(source: int, grace_days: int, today: str, since: Marks) -> list[str]:
    return [
        f"select account from violation_news where source_id = {source} and delivery_id > {since.delivery}",
        f"select account from violation where source_id = {source} and cents > 0 and violated_on > '{_back(since.evaluated_on, grace_days)}' "
        f"and violated_on <= '{_back(today, grace_days)}'",
    ]


def _account(source: int, grace_days: int, today: str, since: Marks) -> list[str]:
    return [
        f"select o.account from entry e join obligation o on o.id = e.obligation_id where e.id > {since.entry} and o.source_id = {source} "
        "and (e.from_place = 3 or e.to_place = 3)",
        f"select account from (select o.account, {_SINCE} as since_on from position p join obligation o on o.id = p.obligation_id "
        f"join cause c on c.id = o.cause_id where p.place = 3 and o.source_id = {source}) as owed "
        f"where since_on > '{_back(since.evaluated_on, grace_days)}' and since_on <= '{_back(today, grace_days)}'",
    ]


def people(books: Books, source: int, basis: Basis) -> Iterator[Person]:
    """Everybody on the list, streamed by account, with what they owe and what was told; the list must not change meanwhile."""
    told = "h.id, h.verb, h.cents, h.told_at, h.told_on, h.code, h.reason, h.confirmed, h.repair, h.reopened_on"
    order = "r.at, r.released_on, r.until_on, r.actor, r.reason"
    last = f"(select max(id) from hold_release where source_id = {source} and account = t.account)"
    if basis is Basis.VIOLATIONS:
        items = "v.reference, v.category, v.user_type, v.violated_on, v.cents, v.status"
        owed = f"left join violation v on v.account = t.account and {_OPEN.format(source=source)}"
        number = "v.id"
    else:
        items, number = "v.source_reference, v.category, '', v.since_on, v.cents, 'open'", "v.id"
        owed = (
            f"left join (select o.id, o.account, o.source_reference, o.category, {_SINCE} as since_on, p.cents from obligation o "
            f"join position p on p.place = 3 and p.obligation_id = o.id join cause c on c.id = o.cause_id where o.source_id = {source}) v "
            "on v.account = t.account"
        )
    books.measure("deciding", "hold", *(("violation",) if basis is Basis.VIOLATIONS else ("obligation", "position", "cause")))
    rows = books.stream(
        f"select t.account, {told}, {order}, {items} from deciding t left join hold h on h.source_id = {source} and h.account = t.account "
        f"left join hold_release r on r.id = {last} {owed} order by t.account, {number}"
    )
    person: Person | None = None
    for row in rows:
        if person is None or person.account != row[0]:
            if person is not None:
                yield person
            person = _person(row)
        if row[16] is not None:
            person.items.append(OpenItem(row[16], row[17], row[18], row[19], int(row[20]), row[21] == "disputed"))
    if person is not None:
        yield person


def _person(row: tuple[object, ...]) -> Person:
    number, verb, cents, told_at, told_on, *known = row[1:11]
    told = Told(str(verb), int(str(cents)), str(told_at), str(told_on), *map(str, known)) if number is not None else Told()
    override = Override(*map(str, row[11:16])) if row[11] is not None else None
    return Person(str(row[0]), int(str(number or 0)), told, override, [])


def _back(on: str, days: int) -> str:
    return (date.fromisoformat(on) - timedelta(days=days)).isoformat() if on else ""
