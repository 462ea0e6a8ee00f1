"""Questions about holds: what a run told, what stands, what is stuck, what happened to one person's hold. They change nothing."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from bursarbridge.store.books import Books
from bursarbridge.store.open_items import WAITING

_LATE = (
    "(h.repair = 'still' or (h.verb = 'release' and h.confirmed = '' and exists (select 1 from hold_line l join batch b on b.id = l.batch_id "
    "where l.hold_id = h.id and l.verb = 'release' and b.expected_at < :now and b.id > "
    "coalesce((select max(p.batch_id) from hold_line p where p.hold_id = h.id and p.verb = 'place'), 0))))"
)
"""A release whose confirmation was expected by now, counted from when it was told first."""
_UNSEEN = (
    "(h.verb in ('place', 'change') and h.confirmed = '' and exists (select 1 from batch b where b.id = h.batch_id "
    "and b.state in ('SENT', 'RECEIVED') and b.expected_at < :now))"
)
"""A hold that was told, and whose confirmation was expected by now."""

LATE_LINES = (
    "from batch b cross join hold_line l cross join hold h where b.id in ({}) and l.batch_id = b.id and l.state = 'sent' and h.id = l.hold_id "
    "and h.source_id = :s"
)
"""Lines of late batches that nothing is known of. SQLite begins a cross join with the first: late batches are few, holds are many."""


class CodeTotal(TypedDict):
    """The holds under one code."""

    code: str
    reason: str
    count: int
    cents: int


class HoldView(NamedTuple):
    """One person's hold as people look at it."""

    source: str
    account: str
    code: str
    reason: str
    verb: str
    """What the bursar was told last: place, change or release."""
    cents: int
    placed_on: str
    told_at: str
    confirmed: str
    confirmed_at: str
    repair: str
    stuck: bool


class LineView(NamedTuple):
    """One line of a plan, as it was told or would be."""

    account: str
    verb: str
    cents: int
    because: str
    item: str
    category: str
    since_on: str
    by_hand: bool
    again: bool
    state: str


class EventView(NamedTuple):
    """One thing that happened to a person's hold."""

    at: str
    verb: str
    cents: int
    because: str
    document: str
    state: str


class OrderView(NamedTuple):
    """A person's order that somebody be released."""

    source: str
    at: str
    actor: str
    reason: str
    until_on: str


def told_in(books: Books, run: int) -> dict[str, int]:
    """How many people a run told the bursar about, by verb; repeats apart under `again`."""
    found: dict[str, int] = {}
    for verb, again, count in books.rows("select verb, again, count(*) from hold_line where sealed_run = :run group by verb, again", run=run):
        name = "again" if again else str(verb)
        found[name] = found.get(name, 0) + int(count)
    return found


def standing(books: Books, source: int) -> list[CodeTotal]:
    """The holds of a source that the bursar was told are on, by code: how many, and the totals owed."""
    on = "from hold where source_id = :s and verb in ('place', 'change')"
    # Most sources know one code: then one pass tells, without sorting every hold into its group.
    count, cents, *ends = books.rows(f"select count(*), sum(cents), min(code), min(reason), max(code), max(reason) {on}", s=source)[0]
    if not count:
        return []
    rows = [(ends[0], ends[1], count, cents)]
    if ends[:2] != ends[2:]:
        rows = books.rows(f"select code, reason, count(*), sum(cents) {on} group by code, reason order by code, reason", s=source)
    return [CodeTotal(code=row[0], reason=row[1], count=int(row[2]), cents=int(row[3])) for row in rows]


def stuck_count(books: Books, source: int) -> int:
    """How many holds of a source a person should look at: what was told and not confirmed in time, and lines that could not be written."""
    late = books.one(f"select count(*) from hold h where h.source_id = :s and {WAITING} and {_LATE}", s=source, now=books.now)
    if batches := late_batches(books):
        late += books.one(f"select count(*) {LATE_LINES.format(batches)}", s=source)
    if not books.one("select exists (select 1 from suspense where resolved_at is null and item_key like 'hold:%')"):
        return int(late)
    unwritten = books.one(
        "select count(*) from suspense s join hold h on s.item_key = 'hold:' || h.id where s.resolved_at is null and s.item_key like 'hold:%' "
        "and h.source_id = :s",
        s=source,
    )
    return int(late) + int(unwritten)


def late_batches(books: Books) -> str:
    """The numbers of the documents of Holds Added whose confirmation was expected by now, as a list in SQL; "" when there is none."""
    rows = books.rows("select id from batch where kind = 'holds_added' and state in ('SENT', 'RECEIVED') and expected_at < :now", now=books.now)
    return ", ".join(str(int(row[0])) for row in rows)


def board(books: Books, account: str = "") -> list[HoldView]:
    """The holds that are on or whose release is not confirmed, stuck ones first; of one person every hold there ever was."""
    where = "h.account = :account" if account else "h.verb in ('place', 'change') or (h.verb = 'release' and h.confirmed = '') or h.repair <> ''"
    rows = books.rows(
        f"select s.name, h.account, h.code, h.reason, h.verb, h.cents, h.placed_on, h.told_at, h.confirmed, h.confirmed_at, h.repair, "
        f"case when {_LATE} or {_UNSEEN} then 1 else 0 end from hold h join source s on s.id = h.source_id where h.verb <> '' and ({where}) "
        "order by 12 desc, s.name, h.account",
        now=books.now,
        **({"account": account} if account else {}),
    )
    return [HoldView._make((*row[:5], int(row[5]), *row[6:11], bool(row[11]))) for row in rows]


def plan_of(books: Books, run: int) -> list[LineView]:
    """What a run planned or told, by verb and account."""
    rows = books.rows(
        "select h.account, l.verb, l.cents, l.because, l.item, l.category, l.since_on, l.by_hand, l.again, l.state from hold_line l "
        "join hold h on h.id = l.hold_id join hold_plan p on p.id = l.plan_id where p.run_id = :run or l.sealed_run = :run "
        "order by case l.verb when 'place' then 0 when 'change' then 1 else 2 end, h.account",
        run=run,
    )
    return [LineView(r[0], r[1], int(r[2]), r[3], r[4], r[5], r[6], bool(r[7]), bool(r[8]), r[9]) for r in rows]


def history(books: Books, source: int, account: str) -> list[EventView]:
    """What the bursar was told about one person, oldest first."""
    rows = books.rows(
        "select coalesce(b.sent_at, b.sealed_at, p.made_at), l.verb, l.cents, l.because, coalesce(b.document, ''), l.state from hold_line l "
        "join hold h on h.id = l.hold_id join hold_plan p on p.id = l.plan_id left join batch b on b.id = l.batch_id "
        "where h.source_id = :s and h.account = :account order by l.plan_id, l.line_no",
        s=source,
        account=account,
    )
    return [EventView(r[0], r[1], int(r[2]), r[3], r[4], r[5]) for r in rows]


def orders(books: Books, account: str = "") -> list[OrderView]:
    """Releases that people ordered, oldest first."""
    where = "where r.account = :account" if account else ""
    rows = books.rows(
        f"select s.name, r.at, r.actor, r.reason, r.until_on from hold_release r join source s on s.id = r.source_id {where} order by r.id",
        **({"account": account} if account else {}),
    )
    return [OrderView(*row) for row in rows]
