"""Holds: decisions become a plan and its lines, which leave at once, or wait for people, or are overtaken. Set statements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bursarbridge.ledger.holds import Decision, PlanNumbers, Verb
from bursarbridge.store.books import CHUNK, Books

_DECIDED = "account text primary key, verb text, cents bigint, code text, reason text, because text, item text, category text, user_type text, "
_DECIDED += "since_on text, by_hand smallint, again smallint"
_COLUMNS = ("account", "verb", "cents", "code", "reason", "because", "item", "category", "user_type", "since_on", "by_hand", "again")


class Decided(NamedTuple):
    """One person's decision, and the code it is told under."""

    account: str
    decision: Decision
    code: str
    reason: str
    reopened_before: str = ""
    """Told.reopened_on as it stands."""


def put_decided(books: Books, decided: Iterable[Decided]) -> list[tuple[str, str]]:
    """Stages the decisions that change something into the temporary table `decided`.

    Returns who was first seen to owe again after a release, or no longer does: account and date.
    """
    books.temporary("decided", _DECIDED)
    reopened: list[tuple[str, str]] = []
    chunk: list[tuple[object, ...]] = []
    for one in decided:
        said = one.decision
        if said.reopened_on != one.reopened_before:
            reopened.append((one.account, said.reopened_on))
        if said.verb is Verb.NONE:
            continue
        item = said.speaking
        about = (item.reference, item.category, item.user_type, item.since_on) if item else ("", "", "", "")
        row = (one.account, said.verb.value, said.cents, one.code, one.reason, said.because, *about, int(said.by_hand), int(said.again))
        chunk.append(row)
        if len(chunk) == CHUNK:
            books.stage("decided", _COLUMNS, chunk)
            chunk = []
    books.stage("decided", _COLUMNS, chunk)
    return reopened


def note_reopened(books: Books, source: int, reopened: Sequence[tuple[str, str]]) -> None:
    """Writes down when somebody was first seen to owe again."""
    sql = "update hold set reopened_on = :on where source_id = :s and account = :account"
    books.many(sql, [{"s": source, "account": account, "on": on} for account, on in reopened])


def close_unneeded(books: Books, source: int) -> None:
    """Closes the questions about lines that could not be written and that nobody would write any more."""
    if books.one("select exists (select 1 from suspense where resolved_at is null and item_key like 'hold:%')"):
        books.do(
            "update suspense set resolved_at = :at, resolution = 'overtaken' where resolved_at is null and item_key in (select 'hold:' || h.id "
            "from hold h join deciding t on t.account = h.account where h.source_id = :s "
            "and not exists (select 1 from decided d where d.account = h.account))",
            at=books.now,
            s=source,
        )


def open_plan(books: Books, source: int, flow: str, *, judged: bool) -> int:
    """Makes a plan of the staged decisions: those a guard judges, or those it does not (repeats, and releases by hand). 0 when there is none."""
    which = "d.again = 0 and d.by_hand = 0" if judged else "(d.again = 1 or d.by_hand = 1)"
    if not books.one(f"select exists (select 1 from decided d where {which})"):
        return 0
    plan = books.new(
        "insert into hold_plan (source_id, flow, run_id, made_at, state) values (:s, :flow, :run, :at, 'open')",
        s=source,
        flow=flow,
        run=books.run,
        at=books.now,
    )
    books.do(
        f"insert into hold (source_id, account) select :s, d.account from decided d where {which} "
        "and not exists (select 1 from hold h where h.source_id = :s and h.account = d.account) order by d.account",
        s=source,
    )
    books.do(
        "insert into hold_line (plan_id, line_no, hold_id, verb, cents, code, reason, because, item, category, user_type, since_on, by_hand, again, "
        "state) select :plan, row_number() over (order by d.account), h.id, d.verb, d.cents, d.code, d.reason, d.because, d.item, d.category, "
        f"d.user_type, d.since_on, d.by_hand, d.again, 'planned' from decided d join hold h on h.source_id = :s and h.account = d.account "
        f"where {which}",
        plan=plan,
        s=source,
    )
    return plan


def numbers(books: Books, source: int, plan: int) -> PlanNumbers:
    """A plan in numbers, for a guard and for people."""
    active = books.one("select count(*) from hold where source_id = :s and verb in ('place', 'change')", s=source)
    found = dict.fromkeys(("place", "change", "release"), (0, 0, 0))
    sql = "select verb, count(*), sum(cents), max(cents) from hold_line where plan_id = :p and state = 'planned' group by verb"
    found |= {str(row[0]): (int(row[1]), int(row[2]), int(row[3])) for row in books.rows(sql, p=plan)}
    cents, largest = sum(one[1] for one in found.values()), max(one[2] for one in found.values())
    return PlanNumbers(int(active), found["place"][0], found["change"][0], found["release"][0], cents, largest)


def content(books: Books, plan: int) -> str:
    """A hash of what a plan says about whom: equal for equal lines, whatever made them, and for no others."""
    told = hashlib.sha256()
    for row in books.stream(
        "select h.account, l.verb, l.code, l.reason, l.cents from hold_line l join hold h on h.id = l.hold_id "
        f"where l.plan_id = {int(plan)} and l.state = 'planned' order by l.line_no"
    ):
        told.update(json.dumps(list(row)).encode())
    return told.hexdigest()[:32]


def hold_back(books: Books, plan: int, told: PlanNumbers, reasons: Sequence[str]) -> None:
    """Keeps a plan until people have decided about it; nothing of it leaves."""
    sql = "update hold_plan set state = 'held', numbers = :numbers, reasons = :reasons where id = :id"
    books.do(sql, id=plan, numbers=json.dumps(told._asdict()), reasons=json.dumps(list(reasons)))


def held_plan(books: Books, source: int) -> int:
    """The plan that waits for people; 0 when there is none."""
    found = books.rows("select id from hold_plan where source_id = :s and state = 'held'", s=source)
    return int(found[0][0]) if found else 0


def overtake(books: Books, source: int, plan: int) -> int:
    """Gives up what is still planned of a plan; whom it was about is decided by the next evaluation. Returns how many lines that is."""
    books.do(
        "insert into hold_touched (source_id, account) select h.source_id, h.account from hold_line l join hold h on h.id = l.hold_id "
        "where l.plan_id = :p and l.state = 'planned' and h.source_id = :s on conflict do nothing",
        p=plan,
        s=source,
    )
    books.do("update hold_plan set state = 'overtaken' where id = :p and state in ('open', 'held')", p=plan)
    return books.do("update hold_line set state = 'overtaken' where plan_id = :p and state = 'planned'", p=plan)


def keep_agreed(books: Books, source: int, plan: int) -> int:
    """Drops the lines of a plan that today's decisions (staged) no longer make; returns how many.

    The same verb, amount and code still is the same decision.
    """
    agreed = (
        "select 1 from decided d join hold h on h.source_id = :s and h.account = d.account where h.id = hold_line.hold_id "
        "and d.verb = hold_line.verb and d.cents = hold_line.cents and d.code = hold_line.code and d.reason = hold_line.reason"
    )
    books.do(
        "insert into hold_touched (source_id, account) select h.source_id, h.account from hold_line join hold h on h.id = hold_line.hold_id "
        f"where hold_line.plan_id = :p and hold_line.state = 'planned' and not exists ({agreed.replace(' h ', ' g ').replace('h.', 'g.')}) "
        "on conflict do nothing",
        p=plan,
        s=source,
    )
    return books.do(f"update hold_line set state = 'overtaken' where plan_id = :p and state = 'planned' and not exists ({agreed})", p=plan, s=source)
