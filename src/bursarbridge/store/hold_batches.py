"""Hold batches: the planned lines of a document leave together, are confirmed together, and are what the bursar was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bursarbridge.ledger.batch import BatchState, move
from bursarbridge.ledger.reference import reference_of
from bursarbridge.ports import ControlTotal, HoldLine
from bursarbridge.store import suspense
from bursarbridge.store.books import Books

ADDED, RELEASED = "holds_added", "holds_released"
"""The two kinds of batch: place and change in one document, release in the other."""
_VERBS = {ADDED: "('place', 'change')", RELEASED: "('release')"}


class Form(NamedTuple):
    """What is the same for every line of a source's documents."""

    prefix: str
    institution: str
    department: str = ""
    contact: str = ""
    amounts: bool = True
    """Whether the documents tell amounts."""


class Document(NamedTuple):
    """One document of a plan, written and kept."""

    batch: int
    kind: str
    name: str
    sha256: str
    size: int
    total: ControlTotal


def planned(books: Books, plans: Sequence[int], kind: str) -> bool:
    """Whether plans have lines for that document."""
    return bool(books.one(f"select exists (select 1 from hold_line where {_in(plans)} and verb in {_VERBS[kind]} and state = 'planned')"))


def lines(books: Books, plans: Sequence[int], kind: str, form: Form, today: str) -> Iterator[tuple[int, HoldLine]]:
    """The planned lines of one document with the number of their hold, by account, streamed."""
    rows = books.stream(
        "select h.id, h.account, l.verb, l.cents, l.code, l.reason, l.user_type, l.category, l.since_on, h.placed_on, h.verb from hold_line l "
        f"join hold h on h.id = l.hold_id where {_in(plans)} and l.verb in {_VERBS[kind]} and l.state = 'planned' order by h.account"
    )
    prefix, institution, department, contact, _amounts = form
    for number, account, verb, cents, code, reason, user_type, category, since_on, placed_on, before in rows:
        placed = placed_on if before in ("place", "change") or verb == "release" else today
        yield (
            int(number),
            HoldLine(
                account, verb, int(cents), code, reason, reference(prefix, int(number)), institution, department, contact, user_type, category,
                since_on, placed,
            ),
        )  # fmt: skip


def open_batch(books: Books, destination: str, flow: str, kind: str) -> int:
    """A new batch for one document; its number makes the document's name unique."""
    return books.new(
        "insert into batch (destination, flow, kind, state, run_id) values (:destination, :flow, :kind, 'OPEN', :run)",
        destination=destination,
        flow=flow,
        kind=kind,
        run=books.run,
    )


def drop(books: Books, batch: int) -> None:
    """Takes back a batch of which no line could be written."""
    books.do("delete from batch where id = :id and state = 'OPEN'", id=batch)


def set_aside(books: Books, source: int, plans: Sequence[int], channel: str, unwritable: Sequence[tuple[int, HoldLine, str, str]]) -> None:
    """Puts lines that could not be written (hold, line, code, words) into suspense; the next run tries again."""
    items = [
        suspense.Item(f"hold:{number}", code, words, reference=line.reference, account=line.account, cents=line.cents)
        for number, line, code, words in unwritable
    ]
    suspense.put(books, channel, items)
    for number, line, _code, _words in unwritable:
        books.do("insert into hold_touched (source_id, account) values (:s, :account) on conflict do nothing", s=source, account=line.account)
        books.do(f"update hold_line set state = 'overtaken' where {_in(plans)} and hold_id = :h and state = 'planned'", h=number)


def seal(books: Books, plans: Sequence[int], document: Document, today: str) -> None:
    """Closes a batch over its planned lines: this is what the bursar is told from now on, in place of whatever was told before."""
    move(BatchState.OPEN, BatchState.SEALED)
    mine = f"{_in(plans)} and verb in {_VERBS[document.kind]} and state = 'planned'"
    _overtake_told(books, mine)
    sealed = f"update hold_line set state = 'sent', batch_id = :b, sealed_run = :run where {mine}"
    written = books.do(sealed, b=document.batch, run=books.run)
    assert written == document.total.count, f"{written} lines are in the books, {document.total.count} in the document"
    books.do(
        "update hold set placed_on = case when l.verb = 'place' and hold.verb not in ('place', 'change') then :today else hold.placed_on end, "
        "verb = l.verb, cents = l.cents, code = l.code, reason = l.reason, told_at = :at, told_on = :today, batch_id = l.batch_id, confirmed = '', "
        "confirmed_at = '', repair = '', reopened_on = case when l.verb = 'place' then '' else hold.reopened_on end from hold_line l "
        "where l.batch_id = :b and l.hold_id = hold.id "
        # a release under a former code (formers.py) leaves what is told of now as it is
        "and (l.verb <> 'release' or (l.code = hold.code and l.reason = hold.reason))",
        at=books.now,
        today=today,
        b=document.batch,
    )
    if books.one("select exists (select 1 from suspense where resolved_at is null and item_key like 'hold:%')"):
        books.do(
            "update suspense set resolved_at = :at, resolution = 'sent' where resolved_at is null and item_key in "
            "(select 'hold:' || hold_id from hold_line where batch_id = :b)",
            at=books.now,
            b=document.batch,
        )
    books.do(
        "update batch set state = 'SEALED', lines = :lines, cents = :cents, document = :document, sha256 = :sha256, size = :size, sealed_at = :at "
        "where id = :id",
        lines=document.total.count,
        cents=document.total.cents,
        document=document.name,
        sha256=document.sha256,
        size=document.size,
        at=books.now,
        id=document.batch,
    )


def _overtake_told(books: Books, mine: str) -> None:
    """What was told before under the same code and never confirmed is overtaken by what is told now."""
    books.do(
        f"update hold_line set state = 'overtaken' where state = 'sent' and hold_id in (select hold_id from hold_line where {mine}) "
        f"and (hold_id, code, reason) in (select hold_id, code, reason from hold_line where {mine})"
    )


def give_up(books: Books, batch: int) -> bool:
    """A document never left, says a person: whoever is in it is told anew. The same bytes might undo what was told since (T08).

    False, and nothing done, for a batch that is not of holds.
    """
    state, kind = books.rows("select state, kind from batch where id = :id", id=batch)[0]
    if kind not in _VERBS:
        return False
    move(BatchState(str(state)), BatchState.REFUSED)
    latest = "batch_id = :b and id in (select hold_id from hold_line where batch_id = :b and state = 'sent')"
    books.do(f"update hold set repair = 'missing' where {latest} and verb <> 'release'", b=batch)
    books.do("update hold_line set state = 'overtaken' where batch_id = :b and state = 'sent'", b=batch)
    books.do("update batch set state = 'REFUSED' where id = :id", id=batch)
    return True


def finish(books: Books, plans: Sequence[int]) -> None:
    """The plans are carried out: what could be written has left or is about to."""
    books.do(f"update hold_plan set state = 'sealed' where {_in(plans).replace('plan_id', 'id')} and state in ('open', 'held')")


def reference(prefix: str, hold: int) -> str:
    """Our name of a hold at the bursar: the source's prefix, an H, the hold's number, two check digits."""
    return reference_of(reference_prefix(prefix), hold)


def reference_prefix(prefix: str) -> str:
    """What begins our names of a source's holds."""
    return f"{prefix}H"


def assume(books: Books, batch: int) -> int:
    """Takes the lines of a batch as carried out where no better evidence will come, or has yet; returns how many."""
    touch_released(books, f"select hold_id from hold_line where batch_id = {int(batch)} and state = 'sent'")
    books.do(
        "update hold set confirmed = 'assumed', confirmed_at = :at where batch_id = :b and confirmed = '' "
        "and id in (select hold_id from hold_line where batch_id = :b and state = 'sent')",
        at=books.now,
        b=batch,
    )
    assumed = books.do("update hold_line set state = 'assumed' where batch_id = :b and state = 'sent'", b=batch)
    books.do("update batch set assumed = 1 where id = :b", b=batch)
    settle(books)
    return assumed


def touch_released(books: Books, chosen: str) -> None:
    """Has those decided again whose release is now known: a hold under another code may have waited for it."""
    books.do(
        "insert into hold_touched (source_id, account) select source_id, account from hold where verb = 'release' and confirmed = '' "
        f"and id in ({chosen}) on conflict do nothing"
    )


def settle(books: Books) -> int:
    """Closes the hold batches that left and of which no line waits any more; returns how many."""
    waits = "select 1 from hold_line l where l.batch_id = batch.id and l.state = 'sent'"
    move(BatchState.SENT, BatchState.POSTED)
    return books.do(
        f"update batch set state = 'POSTED', answered_at = coalesce(answered_at, :at) where kind in ('{ADDED}', '{RELEASED}') "
        f"and state in ('SENT', 'RECEIVED') and not exists ({waits})",
        at=books.now,
    )


def _in(plans: Sequence[int]) -> str:
    return f"plan_id in ({', '.join(str(int(one)) for one in plans) or '0'})"
