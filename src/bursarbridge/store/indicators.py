"""Service indicators: the bursar's own list, and what it says of the holds we told of (peoplesoft.md 3.4, item 5).

It counts only for what was delivered before it was drawn. What stands there and was never told by us is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from bursarbridge.ledger.facts import Indicator
from bursarbridge.store import formers, hold_batches
from bursarbridge.store.books import CHUNK, Books

_COLUMNS = ("channel", "row_no", "delivery_id", "account", "institution", "code", "reason", "cents", "reference", "placed_on")


class Compared(NamedTuple):
    """What the bursar's list said of our holds."""

    seen: int = 0
    """As we told it: there with its amount, or gone after a release."""
    missing: int = 0
    amount: int = 0
    """There with another amount."""
    still: int = 0
    """There although we told its release."""
    theirs: int = 0
    """Under our code and reason, and never told by us."""
    unused: str = ""
    """Why the list confirms no release, or ""."""
    former: int = 0
    """Ours, under a code that the policy no longer has."""


class Difference(NamedTuple):
    """One thing in which the bursar's list and ours differ."""

    account: str
    kind: str
    """missing, amount, still or theirs."""
    ours_cents: int
    theirs_cents: int


def keep(books: Books, channel: str, delivery: int, found: Iterable[Indicator]) -> tuple[int, int]:
    """Keeps a list in place of the one before it; returns its rows and their cents (rows without an amount count 0)."""
    books.do("delete from indicator where channel = :c", c=channel)
    count = cents = 0
    rows = iter(found)
    while chunk := list(islice(rows, CHUNK)):
        staged = [(channel, count + number, delivery, *_plain(one)) for number, one in enumerate(chunk, 1)]
        books.stage("indicator", _COLUMNS, staged)
        count += len(chunk)
        cents += sum(max(one.cents, 0) for one in chunk)
    return count, cents


def newest(books: Books, channel: str) -> tuple[int, str]:
    """The delivery that brought the list which is kept, and its time as the source tells it; 0 and "" when there is none."""
    found = books.rows(
        "select d.id, d.as_of from delivery d where d.channel = :c and d.state = 'read' order by d.as_of desc, d.id desc limit 1", c=channel
    )
    return (int(found[0][0]), str(found[0][1])) if found else (0, "")


def compare(books: Books, source: int, channel: str, form: hold_batches.Form, code: tuple[str, str], drawn_at: str) -> Compared:
    """Holds what we told and delivered before `drawn_at` (UTC) against the list; what differs is told again by the next evaluation."""
    _stage_ours(books, source, channel, form, drawn_at)
    active, shown = books.rows("select coalesce(sum(case when verb <> 'release' then 1 else 0 end), 0), coalesce(sum(row_count), 0) from compared")[0]
    unused = ""
    if active and not shown:
        # Absence is never evidence (H01): such a list proves no release. Telling a hold once more does no harm.
        unused = f"the bursar's list shows none of the {int(active):,} holds that should stand, so it confirms no release"
        books.do("delete from compared where verb = 'release'")
    seen, missing, amount, still = (_outcome(books, one) for one in ("seen", "missing", "amount", "still"))
    former = 0 if unused else formers.compare(books, source, channel, form, drawn_at)
    hold_batches.settle(books)
    return Compared(seen, missing, amount, still, len(_theirs(books, source, channel, form, code)), unused, former)


def differences(books: Books, source: int, channel: str, form: hold_batches.Form, code: tuple[str, str]) -> list[Difference]:
    """What differs since the newest list, ours first, by account."""
    ours = books.rows("select account, repair, cents from hold where source_id = :s and repair <> '' order by account", s=source)
    found = [Difference(str(row[0]), str(row[1]), int(row[2]), -1) for row in ours]
    return found + [Difference(account, "theirs", 0, cents) for account, cents in _theirs(books, source, channel, form, code)]


def _plain(one: Indicator) -> tuple[object, ...]:
    return (one.account, one.institution, one.code, one.reason, one.cents, one.reference, one.placed_on)


_MINE = (
    "i.channel = :c and i.account = h.account and i.code = h.code and i.reason = h.reason and (i.institution = :institution or i.institution = '')"
)


def _stage_ours(books: Books, source: int, channel: str, form: hold_batches.Form, drawn_at: str) -> None:
    """The temporary table `compared`: our holds that were delivered before the list was drawn, with the rows that can be theirs there.

    Once a release was seen to be carried out, what stands there later is somebody else's, unless it carries our own name: then a file of
    ours was loaded once more.
    """
    books.temporary("our_name", f"hold_id {books.number_key}, reference text")
    books.temporary("compared", f"hold_id {books.number_key}, verb text, row_count bigint, same bigint")
    names = books.rows(
        f"select distinct h.id from hold h join indicator i on {_MINE} where h.source_id = :s and h.verb <> '' and i.reference <> ''",
        s=source,
        c=channel,
        institution=form.institution,
    )
    books.stage("our_name", ("hold_id", "reference"), [(int(row[0]), hold_batches.reference(form.prefix, int(row[0]))) for row in names])
    books.do(
        "insert into compared (hold_id, verb, row_count, same) select h.id, h.verb, count(i.row_no), "
        "coalesce(sum(case when i.cents = h.cents or i.cents < 0 or :silent then 1 else 0 end), 0) "
        f"from hold h join batch b on b.id = h.batch_id left join our_name n on n.hold_id = h.id left join indicator i on {_MINE} "
        "and (i.reference = '' or i.reference = n.reference) "
        "where h.source_id = :s and h.verb <> '' and b.sent_at is not null and b.sent_at < :at "
        "and (not (h.verb = 'release' and h.confirmed = 'seen') or (i.reference <> '' and i.reference = n.reference)) "
        "group by h.id, h.verb",
        s=source,
        c=channel,
        institution=form.institution,
        at=drawn_at,
        silent=not form.amounts,
    )


_WHEN = {
    "seen": "(verb <> 'release' and same > 0) or (verb = 'release' and row_count = 0)",
    "missing": "verb <> 'release' and row_count = 0",
    "amount": "verb <> 'release' and row_count > 0 and same = 0",
    "still": "verb = 'release' and row_count > 0",
}


def _outcome(books: Books, kind: str) -> int:
    chosen = f"select hold_id from compared where {_WHEN[kind]}"
    if kind != "seen":
        return books.do(f"update hold set repair = :kind where id in ({chosen})", kind=kind)
    hold_batches.touch_released(books, chosen)
    books.do(
        "update hold_line set state = 'seen' where state in ('sent', 'assumed') and exists "
        f"(select 1 from hold h where h.id = hold_line.hold_id and h.batch_id = hold_line.batch_id and h.id in ({chosen}))"
    )
    told = books.one(f"select count(*) from hold where confirmed = 'assumed' and confirmed_at = :at and id in ({chosen})", at=books.now)
    return -int(told) + books.do(  # what this run has confirmed already is not confirmed twice
        f"update hold set confirmed = 'seen', confirmed_at = :at, repair = '' where (confirmed <> 'seen' or repair <> '') and id in ({chosen})",
        at=books.now,
    )


def _theirs(books: Books, source: int, channel: str, form: hold_batches.Form, code: tuple[str, str]) -> list[tuple[str, int]]:
    """Rows under our code and reason that we never told of, or that carry somebody else's reference."""
    rows = books.rows(
        "select i.account, i.cents, i.reference, coalesce(h.id, 0), coalesce(h.verb, ''), coalesce(h.confirmed, '') from indicator i "
        "left join hold h on h.source_id = :s and h.account = i.account "
        "where i.channel = :c and i.code = :code and i.reason = :reason and (i.institution = :institution or i.institution = '') "
        "and (coalesce(h.verb, '') = '' or (h.verb = 'release' and h.confirmed = 'seen') or i.reference <> '') order by i.account",
        s=source,
        c=channel,
        code=code[0],
        reason=code[1],
        institution=form.institution,
    )
    found = []
    for account, cents, name, hold, verb, confirmed in rows:
        told = verb and not (verb == "release" and confirmed == "seen")
        ours = bool(hold) and name == hold_batches.reference(form.prefix, int(hold))
        if not ours and (not told or name):
            found.append((str(account), int(cents)))
    return found
