"""Posting charges: staged fees against the obligations already known, by set statements (posting.decide_charge is the rule)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from bursarbridge.ledger.facts import Charge
from bursarbridge.ledger.posting import AlreadyPosted, Conflict, KnownCharge, decide_charge
from bursarbridge.store import suspense
from bursarbridge.store.books import Books
from bursarbridge.store.tally import Tally

_STAGE = "n integer, reference text, account text, category text, cents bigint, assessed_on text, item text, owner text, extra text"
_COLUMNS = ("n", "reference", "account", "category", "cents", "assessed_on", "item", "owner", "extra")


def begin(books: Books) -> None:
    """Makes the staging table of this transaction."""
    books.temporary("staged_charge", _STAGE)


def post(books: Books, source: int, channel: str, delivery: int, cause: int, charges: Sequence[Charge], tally: Tally) -> None:
    """Posts one chunk of fees: new ones become obligations with their money at the source; the rest is compared."""
    books.stage("staged_charge", _COLUMNS, [(n, *charge) for n, charge in enumerate(charges)])
    before = int(books.one("select coalesce(max(id), 0) from obligation"))
    new = books.do(
        "insert into obligation (source_id, source_reference, account, category, cents, assessed_on, item, owner, extra, cause_id) "
        "select :source, reference, account, category, cents, assessed_on, item, owner, extra, :cause from staged_charge where true order by n "
        "on conflict (source_id, source_reference) do nothing",
        source=source,
        cause=cause,
    )
    if new:
        _assess(books, before, cause, tally)
    if new < len(charges):
        _compare(books, source, channel, delivery, before, tally)
    books.do("delete from staged_charge")


def _assess(books: Books, before: int, cause: int, tally: Tally) -> None:
    """The entry outside -> source of every new obligation; a fee of 0.00 is noted only."""
    books.do(
        "insert into entry (obligation_id, from_place, to_place, cents, kind, cause_id) "
        "select id, 0, 1, cents, 'charge', :cause from obligation where id > :before and cents > 0 order by id",
        before=before,
        cause=cause,
    )
    books.do(
        "insert into position (place, obligation_id, cents) select 1, id, cents from obligation where id > :before and cents > 0 order by id",
        before=before,
    )
    found = books.rows(
        "select count(*), coalesce(sum(cents), 0), sum(case when cents = 0 then 1 else 0 end) from obligation where id > :before", before=before
    )[0]
    tally.posted.add(int(found[0]) - int(found[2]), int(found[1]))
    tally.noted.add(int(found[2]), 0)


def _compare(books: Books, source: int, channel: str, delivery: int, before: int, tally: Tally) -> None:
    """The staged fees whose name was known already, or stood earlier in this file: the same again, or a conflict."""
    seen = books.rows(
        "select s.reference, s.account, s.category, s.cents, s.assessed_on, o.id, o.account, o.category, o.cents "
        "from staged_charge s join obligation o on o.source_id = :source and o.source_reference = s.reference "
        "where o.id <= :before or s.n not in (select min(n) from staged_charge group by reference) order by s.n",
        source=source,
        before=before,
    )
    items = []
    for row in seen:
        charge = Charge(row[0], row[1], row[2], int(row[3]), row[4])
        decision = decide_charge(charge, KnownCharge(row[6], row[7], int(row[8])))
        if isinstance(decision, AlreadyPosted):
            tally.already.add(1, charge.cents)
            continue
        assert isinstance(decision, Conflict)
        tally.conflicts.add(1, charge.cents)
        items.append(_conflict(charge, decision.words, delivery, int(row[5])))
    suspense.put_undecided(books, channel, items)


def _conflict(charge: Charge, words: str, delivery: int, obligation: int) -> suspense.Item:
    key = f"conflict:{obligation}:{content_of(charge)}"
    raw = json.dumps({"account": charge.account, "category": charge.category, "cents": str(charge.cents)})
    return suspense.Item(key, "conflict", words, charge.reference, charge.account, charge.cents, raw, delivery=delivery, obligation=obligation)


def content_of(charge: Charge) -> str:
    """A short digest of the content that makes two fees of one name the same."""
    return hashlib.sha256(f"{charge.account}|{charge.category}|{charge.cents}".encode()).hexdigest()[:16]
