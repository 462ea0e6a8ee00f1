"""Holds of ours under a former code: what the bursar's list shows although the policy has another code by now (an old file, loaded again).

Only what this bridge once placed under that code, and what carries its own name for it, is ours: whatever else stands there is somebody's.
"""

from __future__ import annotations

from bursarbridge.store import hold_batches
from bursarbridge.store.books import Books


def compare(books: Books, source: int, channel: str, form: hold_batches.Form, drawn_at: str) -> int:
    """Stages what stands there under a former code into the temporary table `former`, and ends the lines that released what is gone.

    Only what was delivered before the list was drawn counts. Returns how many stand; `release` has them released.
    """
    standing = _standing(books, source, channel, form, drawn_at)
    _see_released(books, source, drawn_at, {(hold, code, reason) for hold, _account, code, reason in standing})
    books.temporary("former", "hold_id bigint, account text, code text, reason text")
    books.stage("former", ("hold_id", "account", "code", "reason"), standing)
    return len(standing)


def release(books: Books) -> None:
    """Adds the releases of what `compare` found to the staged decisions. Whoever is told something else in this run waits for the next list."""
    because = "'the bursar''s list shows a hold of ours under the former code ' || f.code || ' ' || f.reason"
    books.do(
        "insert into decided (account, verb, cents, code, reason, because, item, category, user_type, since_on, by_hand, again) "
        f"select f.account, 'release', 0, f.code, f.reason, {because}, '', '', '', '', 0, 1 from former f "
        "where not exists (select 1 from hold_line l where l.hold_id = f.hold_id and l.sealed_run = :run) on conflict do nothing",
        run=books.run,
    )


def _standing(books: Books, source: int, channel: str, form: hold_batches.Form, drawn_at: str) -> list[tuple[int, str, str, str]]:
    newest = "(select max(m.sealed_run) from hold_line m where m.hold_id = h.id and m.code = i.code and m.reason = i.reason)"
    rows = books.rows(
        "select distinct h.id, h.account, i.code, i.reason, i.reference from indicator i join hold h on h.source_id = :s and h.account = i.account "
        f"join hold_line l on l.hold_id = h.id and l.code = i.code and l.reason = i.reason and l.sealed_run = {newest} "
        "join batch b on b.id = l.batch_id where i.channel = :c and (i.institution = :institution or i.institution = '') and i.reference <> '' "
        "and (i.code <> h.code or i.reason <> h.reason) and b.sent_at is not null and b.sent_at < :at order by h.id, i.code, i.reason",
        s=source,
        c=channel,
        institution=form.institution,
        at=drawn_at,
    )
    return [(int(row[0]), *row[1:4]) for row in rows if row[4] == hold_batches.reference(form.prefix, int(row[0]))]


def _see_released(books: Books, source: int, drawn_at: str, standing: set[tuple[int, str, str]]) -> None:
    """A list without the hold shows that its release was carried out; it is told once more otherwise."""
    rows = books.rows(
        "select l.plan_id, l.line_no, h.id, l.code, l.reason from batch b join hold_line l on l.batch_id = b.id and l.state = 'sent' "
        "join hold h on h.id = l.hold_id and h.source_id = :s and (h.code <> l.code or h.reason <> l.reason) "
        "where b.kind = :kind and b.state in ('SENT', 'RECEIVED') and b.sent_at < :at and l.verb = 'release'",
        s=source,
        kind=hold_batches.RELEASED,
        at=drawn_at,
    )
    gone = [{"plan": plan, "line": line} for plan, line, hold, code, reason in rows if (int(hold), code, reason) not in standing]
    books.many("update hold_line set state = 'seen' where plan_id = :plan and line_no = :line", gone)
