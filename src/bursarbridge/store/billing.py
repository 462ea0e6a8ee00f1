"""Violations that are billed: which become charges, and what the newest word on each does to the charge that was made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.ledger.billing import EXACT, PAID_THERE, Ask, Billed, TakeBack, decide_billed
from bursarbridge.ledger.facts import Charge, Credit, Standing, Violation
from bursarbridge.ledger.money import shown
from bursarbridge.store import charges, suspense
from bursarbridge.store import credits as credit_book
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.tally import Count, Tally

_DAY = re.compile(r"(20[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])[0-9]{6}", re.ASCII)
"""The time of a list, where its office gives one and no running number."""
_TOLD = (
    "coalesce((select sum(l.cents) from batch_line l where l.obligation_id = o.id and l.from_place = 4 and l.state <> 'refused'), 0) "
    "- coalesce((select sum(s.cents) from suspense s where s.obligation_id = o.id and s.code = 'reopened' and s.resolution = 'opened'), 0)"
)
"""As batches.take counts it: what the source was told is paid, less what a person opened there again."""
_BILLED = (
    "select v.reference, v.account, v.category, v.cents, v.violated_on, v.status, v.user_type, o.id, o.extra, o.account, o.cents, "
    f"coalesce((select p.cents from position p where p.place = 1 and p.obligation_id = o.id), 0), {_TOLD}, coalesce(t.cents, 0), "
    "coalesce((select sum(e.cents) from entry e join cause c on c.id = e.cause_id where e.obligation_id = o.id and e.kind = 'withdrawal' "
    "and e.from_place = 1 and c.kind = 'person'), 0), coalesce((select max(a.code) from suspense a where a.resolved_at is null "
    "and a.obligation_id = o.id and a.blocks = 1), '') "
    "from violation_news w join violation v on v.source_id = w.source_id and v.account = w.account and v.delivery_id = w.delivery_id "
    "join obligation o on o.source_id = v.source_id and o.source_reference = v.reference "
    "left join (select item, sum(cents) as cents from credit where source_id = :source group by item) t on t.item = v.reference "
    "where w.source_id = :source and w.delivery_id = :delivery and o.cents > 0 order by v.id"
)


class Bill(NamedTuple):
    """One delivery whose violations are billed."""

    source: int
    channel: str
    delivery: int
    cause: int
    user_types: tuple[str, ...]
    """Whose violations are billed, as the source writes it; () for everybody's."""
    tells_paid: bool


def charge_new(books: Books, bill: Bill) -> None:
    """Makes a charge of every violation that is open, billed and was never handed over (ledger.billing.is_to_be_billed), whoever told of it.

    What it keeps as `extra` is the time of the list that handed it over: from then on it cannot be paid at the source (parking.md W).
    """
    charges.begin(books)
    types = {f"type{number}": one for number, one in enumerate(bill.user_types)}
    whose = f"and v.user_type in ({', '.join(f':{name}' for name in types)}) " if types else ""
    new = (
        "select v.reference, v.account, v.category, v.cents, v.violated_on, v.reference, '', v.as_of from violation v "
        f"where v.source_id = :source and v.cents > 0 and v.status = 'open' {whose}and not exists (select 1 from obligation o "
        f"where o.source_id = v.source_id and o.source_reference = v.reference) order by v.id limit {CHUNK}"
    )
    while rows := books.rows(new, source=bill.source, **types):
        charges.post(books, bill.source, bill.channel, bill.delivery, bill.cause, [_charge(row) for row in rows], Tally())


def change_billed(books: Books, bill: Bill) -> Count:
    """Carries out what the delivery says of violations that were handed over before; returns what became a question by it."""
    taken: list[Credit] = []
    asked: list[suspense.Item] = []
    settled: list[int] = []
    for row in books.rows(_BILLED, source=bill.source, delivery=bill.delivery):
        now = Violation(str(row[0]), str(row[1]), str(row[2]), int(row[3]), str(row[4]), Standing(row[5]), str(row[6]))
        obligation, handed_over, billed = int(row[7]), str(row[8]), Billed(str(row[9]), *(int(one) for one in row[10:15]))
        decision = decide_billed(now, billed, tells_paid=bill.tells_paid)
        if isinstance(decision, Ask):
            asked.append(_question(bill, now, obligation, decision))
        else:
            settled.append(obligation)
        if isinstance(decision, TakeBack):
            taken.append(_credit(bill, now, billed.account, handed_over, decision))
        _keep_back(books, bill, now, obligation, billed.unbilled, str(row[15]))
    waiting = _take_back(books, bill, taken)
    _close(books, settled)
    opened = [one for one in asked if not suspense.is_open(books, one.key)]
    undecided = suspense.put_undecided(books, bill.channel, asked)
    fresh = [one for one in opened if one.key in undecided]
    return Count(len(fresh) + waiting.count, sum(one.cents for one in fresh) + waiting.cents)


def _charge(row: Sequence[object]) -> Charge:
    reference, account, category, cents, *rest = row
    return Charge(str(reference), str(account), str(category), int(str(cents)), *map(str, rest))


def _credit(bill: Bill, now: Violation, account: str, handed_over: str, decision: TakeBack) -> Credit:
    comment = PAID_THERE if decision.asked else ""
    day = _DAY.fullmatch(handed_over)
    since = "-".join(day.groups()) if day else handed_over
    return Credit(f"{now.reference}@{bill.delivery}", account, decision.cents, "", now.reference, "", comment, since)


def _take_back(books: Books, bill: Bill, taken: Sequence[Credit]) -> Count:
    if not taken:
        return Count()
    tally = Tally()
    credit_book.begin(books)
    credit_book.stage(books, 0, taken)
    credit_book.post(books, bill.source, bill.channel, bill.delivery, bill.cause, EXACT, tally)
    return Count(tally.suspended.count + tally.conflicts.count, tally.suspended.cents + tally.conflicts.cents)


def _question(bill: Bill, now: Violation, obligation: int, decision: Ask) -> suspense.Item:
    key = f"billed:{obligation}:{now.account}"
    return suspense.Item(key, "conflict", decision.words, now.reference, now.account, decision.cents, delivery=bill.delivery, obligation=obligation)


def _keep_back(books: Books, bill: Bill, now: Violation, obligation: int, unbilled: int, blocked: str) -> None:
    """A violation under appeal that is not billed yet stays out of every file until the appeal is decided."""
    key = f"blocked:{obligation}"
    if blocked == "appealed" and now.status is not Standing.DISPUTED:
        suspense.close(books, key, "the appeal is decided")
    if blocked or not unbilled or now.status is not Standing.DISPUTED:
        return
    words = f"violation {now.reference} is under appeal; {shown(unbilled)} is billed when the parking office says that it stands"
    item = suspense.Item(key, "appealed", words, now.reference, now.account, unbilled, blocks=True, delivery=bill.delivery, obligation=obligation)
    suspense.put(books, bill.channel, [item])


def _close(books: Books, settled: Sequence[int]) -> None:
    """Questions that a newer word has answered."""
    rows: list[dict[str, object]] = [{"at": books.now, "o": one} for one in settled]
    books.many(
        "update suspense set resolved_at = :at, resolution = 'told anew' where obligation_id = :o and resolved_at is null "
        "and code = 'conflict' and item_key like 'billed:%'",
        rows,
    )
