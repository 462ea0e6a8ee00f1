"""After a restore: fees under the numbers they had, batches under the names they had, and nothing under a number used before (P21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bursarbridge.ledger.entries import Entry, Kind, Place
from bursarbridge.ledger.facts import Charge
from bursarbridge.ledger.found import UNNAMED, FoundDocument, FoundLine
from bursarbridge.ledger.reference import reference_of
from bursarbridge.store import answers, moves, suspense
from bursarbridge.store.batches import Route, mark_in_doubt
from bursarbridge.store.books import Books
from bursarbridge.store.runlog import LoggedMail

CHANNEL = FLOW = "reconcile"
_LATER = {"batch": "select coalesce(max(id), 0) from batch", "obligation": "select coalesce(max(id), 0) from obligation"}


def known_batch(books: Books, document: FoundDocument) -> tuple[int, str, str]:
    """Number, state and hash of the batch of a document's name; 0 and nothing when the ledger has none."""
    found = books.rows("select id, state, coalesce(sha256, '') from batch where document = :name", name=document.name)
    return (int(found[0][0]), str(found[0][1]), str(found[0][2])) if found else (0, "", "")


class Known(NamedTuple):
    """What the ledger knows of files by their names and hashes, so that only the others are looked at."""

    documents: frozenset[str]
    """Documents that the books have as sent."""
    hashes: frozenset[tuple[str, str]]
    """Channel and hash of every file that was read."""
    names: frozenset[tuple[str, str]]
    """Channel and name under which files arrived."""
    last_at: str
    """When the newest run before the restore began."""


def known(books: Books, before: str) -> Known:
    """The same, as of the runs that began before the epoch did."""
    documents = books.rows("select document from batch where document is not null and state not in ('SEALED', 'IN_DOUBT')")
    hashes = books.rows("select channel, sha256 from delivery")
    names = books.rows("select d.channel, a.name from arrival a join delivery d on d.id = a.delivery_id")
    last = str(books.one("select coalesce(max(started_at), '') from run where started_at < :before and flow <> :own", before=before, own=FLOW))
    files, arrived = (frozenset((str(row[0]), str(row[1])) for row in rows) for rows in (hashes, names))
    return Known(frozenset(str(row[0]) for row in documents), files, arrived, last)


def unknown_runs(books: Books, names: Sequence[str]) -> list[str]:
    """Those of the run names that the ledger does not have."""
    books.temporary("wanted_run", "name text")
    books.stage("wanted_run", ("name",), [(one,) for one in names])
    return [str(row[0]) for row in books.rows("select name from wanted_run where name not in (select name from run)")]


def number_taken(books: Books, document: FoundDocument) -> str:
    """The name of another document that has this one's number; "" when the number is free."""
    found = books.rows(
        "select coalesce(document, '') from batch where id = :id and document is distinct from :name", id=document.sequence, name=document.name
    )
    return str(found[0][0]) or "a batch without a document" if found else ""


def sealed_of(books: Books) -> list[tuple[int, str, str]]:
    """Batches that were about to leave when the backup was made: number, document and destination."""
    found = books.rows(
        "select id, document, destination from batch where state = 'SEALED' and sealed_at <= "
        "(select began_at from epoch where reconciled_at is null) order by id"
    )
    return [(int(row[0]), str(row[1]), str(row[2])) for row in found]


def missing_numbers(books: Books, numbers: Sequence[int]) -> set[int]:
    """Those of the obligation numbers that the ledger has not given out."""
    books.temporary("wanted_number", f"id {books.number_key}")
    books.stage("wanted_number", ("id",), [(one,) for one in sorted(set(numbers)) if one])
    return {int(row[0]) for row in books.rows("select id from wanted_number where id not in (select id from obligation)")}


def unknown_fees(books: Books, source: int, charges: Sequence[Charge]) -> list[Charge]:
    """Those of the fees that the ledger does not know by their name, each name once, in order."""
    books.temporary("wanted_fee", "reference text")
    books.stage("wanted_fee", ("reference",), [(one.reference,) for one in charges])
    sql = "select w.reference from wanted_fee w join obligation o on o.source_id = :source and o.source_reference = w.reference"
    known = {str(row[0]) for row in books.rows(sql, source=source)}
    first = {one.reference: one for one in reversed(charges) if one.reference not in known}
    return [one for one in charges if first.get(one.reference) is one]


def assess(books: Books, source: int, cause: int, numbered: Sequence[tuple[int, Charge]]) -> None:
    """Enters fees under the numbers that they had before the restore, with their money at the source."""
    books.many(
        "insert into obligation (id, source_id, source_reference, account, category, cents, assessed_on, item, owner, extra, cause_id) "
        "values (:id, :source, :reference, :account, :category, :cents, :assessed_on, :item, :owner, :extra, :cause)",
        [{**charge._asdict(), "id": number, "source": source, "cause": cause} for number, charge in numbered],
    )
    moves.begin(books)
    moves.plan(books, [(number, Entry(Place.OUTSIDE, Place.SOURCE, charge.cents, Kind.CHARGE)) for number, charge in numbered if charge.cents])
    moves.carry_out(books, cause)
    count_on(books, "obligation")


def assess_unnamed(books: Books, source: int, prefix: str, cause: int, lines: Sequence[FoundLine]) -> None:
    """The same for lines whose fee nobody names any more: known by our own reference until the source speaks of them again."""
    fees = [(one.number, Charge(f"{UNNAMED}{reference_of(prefix, one.number)}", one.account, one.category, one.cents, "")) for one in lines]
    assess(books, source, cause, fees)


def resolve_lines(books: Books, source: int, route: Route, lines: Sequence[FoundLine]) -> list[int]:
    """The obligation of each line: by our reference, by the source's, else by person, type and open amount; 0 where there is none."""
    books.temporary("found_line", "n integer, number bigint, reference text, account text, category text, cents bigint")
    rows = [(n, one.number, one.source_reference, one.account, one.category, one.cents) for n, one in enumerate(lines)]
    books.stage("found_line", ("n", "number", "reference", "account", "category", "cents"), rows)
    by_name = books.rows(
        "select f.n, o.id from found_line f join obligation o on o.source_id = :source and "
        "((f.number > 0 and o.id = f.number and o.account = f.account) or (f.number = 0 and f.reference <> '' and o.source_reference = f.reference))",
        source=source,
    )
    named = {int(row[0]): int(row[1]) for row in by_name}
    taken = set(named.values())
    for n, one in books.rows(
        "select f.n, o.id from found_line f join obligation o on o.source_id = :source and o.account = f.account and o.category = f.category "
        "join position p on p.place = :place and p.obligation_id = o.id and p.cents = f.cents "
        "where f.number = 0 and f.reference = '' order by f.n, o.id",
        source=source,
        place=int(route.take_from),
    ):
        if int(n) not in named and int(one) not in taken:
            named[int(n)] = int(one)
            taken.add(int(one))
    return [named.get(n, 0) for n in range(len(lines))]


def covered(books: Books, place: Place, chosen: Sequence[tuple[int, int]]) -> set[int]:
    """Those of the obligations that have these cents at a place."""
    books.temporary("wanted_cents", f"obligation_id {books.number_key}, cents bigint")
    books.stage("wanted_cents", ("obligation_id", "cents"), [one for one in dict(chosen).items() if one[0]])
    joined = "p.place = :place and p.obligation_id = w.obligation_id and p.cents >= w.cents"
    sql = f"select w.obligation_id from wanted_cents w join position p on {joined}"
    return {int(row[0]) for row in books.rows(sql, place=int(place))}


def put_batch(
    books: Books, document: FoundDocument, route: Route, moving: Sequence[tuple[int, int]], settled: Sequence[tuple[int, int]], expected_at: str
) -> None:
    """A batch under the number it had: `moving` (obligation and cents) goes into transit, `settled` is only written down as told.

    It counts as sent where that is proven; else a person is asked.
    """
    cents = sum(one for _, one in (*moving, *settled))
    books.do(
        "insert into batch (id, destination, flow, kind, state, lines, cents, document, sha256, size, uploaded_at, sealed_at, sent_at, proof, "
        "expected_at, run_id) values (:id, :destination, :flow, :kind, :state, :lines, :cents, :document, :sha256, :size, :uploaded, :made, :sent, "
        ":proof, :expected, :run)",
        id=document.sequence,
        destination=route.destination,
        flow=route.flow,
        kind=route.kind.value,
        state="SENT" if document.left else "IN_DOUBT",
        lines=len(moving) + len(settled),
        cents=cents,
        document=document.name,
        sha256=document.sha256 or None,
        size=document.size,
        uploaded=None if document.told else document.made_at,
        made=document.made_at,
        sent=document.made_at if document.left else None,
        proof="told" if document.told else "found" if document.left else "",
        expected=expected_at if document.left else None,
        run=books.run,
    )
    _lines(books, document.sequence, route, [(*one, "sent") for one in moving] + [(*one, "assumed") for one in settled])
    books.temporary("unsent", f"line_no bigint, obligation_id {books.number_key}, cents bigint")
    books.stage("unsent", ("line_no", "obligation_id", "cents"), [(n, *one) for n, one in enumerate(moving, 1)])
    cause = books.cause("evidence", batch=document.sequence, words=f"found after a restore: {document.where}")
    moves.carry_all(books, "unsent", route.take_from, Place.IN_TRANSIT, route.kind, cause)
    count_on(books, "batch")
    if not document.left:
        mark_in_doubt(books, document.sequence, f"it was made before the restore ({document.where}), and nothing shows whether it left")
    elif settled and not moving:
        answers.settle(books, document.sequence)


def _lines(books: Books, batch: int, route: Route, lines: Sequence[tuple[int, int, str]]) -> None:
    books.many(
        "insert into batch_line (batch_id, line_no, obligation_id, from_place, to_place, cents, state) "
        "values (:batch, :n, :obligation, :source, :target, :cents, :state)",
        [
            {"batch": batch, "n": n, "obligation": one, "source": int(route.take_from), "target": int(route.bring_to), "cents": cents, "state": state}
            for n, (one, cents, state) in enumerate(lines, 1)
        ],
    )


def put_trace(books: Books, document: FoundDocument, words: str) -> None:
    """A batch of which nothing but its name is known: no document ever gets its number again, and a person is told."""
    books.do(
        "insert into batch (id, destination, flow, kind, state, document, sealed_at, run_id) "
        "values (:id, :destination, :flow, :kind, 'IN_DOUBT', :document, :at, :run)",
        id=document.sequence,
        destination=document.destination,
        flow=document.flow,
        kind=document.kind or "charge",
        document=document.name,
        at=document.made_at,
        run=books.run,
    )
    count_on(books, "batch")
    suspense.put(
        books, CHANNEL, [suspense.Item(f"doubt:{document.sequence}", "sent_unseen", words, reference=document.name, batch=document.sequence)]
    )


def hold_back(books: Books, document: FoundDocument, chosen: Sequence[tuple[int, int]]) -> None:
    """Keeps fees from leaving by themselves that a document of ours names, where the books cannot follow what it did."""
    words = f'"{document.name}" carried it before the restore ({document.where}), and nothing here shows what came of it'
    items = [
        suspense.Item(f"blocked:{one}", "sent_before", words, cents=cents, blocks=True, obligation=one, batch=None) for one, cents in chosen if one
    ]
    suspense.put(books, CHANNEL, items)


def hold_look_alikes(books: Books, route: Route) -> int:
    """Keeps back unsent fees that look like one our own documents billed before a restore and nobody could name; returns how many.

    A fee that a person has let go once is not kept back again.
    """
    found = books.rows(
        "select o.id, o.source_reference, o.account, o.cents, n.source_reference from obligation n join obligation o on o.source_id = n.source_id "
        "and o.account = n.account and o.category = n.category and o.cents = n.cents and o.id <> n.id "
        "join position p on p.place = :place and p.obligation_id = o.id "
        "where n.source_id = :source and n.source_reference >= :first and n.source_reference < :after and not exists "
        "(select 1 from suspense s where s.obligation_id = o.id and s.code = 'sent_before')",
        place=int(Place.SOURCE),
        source=route.source,
        first=UNNAMED,
        after=UNNAMED[:-1] + chr(ord(UNNAMED[-1]) + 1),
    )
    items = []
    for one, reference, account, cents, unnamed in found if route.kind is Kind.CHARGE else ():
        words = (
            f"the same person was billed the same amount for the same type before a restore, as {str(unnamed).removeprefix(UNNAMED)}: is it this fee?"
        )
        items.append(
            suspense.Item(f"blocked:{one}", "sent_before", words, str(reference), str(account), int(cents), blocks=True, obligation=int(one))
        )
    suspense.put(books, CHANNEL, items)
    return len(items)


def reserve(books: Books, run_source: int, batch: int, obligation: int) -> None:
    """Lets numbers go on above those that were ever given out: a name or a reference means one thing for ever.

    A row marks the highest one, because a database that counts on from its rows would forget it.
    """
    if batch > int(books.one(_LATER["batch"])):
        sql = "insert into batch (id, destination, flow, kind, state, run_id) values (:id, 'none', 'reconcile', 'charge', 'REFUSED', :run)"
        books.do(sql, id=batch, run=books.run)
        count_on(books, "batch")
    if obligation > int(books.one(_LATER["obligation"])):
        cause = books.cause("evidence", words="numbers up to here were given out before a restore")
        assess(books, run_source, cause, [(obligation, Charge(f"{UNNAMED}up-to-{obligation}", "", "", 0, ""))])


def standing_at(books: Books, place: Place) -> list[tuple[int, int]]:
    """The obligations with money at a place that nobody has been asked about yet, with their cents."""
    found = books.rows(
        "select p.obligation_id, p.cents from position p where p.place = :place and p.obligation_id not in "
        "(select obligation_id from suspense where resolved_at is null and blocks = 1 and obligation_id is not null) order by p.obligation_id",
        place=int(place),
    )
    return [(int(row[0]), int(row[1])) for row in found]


def number_known(books: Books, batch: int) -> bool:
    """Whether a batch of that number is in the books."""
    return bool(books.one("select exists (select 1 from batch where id = :id)", id=batch))


def paid_fees(books: Books, source: str) -> list[tuple[int, str, str]]:
    """The fees whose payment their source would be told of next: number, person and the source's name of the fee."""
    found = books.rows(
        "select o.id, o.account, o.source_reference from position p join obligation o on o.id = p.obligation_id join source s on s.id = o.source_id "
        "where p.place = :place and s.name = :source order by o.id",
        place=int(Place.PAID),
        source=source,
    )
    return [(int(row[0]), str(row[1]), str(row[2])) for row in found]


def suspended_references(books: Books) -> list[str]:
    """What open payments and answers name that the books cannot place: among them may be numbers that were given out before a restore."""
    sql = "select distinct reference from suspense where resolved_at is null and (code like 'payment%' or code like 'answer%') and reference <> ''"
    return [str(row[0]) for row in books.rows(sql)]


def put_mails(books: Books, mails: Sequence[LoggedMail]) -> int:
    """Mails that were written or sent after the backup, as they were, so that none is sent a second time; returns how many were unknown."""
    names = ", ".join(LoggedMail._fields)
    marks = ", ".join(f":{name}" for name in LoggedMail._fields)
    new = 0
    for one in mails:
        values = {**one._asdict(), "sent_at": one.sent_at or None, "run": books.run}
        new += books.do(f"insert into mail ({names}, run_id) values ({marks}, :run) on conflict (mail_key) do nothing", **values)
        if one.state != "queued":
            books.do(
                "update mail set state = :state, sent_at = :sent_at where mail_key = :mail_key and state in ('queued', 'sending')",
                **{name: values[name] for name in ("state", "sent_at", "mail_key")},
            )
    return new


def doubt_mails(books: Books) -> int:
    """Mails that waited when the backup was made: they may have left since, so none goes by itself; returns how many."""
    words = "it waited when the backup was made that was put back, and may have left since; send the report again with --again if it is not there"
    return books.do("update mail set state = 'in_doubt', last_error = :words where state in ('queued', 'sending')", words=words)


def count_on(books: Books, table: str) -> None:
    """PostgreSQL counts apart from its rows: after numbers of our own it has to be told where to go on."""
    if books.postgres:
        books.one(f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))")
