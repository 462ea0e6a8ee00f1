"""Complete lists of what is outstanding: what one says by leaving a violation out, and what the next one may be compared with."""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.ledger.money import shown
from bursarbridge.store import suspense
from bursarbridge.store.books import CHUNK, Books
from bursarbridge.store.tally import Count
from bursarbridge.store.violation_cases import KNOWN, PAST, Told


class FullList(NamedTuple):
    """A complete list that was read: what it was, and what it said in count and cents."""

    delivery_id: int
    source_id: int
    channel: str
    sha256: str
    as_of: str
    fingerprint: str
    """The settings of its reader; "" when they are not known."""
    covers: bool
    """Whether what it left out counts as cleared."""
    plain: bool
    """Whether each of its facts is what the books say, each violation once."""
    row_count: int
    """Its records, without those that wait."""
    cents: int
    suspended_count: int
    suspended_cents: int


_COLUMNS = ", ".join(FullList._fields)


def newest(books: Books, source: int) -> FullList | None:
    """The newest complete list of a source, by the source's own time; of several of one time the first, as only that one clears."""
    found = books.rows(f"select {_COLUMNS} from full_list where source_id = :source order by as_of desc, delivery_id limit 1", source=source)
    if not found:
        return None
    row = FullList(*found[0])
    return row._replace(covers=bool(row.covers), plain=bool(row.plain))


def record(books: Books, one: FullList) -> None:
    """Writes down that a list was read."""
    values: dict[str, object] = {**one._asdict(), "covers": int(one.covers), "plain": int(one.plain)}
    books.many(f"insert into full_list ({_COLUMNS}) values ({', '.join(':' + name for name in FullList._fields)})", [values])


def disturbed(books: Books, told: Told, before: FullList) -> bool:
    """Whether anything but the list before has spoken of the source's violations since, or a person has decided something."""
    return bool(
        books.one(
            "select exists (select 1 from violation_news where source_id = :source and delivery_id > :before) "
            "or exists (select 1 from suspense s, delivery d where d.id = :before and s.resolved_at >= d.arrived_at and s.actor <> '' "
            "and (s.channel = :channel or substr(s.item_key, 1, length(:key)) = :key)) "
            "or exists (select 1 from suspense where resolved_at is null and substr(item_key, 1, length(:key)) = :key)",
            before=before.delivery_id,
            key=f"violation:{told.name}:",
            **told.names("source", "channel"),
        )
    )


def is_anything_open(books: Books, source: int) -> bool:
    """Whether something is owed for any violation of the source."""
    return bool(books.one("select exists (select 1 from violation where source_id = :source and cents > 0)", source=source))


def find_missing(books: Books, told: Told) -> None:
    """What the list that was just posted leaves out, into the temporary table missing (ledger.violations.is_cleared)."""
    _begin(books)
    books.join_by_key(False)
    if told.listed:
        return
    books.do(
        "insert into missing (violation_id) select v.id from violation v where v.source_id = :source and v.cents > 0 and v.as_of < :as_of "
        "and not exists (select 1 from held h where h.violation_id = v.id) "
        "and not exists (select 1 from held_reference r where r.reference = ltrim(v.reference, '0'))",
        **told.names("source", "as_of"),
    )


def find_gone(books: Books, told: Told, gone: set[str], coming: set[str]) -> bool:
    """The same from the numbers of the lines that went and that came, staged beside; False when the lines alone cannot tell.

    They cannot when a number that comes has stood in the list before and not gone, or one that went stands in a record that waits.
    """
    _begin(books)
    books.temporary("gone", "reference text primary key")
    books.temporary("coming", "reference text primary key")
    # A number on both sides is a line that changed: of 20,000 lines it is most.
    books.stage("gone", ("reference",), [(one,) for one in gone - coming])
    books.stage("coming", ("reference",), [(one,) for one in coming - gone])
    names = told.names("source", "as_of", "channel")
    appeared = f"coming c join violation v on v.id = {KNOWN.format('c.reference')} where v.status <> 'absent'"
    if books.one(f"select exists (select 1 from {appeared})", **names) or _waits(books, told, gone):
        return False
    books.do(
        f"insert into missing (violation_id) select v.id from gone g join violation v on v.id = {KNOWN.format('g.reference')} "
        "where v.cents > 0 and v.as_of < :as_of",
        **names,
    )
    return True


def _waits(books: Books, told: Told, gone: set[str]) -> bool:
    """Whether a line that went stands in a record that once waited; an id that lost its zeros is the one that has them."""
    waiting = "from suspense where channel = :channel and item_key like 'record:%'"
    if not books.one(f"select exists (select 1 {waiting})", **told.names("channel")):
        return False
    books.temporary("stripped", "reference text primary key")
    books.stage("stripped", ("reference",), [(one,) for one in {one.lstrip("0") for one in gone}])
    return bool(
        books.one(
            f"select exists (select 1 {waiting} and ltrim(reference, '0') in (select reference from stripped))",
            **told.names("channel"),
        )
    )


def is_newest_word(books: Books, told: Told) -> bool:
    """Whether nothing newer than the list is known of any violation of the source, so that what it leaves out is either cleared or asked about."""
    newer = "select exists (select 1 from violation where source_id = :source and as_of > :as_of)"
    return not told.listed and not books.one(newer, **told.names("source", "as_of"))


def is_sure(books: Books, told: Told) -> bool:
    """Whether absence from the list is certain: no record of it waits that could be about any violation at all."""
    return not books.one(
        "select exists (select 1 from suspense where resolved_at is null and delivery_id = :delivery and channel = :channel "
        "and reference = '' and item_key like 'record:%')",
        **told.names("delivery", "channel"),
    )


def doubt(books: Books, told: Told, sure: bool) -> str:
    """Takes nothing from what is missing while the list is unsure, and asks; returns it in words."""
    key = f"list:{told.name}"
    if sure:
        suspense.close(books, key, "a later list was sure")
        return ""
    count, cents = _total(books)
    if not count:
        return ""
    words = (
        f"{count} violations ({shown(cents)}) are no longer listed, but the list has records that cannot be read and carry no number: none is cleared"
    )
    suspense.put(books, told.channel, [suspense.Item(key, "list_unsure", words, cents=cents, rows=count, delivery=told.delivery)])
    return words


def clear(books: Books, told: Told) -> Count:
    """Nothing is owed any more for what is missing: what it was stays in violation_past. Returns how many, and the cents."""
    count = Count(*_total(books))
    if count.count:
        books.do(f"{PAST} from missing m join violation v on v.id = m.violation_id", **told.names("delivery"))
        books.do(
            "update violation set status = 'absent', cents = 0, as_of = :as_of, delivery_id = :delivery "
            "where id in (select violation_id from missing)",
            **told.names("as_of", "delivery"),
        )
        books.do(
            "update suspense set resolved_at = :at, resolution = 'no longer listed' where resolved_at is null and id in (select a.suspense_id "
            "from missing m join violation v on v.id = m.violation_id join asked_before a on a.reference = v.reference)",
            at=books.now,
        )
    return count


def ask(books: Books, told: Told) -> int:
    """One question about each violation that is missing; those that a person called cleared stay in `missing`. Returns how many are new."""
    books.temporary("questioned", f"violation_id {books.number_key}")
    books.do(
        "insert into questioned (violation_id) select v.id from missing m join violation v on v.id = m.violation_id where not exists "
        "(select 1 from suspense s where s.item_key = 'absent:' || :name || ':' || v.reference and s.resolution = 'cleared' "
        "and s.delivery_id >= v.delivery_id)",
        name=told.name,
    )
    books.do("delete from missing where violation_id in (select violation_id from questioned)")
    last = asked = 0
    while rows := books.rows(
        "select v.id, v.reference, v.account, v.cents from questioned q join violation v on v.id = q.violation_id where v.id > :last "
        "and not exists (select 1 from suspense s where s.item_key = 'absent:' || :name || ':' || v.reference and s.resolved_at is null) "
        f"order by v.id limit {CHUNK}",
        last=last,
        name=told.name,
    ):
        asked += len(suspense.put_undecided(books, told.channel, [_absent(told, str(row[1]), str(row[2]), int(row[3])) for row in rows]))
        last = int(rows[-1][0])
    return asked


def _absent(told: Told, reference: str, account: str, cents: int) -> suspense.Item:
    words = f"violation {reference} ({shown(cents)}) is no longer in the complete list; was it paid or voided? Until that is known it stays as it is"
    return suspense.Item(f"absent:{told.name}:{reference}", "violation_absent", words, reference, account, cents, delivery=told.delivery)


def _begin(books: Books) -> None:
    books.temporary("missing", f"violation_id {books.number_key}")


def _total(books: Books) -> tuple[int, int]:
    row = books.rows("select count(*), coalesce(sum(v.cents), 0) from missing m join violation v on v.id = m.violation_id")[0]
    return int(row[0]), int(row[1])
