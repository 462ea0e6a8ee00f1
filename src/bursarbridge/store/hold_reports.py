"""What a report about holds is made of: a run, whom it told of and why, what is stuck, and what the bursar has said. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bursarbridge.store.books import Books
from bursarbridge.store.hold_batches import reference
from bursarbridge.store.hold_views import LATE_LINES, late_batches
from bursarbridge.store.open_items import WAITING

TOLD_BY = "report-holds-after-"
"""How the run is called that mails the report about another one, before that one's name: once for each."""
_NEWEST = 1000
"""Runs among which one is looked for that was not told of yet."""
_TOO_OLD = timedelta(days=7)
"""A run that ended longer ago is not told of any more; it is on the command line."""


class HoldRun(NamedTuple):
    """One run of a flow that holds."""

    number: int
    name: str
    flow: str
    at: str
    """UTC."""
    outcome: str
    summary: dict[str, Any]
    newest: bool
    """Whether no later run of the flow has ended."""


class ToldLine(NamedTuple):
    """One person in one of a run's two documents."""

    hold: int
    account: str
    reference: str
    """Our name of the hold at the bursar, which names no person."""
    verb: str
    cents: int
    before_cents: int
    """What was told before, 0 when no hold was on."""
    code: str
    reason: str
    because: str
    category: str
    since_on: str
    by_hand: bool
    again: bool
    state: str
    """sent, assumed, seen or overtaken."""
    confirmed_at: str


class StuckLine(NamedTuple):
    """One hold that a person should look at."""

    account: str
    reference: str
    kind: str
    """release, still, told or unwritten."""
    cents: int
    """What was or is told to be owed."""
    told_at: str
    """When it was told first, or when it could not be written."""
    expected_at: str
    document: str
    suspense: int
    words: str


class DocumentView(NamedTuple):
    """One of a run's documents as it stands."""

    name: str
    kind: str
    state: str
    lines: int
    cents: int
    sent_at: str
    expected_at: str
    answered_at: str
    assumed: bool
    proof: str


def untold(books: Books, flows: Sequence[str]) -> list[str]:
    """Runs of these flows that ended, lately, and of which no report was begun; oldest first."""
    since = (datetime.fromisoformat(books.now) - _TOO_OLD).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = books.rows(
        "select name from run r where id > (select coalesce(max(id), 0) from run) - :newest and ended_at >= :since and outcome <> 'failed' "
        f"and flow in ({_listed(flows)}) and not exists (select 1 from run t where t.name = :told || r.name) order by id",
        newest=_NEWEST,
        since=since,
        told=TOLD_BY,
    )
    return [str(row[0]) for row in found]


def run_of(books: Books, flows: Sequence[str], name: str = "") -> HoldRun | None:
    """The run of that name, or the newest that ended well; None when there is none."""
    chosen = "name = :name" if name else "outcome <> 'failed' order by id desc"
    found = books.rows(
        f"select id, name, flow, started_at, outcome, summary from run where flow in ({_listed(flows)}) "
        f"and ended_at is not null and {chosen} limit 1",
        **({"name": name} if name else {}),
    )
    if not found:
        return None
    number, named, flow, at, outcome, summary = found[0]
    later = books.one(
        "select exists (select 1 from run where flow = :flow and id > :id and ended_at is not null and outcome <> 'failed')", flow=flow, id=number
    )
    return HoldRun(int(number), named, flow, at, outcome, json.loads(summary), not later)


def _listed(flows: Sequence[str]) -> str:
    """Names of flows as SQL lists them."""
    for flow in flows:
        assert "'" not in flow
    return ", ".join(f"'{flow}'" for flow in flows)


def told_lines(books: Books, run: int, prefix: str, verbs: Sequence[str], limit: int = 0) -> list[ToldLine]:
    """Whom a run told of with these verbs, by account, what was not told before first; at most `limit` unless it is 0."""
    listed = ", ".join(f"'{verb}'" for verb in verbs)
    rows = books.rows(
        "select h.id, h.account, l.verb, l.cents, coalesce((select p.cents from hold_line p where p.hold_id = l.hold_id and p.sealed_run = "
        "(select max(q.sealed_run) from hold_line q where q.hold_id = l.hold_id and q.sealed_run < l.sealed_run and "
        "(l.again = 0 or q.verb <> l.verb))), 0), l.code, l.reason, l.because, l.category, l.since_on, l.by_hand, l.again, l.state, "
        "case when h.batch_id = l.batch_id then h.confirmed_at else '' end from hold_line l join hold h on h.id = l.hold_id "
        f"where l.sealed_run = :run and l.verb in ({listed}) order by l.again, h.account{' limit :limit' if limit else ''}",
        run=run,
        **({"limit": limit} if limit else {}),
    )
    return [_line(prefix, row) for row in rows]


def _line(prefix: str, row: tuple[Any, ...]) -> ToldLine:
    number, account, verb, cents, before, code, reason, because, category, since_on, by_hand, again, state, confirmed_at = row
    return ToldLine(
        int(number),
        account,
        reference(prefix, int(number)),
        verb,
        int(cents),
        int(before),
        code,
        reason,
        because,
        category,
        since_on,
        bool(by_hand),
        bool(again),
        state,
        confirmed_at,
    )


def told_totals(books: Books, run: int) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Of what a run told, without repeats: code, reason and verb to how many and their cents."""
    rows = books.rows(
        "select code, reason, verb, count(*), sum(cents) from hold_line where sealed_run = :run and again = 0 group by code, reason, verb", run=run
    )
    return {(row[0], row[1], row[2]): (int(row[3]), int(row[4])) for row in rows}


def ordered_by(books: Books, source: int, account: str, at: str) -> tuple[str, str]:
    """Who ordered a person's release last before an instant, and until which day."""
    sql = "select actor, until_on from hold_release where source_id = :s and account = :a and at <= :at order by id desc limit 1"
    found = books.rows(sql, s=source, a=account, at=at)
    return (found[0][0], found[0][1]) if found else ("", "")


def cleared_violations(books: Books, source: int, account: str) -> set[str]:
    """What the office said last of a person's violations: open, disputed, and of those that are over the newest ones' states."""
    rows = books.rows("select status, cents, delivery_id from violation where source_id = :s and account = :a", s=source, a=account)
    over = [row for row in rows if not row[1]]
    newest = max((int(row[2]) for row in over), default=0)
    return {str(row[0]) for row in rows if row[1]} | {str(row[0]) for row in over if row[2] == newest}


def cleared_charges(books: Books, source: int, account: str) -> set[str]:
    """How a person's charges left the student account last: the kind of the newest entry that took one away."""
    rows = books.rows(
        "select e.kind from entry e join obligation o on o.id = e.obligation_id where o.source_id = :s and o.account = :a and e.from_place = 3 "
        "order by e.id desc limit 1",
        s=source,
        a=account,
    )
    return {str(row[0]) for row in rows}


def stuck_lines(books: Books, source: int, prefix: str, limit: int) -> list[StuckLine]:
    """What was told and not confirmed in time, and what could not be written; oldest first, releases before the rest."""
    return [*_late_releases(books, source, prefix, limit), *_late_tellings(books, source, prefix, limit), *_unwritten(books, source, limit)][:limit]


def _late_releases(books: Books, source: int, prefix: str, limit: int) -> list[StuckLine]:
    first = (
        "from hold_line l join batch b on b.id = l.batch_id where l.hold_id = h.id and l.verb = 'release' and b.id > "
        "coalesce((select max(p.batch_id) from hold_line p where p.hold_id = h.id and p.verb = 'place'), 0)"
    )
    rows = books.rows(
        f"select h.id, h.account, h.repair, (select min(b.sealed_at) {first}), (select min(b.expected_at) {first}), "
        "(select b.document from batch b where b.id = h.batch_id), coalesce((select p.cents from hold_line p where p.hold_id = h.id "
        "and p.verb <> 'release' and p.sealed_run = (select max(q.sealed_run) from hold_line q where q.hold_id = h.id and q.verb <> 'release')), 0) "
        f"from hold h where h.source_id = :s and {WAITING} and h.verb = 'release' and (h.confirmed = '' or h.repair <> '') "
        f"and (h.repair = 'still' or exists (select 1 {first} and b.expected_at < :now)) order by 4, h.account limit :limit",
        s=source,
        now=books.now,
        limit=limit,
    )
    return [
        StuckLine(r[1], reference(prefix, int(r[0])), "still" if r[2] == "still" else "release", int(r[6]), r[3] or "", r[4] or "", r[5] or "", 0, "")
        for r in rows
    ]


def _late_tellings(books: Books, source: int, prefix: str, limit: int) -> list[StuckLine]:
    batches = late_batches(books)
    if not batches:
        return []
    rows = books.rows(
        f"select h.id, h.account, l.cents, b.sealed_at, b.expected_at, b.document {LATE_LINES.format(batches)} order by b.id, h.account limit :limit",
        s=source,
        limit=limit,
    )
    return [StuckLine(r[1], reference(prefix, int(r[0])), "told", int(r[2]), r[3], r[4], r[5], 0, "") for r in rows]


def _unwritten(books: Books, source: int, limit: int) -> list[StuckLine]:
    if not books.one("select exists (select 1 from suspense where resolved_at is null and item_key like 'hold:%')"):
        return []
    rows = books.rows(
        "select s.account, s.reference, s.cents, s.opened_at, s.id, s.code from suspense s join hold h on s.item_key = 'hold:' || h.id "
        "where s.resolved_at is null and s.item_key like 'hold:%' and h.source_id = :s order by s.id limit :limit",
        s=source,
        limit=limit,
    )
    return [StuckLine(r[0], r[1], "unwritten", int(r[2]), r[3], "", "", int(r[4]), str(r[5]).replace("_", " ")) for r in rows]


def documents(books: Books, run: int) -> list[DocumentView]:
    """The documents that a run sealed, as they stand now."""
    rows = books.rows(
        "select b.document, b.kind, b.state, b.lines, b.cents, coalesce(b.sent_at, ''), coalesce(b.expected_at, ''), coalesce(b.answered_at, ''), "
        "b.assumed, coalesce(b.proof, '') from batch b where b.id in (select batch_id from hold_line where sealed_run = :run) order by b.id",
        run=run,
    )
    return [DocumentView(r[0], r[1], r[2], int(r[3]), int(r[4]), r[5], r[6], r[7], bool(r[8]), r[9]) for r in rows]
