"""Questions to the ledger: where the money is, why something is still here, what waits. They change nothing."""

from __future__ import annotations

from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.entries import Place
from bursarbridge.ledger.posting import Standing
from bursarbridge.ledger.reference import number_in, reference_of
from bursarbridge.ledger.verdict import InFlight, Question
from bursarbridge.store import starts
from bursarbridge.store.books import Books
from bursarbridge.store.standing import standing_of

_FORGIVEN = "coalesce(sum(case when kind = 'waiver' then cents when kind = 'withdrawal' and from_place = 5 then -cents else 0 end), 0)"


def places(books: Books) -> dict[str, int]:
    """Cents in every place inside the bridge's view; `outside` is what has come in, as a negative sum."""
    found = {int(row[0]): int(row[1]) for row in books.rows("select place, sum(cents) from position group by place")}
    inside = {place.word: found.get(int(place), 0) for place in Place if place is not Place.OUTSIDE}
    return {"outside": -sum(inside.values()), **inside}


def unexplained_cents(books: Books) -> int:
    """What the books cannot explain, in cents; 0 unless something is broken.

    Three comparisons: the entries against the positions, place by place; every sealed batch's control total against its
    lines; every delivery's records against where they ended.
    """
    moved: dict[int, int] = dict.fromkeys(range(8), 0)
    for source, target, cents in books.rows("select from_place, to_place, sum(cents) from entry group by from_place, to_place"):
        moved[int(source)] -= int(cents)
        moved[int(target)] += int(cents)
    now = places(books)
    wrong = sum(abs(moved[int(place)] - now[place.word]) for place in Place)
    wrong += abs(sum(moved.values()))
    for total, lines in books.rows(
        "select b.cents, coalesce((select sum(l.cents) from batch_line l where l.batch_id = b.id), 0) "
        "+ coalesce((select sum(l.cents) from hold_line l where l.batch_id = b.id), 0) from batch b where b.state <> 'OPEN'"
    ):
        wrong += abs(int(total) - int(lines))
    return wrong


def forgiven_cents(books: Books) -> int:
    """What the sources waived and did not withdraw, in cents, wherever it is now."""
    return int(books.one(f"select {_FORGIVEN} from entry"))


class BatchView(NamedTuple):
    """A batch as people look at it."""

    id: int
    destination: str
    kind: str
    state: str
    document: str
    lines: int
    cents: int
    sent_at: str
    expected_at: str
    assumed: bool
    late: bool


def batches(books: Books, *, only_open: bool) -> list[BatchView]:
    """The batches, newest last; `late` when an answer was expected before now."""
    where = "where state in ('OPEN', 'SEALED', 'SENT', 'RECEIVED', 'IN_DOUBT')" if only_open else ""
    found = books.rows(
        "select id, destination, kind, state, coalesce(document, ''), lines, cents, coalesce(sent_at, ''), coalesce(expected_at, ''), assumed "
        f"from batch {where} order by id"
    )
    waiting = ("SENT", "RECEIVED")
    return [
        BatchView(
            int(r[0]), r[1], r[2], r[3], r[4], int(r[5]), int(r[6]), r[7], r[8], bool(r[9]), r[3] in waiting and bool(r[8]) and r[8] < books.now
        )
        for r in found
    ]


class ItemView(NamedTuple):
    """A suspense item as people look at it."""

    id: int
    code: str
    channel: str
    reference: str
    account: str
    cents: int
    words: str
    opened_at: str
    resolved_at: str
    resolution: str
    actor: str
    note: str
    raw: str
    blocks: bool
    obligation: int | None
    delivery: str
    key: str


_ITEM = (
    "select s.id, s.code, s.channel, s.reference, s.account, s.cents, s.words, s.opened_at, coalesce(s.resolved_at, ''), s.resolution, s.actor, "
    "s.note, s.raw, s.blocks, s.obligation_id, coalesce(d.name, ''), s.item_key from suspense s left join delivery d on d.id = s.delivery_id "
)


def items(books: Books, *, only_open: bool = True) -> list[ItemView]:
    """Suspense, oldest first."""
    where = "where s.resolved_at is null" if only_open else ""
    return [_item(row) for row in books.rows(f"{_ITEM} {where} order by s.id")]


def item(books: Books, number: int) -> ItemView | None:
    """One suspense item by its number."""
    found = books.rows(f"{_ITEM} where s.id = :id", id=number)
    return _item(found[0]) if found else None


def _item(row: tuple[object, ...]) -> ItemView:
    fields = list(row)
    fields[13] = bool(fields[13])
    return ItemView._make(fields)


class Obligation(NamedTuple):
    """One fee with all that is known of it."""

    id: int
    reference: str
    source: str
    source_reference: str
    account: str
    category: str
    cents: int
    assessed_on: str
    standing: Standing
    in_flight: tuple[InFlight, ...]
    questions: tuple[Question, ...]
    assumed: bool
    history: tuple[Event, ...]
    forgiven: int
    """Cents of it that the source waived."""


class Event(NamedTuple):
    """One entry of an obligation's history."""

    at: str
    source: str
    target: str
    cents: int
    kind: str
    cause: str
    document: str
    words: str
    actor: str


def obligations(books: Books, subject: str) -> list[Obligation]:
    """The obligations of a person, or the one of a reference (ours, the source's, or a credit's), oldest first."""
    found = books.rows(
        "select id from obligation where account = :s or source_reference = :s "
        "union select obligation_id from credit where reference = :s and obligation_id is not null",
        s=subject,
    )
    numbers = [int(row[0]) for row in found]
    return [one for number in sorted({*numbers, *_ours(books, subject)}) if (one := _obligation(books, number))]


def _ours(books: Books, subject: str) -> list[int]:
    """The number in a reference of ours, as it stands or typed in small letters."""
    for (prefix,) in books.rows("select prefix from source"):
        try:
            return [number_in(prefix, subject.upper())]
        except Unreadable:
            continue
    return []


def _obligation(books: Books, number: int) -> Obligation | None:
    found = books.rows(
        "select o.id, s.prefix, s.name, o.source_reference, o.account, o.category, o.cents, o.assessed_on "
        "from obligation o join source s on s.id = o.source_id where o.id = :id",
        id=number,
    )
    if not found:
        return None
    row = found[0]
    return Obligation(
        int(row[0]),
        reference_of(str(row[1]), int(row[0])),
        row[2],
        row[3],
        row[4],
        row[5],
        int(row[6]),
        row[7],
        standing_of(books, number),
        _in_flight(books, number),
        _questions(books, number),
        bool(books.one("select exists (select 1 from batch_line where obligation_id = :id and state = 'assumed')", id=number)),
        _history(books, number),
        _forgiven(books, number),
    )


def _forgiven(books: Books, number: int) -> int:
    return int(
        books.one(
            f"select {_FORGIVEN} + coalesce(sum(case when kind = 'withdrawal' and from_place = 1 then cents else 0 end), 0) from entry "
            "where obligation_id = :id",
            id=number,
        )
    )


def _in_flight(books: Books, number: int) -> tuple[InFlight, ...]:
    found = books.rows(
        "select b.destination, b.document, l.to_place, l.cents, coalesce(b.sent_at, ''), coalesce(b.expected_at, ''), b.state, b.kind "
        "from batch_line l join batch b on b.id = l.batch_id where l.obligation_id = :id and l.state = 'sent' order by b.id",
        id=number,
    )
    return tuple(InFlight(f"the {r[0]}", r[1], Place(int(r[2])), int(r[3]), r[4], r[5], r[6] == "IN_DOUBT", r[7]) for r in found)


def _questions(books: Books, number: int) -> tuple[Question, ...]:
    found = books.rows("select id, code, words, blocks from suspense where obligation_id = :id and resolved_at is null order by id", id=number)
    return tuple(Question(int(r[0]), r[1], r[2], bool(r[3])) for r in found)


def _history(books: Books, number: int) -> tuple[Event, ...]:
    found = books.rows(
        "select c.at, e.from_place, e.to_place, e.cents, e.kind, c.kind, "
        "coalesce(case when c.kind = 'answer' then d.name end, b.document, d.name, ''), c.words, c.actor "
        "from entry e join cause c on c.id = e.cause_id left join batch b on b.id = c.batch_id left join delivery d on d.id = c.delivery_id "
        "where e.obligation_id = :id order by e.id",
        id=number,
    )
    return tuple(Event(r[0], Place(int(r[1])).word, Place(int(r[2])).word, int(r[3]), r[4], r[5], r[6], r[7], r[8]) for r in found)


class LastRun(NamedTuple):
    """The newest run of a flow."""

    flow: str
    name: str
    started_at: str
    ended_at: str
    outcome: str
    start: str
    """hand or timetable; "" when nobody wrote it down."""
    started_by: str


def last_runs(books: Books) -> list[LastRun]:
    """The newest run of every flow that ever ran."""
    found = books.rows(
        f"select r.flow, r.name, r.started_at, coalesce(r.ended_at, ''), coalesce(r.outcome, ''), {starts.STARTED} from run r "
        "left join run_start s on s.run_name = r.name where r.id in (select max(id) from run group by flow) order by r.flow"
    )
    return [LastRun._make(row) for row in found]


class FileView(NamedTuple):
    """A file that came or went."""

    direction: str
    name: str
    sha256: str
    size: int
    lines: int
    cents: int
    state: str
    at: str
    place: str


def files(books: Books) -> list[FileView]:
    """Every delivery and every document, oldest first; repeats of the same bytes are counted as one."""
    found = books.rows(
        "select 'in' as direction, name, sha256, size, records, record_cents, state, arrived_at as at, channel from delivery "
        "union all select 'out', document, sha256, size, lines, cents, state, sealed_at, destination from batch where document is not null "
        "order by at, direction"
    )
    return [FileView(r[0], r[1], r[2], int(r[3] or 0), int(r[4]), int(r[5]), r[6], r[7], r[8]) for r in found]
