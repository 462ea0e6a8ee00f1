"""What was found out about returned items, and what we set out to do at the library about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.ledger.reference import reference_of
from bursarbridge.ledger.returns import Billed
from bursarbridge.store.books import Books
from bursarbridge.store.epochs import NOTHING_LEAVES


class LostFee(NamedTuple):
    """An obligation for a lost item."""

    obligation: int
    reference: str
    """Ours."""
    source_reference: str
    account: str
    category: str
    item: str
    owner: str


class Intent(NamedTuple):
    """Something to be done at the library, written down before it is tried."""

    id: int
    obligation: int
    reference: str
    person: str
    item: str
    fee: str
    cents: int
    reason: str
    state: str
    """open; waived (the blocks are left to do); refused (tried again later); done; dropped (another look showed no need)."""


class Case(NamedTuple):
    """The newest answer about one fee whose item may be back."""

    fee: LostFee
    outcome: str
    words: str
    returned_at: str
    since: str
    asked_at: str
    waived_at: str
    """When we waived it at the library, UTC text, or ""."""
    billed: Billed


_FEE = "o.id, s.prefix, o.source_reference, o.account, o.category, o.item, o.owner"


def by_reference(books: Books, source: str, source_reference: str) -> LostFee | None:
    """The obligation that the source calls so."""
    found = books.rows(
        f"select {_FEE} from obligation o join source s on s.id = o.source_id where s.name = :source and o.source_reference = :reference",
        source=source,
        reference=source_reference,
    )
    return _fee(found[0]) if found else None


def to_ask(books: Books, source: str, categories: Sequence[str], before: str, most: int) -> list[LostFee]:
    """Lost-item fees open on student accounts and not asked about since `before` (UTC text): never asked first, then longest ago."""
    if not categories:
        return []
    names = {f"c{number}": category for number, category in enumerate(categories)}
    found = books.rows(
        f"select {_FEE} from position p join obligation o on o.id = p.obligation_id join source s on s.id = o.source_id "
        f"left join return_case r on r.obligation_id = o.id where p.place = 3 and s.name = :source and o.item <> '' "
        f"and o.category in ({', '.join(f':{name}' for name in names)}) and coalesce(r.asked_at, '') < :before "
        "order by coalesce(r.asked_at, ''), o.id limit :most",
        source=source,
        before=before,
        most=most,
        **names,
    )
    return [_fee(row) for row in found]


def billed_of(books: Books, obligation: int) -> Billed:
    """Where the cents of an obligation are, and what was paid on it."""
    held = {
        int(row[0]): int(row[1])
        for row in books.rows(f"select place, cents from position where place in ({_ALL}) and obligation_id = :o", o=obligation)
    }
    flying = {
        int(row[0]): int(row[1])
        for row in books.rows(
            "select from_place, sum(cents) from batch_line where obligation_id = :o and state = 'sent' group by from_place", o=obligation
        )
    }
    paid = books.one(
        "select coalesce(sum(case when kind = 'payment' and from_place = 3 then cents "
        "when kind = 'reversal' and to_place = 3 then -cents else 0 end), 0) from entry where obligation_id = :o",
        o=obligation,
    )
    return Billed(
        unsent=held.get(1, 0),
        sending=flying.get(1, 0),
        open=held.get(3, 0),
        paying=held.get(4, 0) + flying.get(4, 0),
        crediting=held.get(5, 0) + flying.get(5, 0),
        student_credit=held.get(7, 0),
        paid=int(paid),
    )


def set_case(books: Books, obligation: int, outcome: str, words: str, returned_at: str) -> None:
    """Writes down the newest answer; `since` stays while the outcome does."""
    books.do(
        "insert into return_case (obligation_id, outcome, words, returned_at, since, asked_at) "
        "values (:o, :outcome, :words, :returned, :at, :at) "
        "on conflict (obligation_id) do update set since = case when return_case.outcome = excluded.outcome then return_case.since "
        "else excluded.since end, outcome = excluded.outcome, words = excluded.words, returned_at = excluded.returned_at, "
        "asked_at = excluded.asked_at",
        o=obligation,
        outcome=outcome,
        words=words,
        returned=returned_at,
        at=books.now,
    )


def ask_soon(books: Books, obligation: int) -> None:
    """Lets the next run ask again about an obligation."""
    books.do("update return_case set asked_at = '' where obligation_id = :o", o=obligation)


def intend(books: Books, wanted: Intent) -> None:
    """Writes down a waive before it is tried: one for each obligation, ever; one that was dropped or refused is taken up again."""
    books.do(
        "insert into intent (kind, obligation_id, reference, person, item, fee, cents, reason, state, run_id, created_at) "
        "values ('waive', :obligation, :reference, :person, :item, :fee, :cents, :reason, 'open', :run, :at) "
        "on conflict (reference) do update set state = 'open', cents = excluded.cents, fee = excluded.fee, person = excluded.person, "
        "reason = excluded.reason, words = '' where intent.state in ('dropped', 'refused')",
        **{name: value for name, value in wanted._asdict().items() if name not in ("id", "state")},
        run=books.run,
        at=books.now,
    )


def open_intents(books: Books, source: str) -> list[Intent]:
    """What is left to do at a source, oldest first."""
    found = books.rows(
        "select i.id, i.obligation_id, i.reference, i.person, i.item, i.fee, i.cents, i.reason, i.state from intent i "
        "join obligation o on o.id = i.obligation_id join source s on s.id = o.source_id "
        f"where s.name = :source and i.state in ('open', 'waived') and {NOTHING_LEAVES} order by i.id",
        source=source,
    )
    return [Intent(int(r[0]), int(r[1]), r[2], r[3], r[4], r[5], int(r[6]), r[7], r[8]) for r in found]


def intent_of(books: Books, obligation: int) -> Intent | None:
    """The waive that was intended for an obligation."""
    found = books.rows(
        "select id, obligation_id, reference, person, item, fee, cents, reason, state from intent where obligation_id = :o order by id desc",
        o=obligation,
    )
    if not found:
        return None
    row = found[0]
    return Intent(int(row[0]), int(row[1]), row[2], row[3], row[4], row[5], int(row[6]), row[7], row[8])


def end_intent(books: Books, number: int, state: str, words: str) -> bool:
    """Writes down what came of trying."""
    books.do(
        "update intent set state = :state, words = :words, tried_at = :at, ended_at = :ended where id = :id",
        state=state,
        words=words,
        at=books.now,
        ended="" if state == "waived" else books.now,
        id=number,
    )
    return True


def cases(books: Books, source: str, outcomes: Sequence[str]) -> list[Case]:
    """The cases of a source with these outcomes, longest first."""
    names = {f"c{number}": outcome for number, outcome in enumerate(outcomes)}
    found = books.rows(
        f"select {_FEE}, r.outcome, r.words, r.returned_at, r.since, r.asked_at, "
        "coalesce((select max(i.tried_at) from intent i where i.obligation_id = o.id and i.state in ('waived', 'done')), '') "
        "from return_case r join obligation o on o.id = r.obligation_id join source s on s.id = o.source_id "
        f"where s.name = :source and r.outcome in ({', '.join(f':{name}' for name in names)}) order by r.since, o.id",
        source=source,
        **names,
    )
    return [Case(_fee(row[:7]), row[7], row[8], row[9], row[10], row[11], row[12], billed_of(books, int(row[0]))) for row in found]


def case_of(books: Books, obligation: int) -> tuple[str, str, str]:
    """Outcome, words and since-when of an obligation's case; three times "" when nothing was found out."""
    found = books.rows("select outcome, words, since from return_case where obligation_id = :o", o=obligation)
    return (found[0][0], found[0][1], found[0][2]) if found else ("", "", "")


_ALL = "1, 2, 3, 4, 5, 6, 7"


def _fee(row: tuple[object, ...]) -> LostFee:
    number, prefix, *rest = row
    return LostFee(int(str(number)), reference_of(str(prefix), int(str(number))), *map(str, rest))
