"""Posting credits: one by one, each against the fees of its person (crediting.decide_credit is the rule); they are some hundreds an hour."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bursarbridge.ledger.crediting import (
    PARKED,
    Applied,
    Candidate,
    CreditDecision,
    CreditRules,
    Echo,
    KnownCredit,
    Waits,
    decide_chosen,
    decide_credit,
)
from bursarbridge.ledger.entries import Place
from bursarbridge.ledger.facts import Credit
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.posting import AlreadyPosted, Conflict
from bursarbridge.store import moves, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.tally import Tally

_FACT = "reference, account, cents, credited_on, item, owner, comment, extra"


class Waiting(NamedTuple):
    """A credit that is recorded and not decided for good."""

    id: int
    source: int
    channel: str
    delivery: int
    credit: Credit


def begin(books: Books) -> None:
    """Makes the staging table of this transaction."""
    books.temporary(
        "staged_credit",
        "n integer, reference text, account text, cents bigint, credited_on text, item text, owner text, comment text, extra text",
    )
    moves.begin(books)


def stage(books: Books, start: int, chunk: Sequence[Credit]) -> None:
    """Puts a chunk of credits aside until the fees of the same file are posted; `start` is the number of the first."""
    books.stage("staged_credit", ("n", *Credit._fields), [(n, *one) for n, one in enumerate(chunk, start)])


def post(books: Books, source: int, channel: str, delivery: int, cause: int, rules: CreditRules, tally: Tally) -> None:
    """Posts every staged credit in the order of the file."""
    for row in books.rows(f"select {_FACT} from staged_credit order by n"):
        _post(books, source, channel, delivery, cause, Credit(str(row[0]), str(row[1]), int(row[2]), *map(str, row[3:])), rules, tally)
    books.do("delete from staged_credit")


def decide_parked(books: Books, source: int, rules: CreditRules) -> int:
    """Decides the credits again that wait for time; returns how many were decided for good."""
    codes = ", ".join(f"'{code}'" for code in PARKED)
    found = books.rows(
        "select c.id from credit c join suspense s on s.item_key = 'credit:' || c.id and s.resolved_at is null "
        f"where c.source_id = :source and c.state = 'waiting' and s.code in ({codes}) order by c.id",
        source=source,
    )
    done = 0
    for (number,) in found:
        if not isinstance(decide_again(books, int(number), rules), Waits):
            done += suspense.close(books, f"credit:{number}", "decided again")
    return done


def decide_again(books: Books, number: int, rules: CreditRules, *, chosen: int | None = None, cause: int | None = None) -> CreditDecision:
    """Decides one waiting credit again, or for the obligation that a person has chosen, and carries it out; its question stays open."""
    moves.begin(books)
    one = waiting(books, number)
    if cause is None:
        cause = books.cause("evidence", delivery=one.delivery, words="decided again")
    if chosen is None:
        decision = decide_credit(one.credit, None, candidates(books, one.source, one.credit.account), rules)
    else:
        fee = next(fee for fee in candidates(books, one.source, one.credit.account) if fee.obligation == chosen)
        decision = decide_chosen(one.credit, fee, rules)
    _carry(books, one, decision, cause, Tally())
    return decision


def waiting(books: Books, number: int) -> Waiting:
    """A recorded credit by its number."""
    row = books.rows(f"select id, source_id, channel, delivery_id, {_FACT} from credit where id = :id", id=number)[0]
    return Waiting(int(row[0]), int(row[1]), str(row[2]), int(row[3]), Credit(str(row[4]), str(row[5]), int(row[6]), *map(str, row[7:])))


def dismiss(books: Books, number: int) -> None:
    """A person has decided that nothing follows from a credit."""
    books.do("update credit set state = 'dismissed' where id = :id and state = 'waiting'", id=number)


def candidates(books: Books, source: int, account: str) -> list[Candidate]:
    """Every fee of a person in a source, as it stands."""
    found = books.rows(
        "select o.id, o.source_reference, o.category, o.item, o.cents, o.assessed_on, "
        "coalesce((select sum(p.cents) from position p where p.place = 1 and p.obligation_id = o.id), 0), "
        "coalesce((select sum(l.cents) from batch_line l where l.obligation_id = o.id and l.from_place = 1 and l.state = 'sent'), 0), "
        "coalesce((select sum(p.cents) from position p where p.place = 3 and p.obligation_id = o.id), 0), "
        "coalesce((select sum(p.cents) from position p where p.place between 1 and 6 and p.obligation_id = o.id), 0), "
        "coalesce((select sum(case when e.kind = 'waiver' then e.cents when e.kind = 'withdrawal' and e.from_place = 5 then -e.cents else 0 end) "
        "from entry e where e.obligation_id = o.id), 0), "
        "coalesce((select sum(e.cents) from entry e where e.obligation_id = o.id and e.kind = 'credit' and e.to_place = 7), 0), "
        "coalesce((select sum(case when e.from_place = 0 and e.to_place = 7 and e.kind = 'payment' then e.cents "
        "when e.from_place = 7 then -e.cents else 0 end) from entry e where e.obligation_id = o.id), 0) - "
        "coalesce((select sum(c.cents) from credit c where c.obligation_id = o.id and c.state = 'echo'), 0) "
        "from obligation o where o.account = :account and o.source_id = :source and o.cents > 0 order by o.id",
        account=account,
        source=source,
    )
    return [_candidate(row) for row in found]


def _candidate(row: tuple[object, ...]) -> Candidate:
    cents, at_source, in_flight, at_bursar, inside, waived, given_back, overpaid = (int(str(row[at])) for at in (4, *range(6, 13)))
    paid = inside - at_source - in_flight - at_bursar - waived - given_back
    number, reference, category, item, _, assessed_on = row[:6]
    return Candidate(
        int(str(number)),
        str(reference),
        str(category),
        str(item),
        cents,
        str(assessed_on),
        at_source,
        in_flight,
        at_bursar,
        max(paid, 0),
        waived,
        max(overpaid, 0),
    )


def _post(books: Books, source: int, channel: str, delivery: int, cause: int, credit: Credit, rules: CreditRules, tally: Tally) -> None:
    known = books.rows(
        "select id, account, item, cents from credit where source_id = :source and reference = :reference", source=source, reference=credit.reference
    )
    if known:
        decision = decide_credit(credit, KnownCredit(str(known[0][1]), str(known[0][2]), int(known[0][3])), (), rules)
        if isinstance(decision, AlreadyPosted):
            tally.already.add(1, credit.cents)
            return
        assert isinstance(decision, Conflict)
        _conflict(books, channel, delivery, credit, decision.words, tally)
        return
    if books.rows("select id from obligation where source_id = :source and source_reference = :r", source=source, r=credit.reference):
        words = f"credit {credit.reference} has the id of a fee, and a credit has an id of its own; nothing was done, look both up in the source"
        _conflict(books, channel, delivery, credit, words, tally)
        return
    number = books.new(
        f"insert into credit (source_id, {_FACT}, channel, delivery_id, state) values (:source, :reference, :account, :cents, :credited_on, :item, "
        ":owner, :comment, :extra, :channel, :delivery, 'waiting')",
        source=source,
        channel=channel,
        delivery=delivery,
        **credit._asdict(),
    )
    decision = decide_credit(credit, None, candidates(books, source, credit.account), rules)
    _carry(books, Waiting(number, source, channel, delivery, credit), decision, cause, tally)


def _conflict(books: Books, channel: str, delivery: int, credit: Credit, words: str, tally: Tally) -> None:
    tally.conflicts.add(1, credit.cents)
    content = hashlib.sha256(f"{credit.account}|{credit.item}|{credit.cents}".encode()).hexdigest()[:16]
    raw = json.dumps({"account": credit.account, "cents": str(credit.cents)})
    item = suspense.Item(
        f"credit-conflict:{credit.reference}:{content}", "conflict", words, credit.reference, credit.account, credit.cents, raw, delivery=delivery
    )
    suspense.put_undecided(books, channel, [item])


def _carry(books: Books, one: Waiting, decision: CreditDecision, cause: int, tally: Tally) -> None:
    if isinstance(decision, Applied):
        _apply(books, one, decision, cause)
        tally.posted.add(1, one.credit.cents)
    elif isinstance(decision, Echo):
        _decided(books, one.id, "echo", decision.obligation, cause)
        tally.noted.add(1, one.credit.cents)
    else:
        assert isinstance(decision, Waits)
        item = _item(one, decision)
        suspense.put(books, one.channel, [item])
        # A question that was about nobody's fee before may be about one now.
        books.do("update suspense set obligation_id = :o where item_key = :key and resolved_at is null", o=item.obligation, key=item.key)
        tally.suspended.add(1, one.credit.cents)


def _apply(books: Books, one: Waiting, decision: Applied, cause: int) -> None:
    moves.plan(books, [(decision.obligation, entry) for entry in decision.entries])
    moves.carry_out(books, cause)
    _decided(books, one.id, "refund" if decision.refund_cents else "applied", decision.obligation, cause)
    if any(entry.source is Place.SOURCE for entry in decision.entries) and not _left_at_source(books, decision.obligation):
        suspense.close(books, f"blocked:{decision.obligation}", "forgiven before it was billed")
    if decision.refund_cents:
        words = (
            f"{shown(decision.refund_cents)} was forgiven after it was paid (credit {one.credit.reference}); it is the student's credit now: "
            "does the cashier refund it?"
        )
        key, money = f"refund:{one.id}", decision.refund_cents
        item = suspense.Item(
            key, "refund_question", words, one.credit.reference, one.credit.account, money, delivery=one.delivery, obligation=decision.obligation
        )
        suspense.put(books, one.channel, [item])


def _left_at_source(books: Books, obligation: int) -> bool:
    return bool(books.one("select exists (select 1 from position where place = 1 and obligation_id = :o)", o=obligation))


def _decided(books: Books, number: int, state: str, obligation: int | None, cause: int) -> None:
    sql = "update credit set state = :state, obligation_id = :obligation, cause_id = :cause where id = :id"
    books.do(sql, state=state, obligation=obligation, cause=cause, id=number)


def _item(one: Waiting, decision: Waits) -> suspense.Item:
    credit = one.credit
    raw = json.dumps({"credit": one.id})
    return suspense.Item(
        f"credit:{one.id}",
        decision.code,
        decision.words,
        credit.reference,
        credit.account,
        credit.cents,
        raw,
        delivery=one.delivery,
        obligation=decision.obligation,
    )


def chosen_in(books: Books, one: Waiting, words: Iterable[str], number_of: dict[str, int]) -> list[int]:
    """The obligations of the credit's person that a person's words name, by our reference (already read) or the source's."""
    wanted = list(words)
    named = {number_of[word] for word in wanted if word in number_of}
    return [fee.obligation for fee in candidates(books, one.source, one.credit.account) if fee.obligation in named or fee.reference in wanted]
