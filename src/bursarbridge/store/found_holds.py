"""After a restore: hold files of ours that left since the backup, entered as what the bursar was told; and what the next plan waits for (P21)."""

from __future__ import annotations

from collections.abc import Sequence

from bursarbridge.ledger.found import FoundDocument, FoundHold
from bursarbridge.ports import ControlTotal
from bursarbridge.store import batches, found, hold_batches, runs
from bursarbridge.store.books import Books
from bursarbridge.store.hold_batches import Document

_COLUMNS = ("n", "number", "account", "cents", "code", "reason")


def put(books: Books, source: int, document: FoundDocument, rows: Sequence[FoundHold], on: str, expected_at: str) -> None:
    """Enters a hold file under the number it had, as if it had been sealed then: from now on it is what the bursar was told.

    `on` is the campus date of that. It counts as sent where that is proven; else a person is asked.
    """
    ours = books.run
    # A run of its own: nobody is told twice in one, and what was told before is what an earlier run told.
    books.run = runs.begin(books, f"{found.FLOW}: {document.name}", found.FLOW, "1")
    _stage(books, source, rows)
    _number(books, source)
    plan = _planned(books, source, document)
    books.do(
        "insert into batch (id, destination, flow, kind, state, run_id) values (:id, :destination, :flow, :kind, 'OPEN', :run)",
        id=document.sequence,
        destination=document.destination,
        flow=document.flow,
        kind=document.kind,
        run=books.run,
    )
    found.count_on(books, "batch")
    total = ControlTotal(len(rows), int(books.one("select coalesce(sum(cents), 0) from found_hold")))
    hold_batches.seal(books, [plan], Document(document.sequence, document.kind, document.name, document.sha256, document.size, total), on)
    hold_batches.finish(books, [plan])
    books.do("update hold set told_at = :made where batch_id = :id", made=document.made_at, id=document.sequence)
    books.do("update batch set sealed_at = :made where id = :id", made=document.made_at, id=document.sequence)
    if document.left:
        batches.mark_uploaded(books, document.sequence)
        batches.mark_sent(books, document.sequence, "found", expected_at)
        books.do("update batch set uploaded_at = :made, sent_at = :made where id = :id", made=document.made_at, id=document.sequence)
    else:
        words = f"it was made before the restore ({document.where}), and nothing shows whether it left"
        batches.mark_in_doubt(books, document.sequence, words)
    runs.finish(books, books.run, "completed", {})
    books.run = ours


def wait(books: Books, source: int, until_at: str) -> None:
    """Lets the source's next plan decide everybody, and not before statements of at least that time (UTC) were read."""
    books.do("update hold_state set fingerprint = '' where source_id = :s", s=source)
    books.do(
        "insert into hold_wait (source_id, until_at) values (:s, :at) on conflict (source_id) do update set until_at = excluded.until_at "
        "where excluded.until_at > hold_wait.until_at",
        s=source,
        at=until_at,
    )


def awaited(books: Books, source: int, known_at: str) -> str:
    """Until when statements must reach before anybody of the source is decided; "" when those of `known_at` (UTC) do, once and for all."""
    rows = books.rows("select until_at from hold_wait where source_id = :s", s=source)
    if not rows:
        return ""
    if known_at < str(rows[0][0]):
        return str(rows[0][0])
    books.do("delete from hold_wait where source_id = :s", s=source)
    return ""


def _stage(books: Books, source: int, rows: Sequence[FoundHold]) -> None:
    """The lines, into the temporary table found_hold. A file without amounts told what stands there, or is owed as far as the books know."""
    books.temporary("found_hold", f"n {books.number_key}, number bigint, account text, cents bigint, code text, reason text")
    books.stage("found_hold", _COLUMNS, [(n, *one) for n, one in enumerate(rows, 1)])
    books.do(
        "update found_hold set cents = coalesce((select h.cents from hold h where h.source_id = :s and h.account = found_hold.account "
        "and h.cents > 0), (select sum(v.cents) from violation v where v.source_id = :s and v.account = found_hold.account and v.cents > 0), 1) "
        "where cents < 0",
        s=source,
    )


def _number(books: Books, source: int) -> None:
    """A row for everybody who has none yet, under the number that our reference names where it is free."""
    new = "not exists (select 1 from hold h where h.source_id = :s and h.account = f.account)"
    books.do(
        f"insert into hold (id, source_id, account) select f.number, :s, f.account from found_hold f where f.number > 0 and {new} "
        "and not exists (select 1 from hold h where h.id = f.number)",
        s=source,
    )
    found.count_on(books, "hold")
    books.do(f"insert into hold (source_id, account) select :s, f.account from found_hold f where {new} order by f.n", s=source)


def _planned(books: Books, source: int, document: FoundDocument) -> int:
    plan = books.new(
        "insert into hold_plan (source_id, flow, run_id, made_at, state) values (:s, :flow, :run, :at, 'open')",
        s=source,
        flow=document.flow,
        run=books.run,
        at=document.made_at,
    )
    released = "'release'" if document.kind == hold_batches.RELEASED else "case when h.verb in ('place', 'change') then 'change' else 'place' end"
    books.do(
        "insert into hold_line (plan_id, line_no, hold_id, verb, cents, code, reason, because, item, category, user_type, since_on, by_hand, again, "
        f"state) select :plan, f.n, h.id, {released}, f.cents, f.code, f.reason, :because, '', '', '', '', 0, 0, 'planned' "
        "from found_hold f join hold h on h.source_id = :s and h.account = f.account",
        plan=plan,
        because=f"told before a restore: {document.where}",
        s=source,
    )
    return plan
