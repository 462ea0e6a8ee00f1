"""Batches out: unsent cents become lines, a sealed batch and one document; nothing leaves that is not written down first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bursarbridge.errors import Unreadable
from bursarbridge.ledger.batch import BatchState, move
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.reference import reference_of
from bursarbridge.ports import ControlTotal, Line
from bursarbridge.store import moves, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.epochs import NOTHING_LEAVES


class Route(NamedTuple):
    """Which money a batch takes, and where it is going."""

    destination: str
    flow: str
    source: int
    prefix: str
    kind: Kind
    take_from: Place
    bring_to: Place


class Unsendable(NamedTuple):
    """A line that could not be written; it stays where it is and blocks until a person has cured it."""

    line: Line
    error: Unreadable


class Sealed(NamedTuple):
    """A batch that is written down and waits to leave."""

    id: int
    document: str
    sha256: str
    size: int
    total: ControlTotal


def take(books: Books, route: Route) -> int:
    """Selects what is unsent and not blocked into the temporary table `unsent`; returns how many lines that is.

    A remittance is capped at what the source still thinks is open (alma.md 2.3): it was told of the rest before, so that
    part is settled already.
    """
    books.temporary("unsent", f"line_no bigint, obligation_id {books.number_key}, cents bigint")
    told = (
        "coalesce((select sum(l.cents) from batch_line l where l.obligation_id = p.obligation_id and l.from_place = 4 and l.state <> 'refused'), 0)"
    )
    remitting = route.take_from is Place.PAID
    if remitting and books.one("select exists (select 1 from suspense where code = 'reopened' and resolution = 'opened')"):
        # What a person opened in the source again by hand it no longer thinks paid.
        opened = "s.obligation_id = p.obligation_id and s.code = 'reopened' and s.resolution = 'opened'"
        told += f" - coalesce((select sum(s.cents) from suspense s where {opened}), 0)"
    if remitting and books.one("select exists (select 1 from credit where obligation_id is not null)"):
        # What the source has forgiven it does not think open either (D19: a waive and a payment that crossed).
        told += " + coalesce((select sum(c.cents) from credit c where c.obligation_id = p.obligation_id and c.state in ('applied', 'refund')), 0)"
    left = f"o.cents - ({told})"  # below nothing where a fee that was told paid was opened again and then forgiven
    cents = f"case when {left} <= 0 then 0 when p.cents < {left} then p.cents else {left} end" if remitting else "p.cents"
    order = "o.account, o.id" if remitting else "p.obligation_id"
    blocked = "p.obligation_id not in (select obligation_id from suspense where resolved_at is null and blocks = 1 and obligation_id is not null)"
    return books.do(
        f"insert into unsent (line_no, obligation_id, cents) select row_number() over (order by {order}), p.obligation_id, {cents} "
        f"from position p join obligation o on o.id = p.obligation_id "
        f"where p.place = :place and o.source_id = :source and p.cents > 0 and {blocked}",
        place=int(route.take_from),
        source=route.source,
    )


def told_too_much(books: Books, obligation: int) -> int:
    """By how much the source was told of payments beyond what it still thought open: a payment and a waive that crossed (D19).

    It makes a credit of its own of that; what is opened in it later is open beyond it.
    """
    row = books.rows(
        "select o.cents, (select coalesce(sum(l.cents), 0) from batch_line l where l.obligation_id = o.id and l.from_place = 4 "
        "and l.state <> 'refused'), (select coalesce(sum(c.cents), 0) from credit c where c.obligation_id = o.id "
        "and c.state in ('applied', 'refund')), (select coalesce(sum(s.cents), 0) from suspense s where s.obligation_id = o.id "
        "and s.code = 'reopened' and s.resolution = 'opened') from obligation o where o.id = :o",
        o=obligation,
    )[0]
    cents, told, forgiven, opened = map(int, row)
    return max(0, told + forgiven - opened - cents)


def settle_told(books: Books, route: Route) -> None:
    """Takes out of `unsent` what the source was told before, and settles it (a payment taken back and made again)."""
    if route.take_from is not Place.PAID:
        return
    books.temporary("told", f"obligation_id {books.number_key}, cents bigint")
    extra = books.do(
        "insert into told select u.obligation_id, p.cents - u.cents from unsent u "
        "join position p on p.place = 4 and p.obligation_id = u.obligation_id where p.cents > u.cents"
    )
    if extra:
        cause = books.cause("evidence", words="the source was told of this payment before, or has forgiven the fee")
        moves.carry_all(books, "told", Place.PAID, Place.SETTLED, Kind.PAYMENT, cause)
    books.do("delete from unsent where cents <= 0")


def lines(books: Books, route: Route) -> Iterator[Line]:
    """The selected lines, in order, streamed."""
    kind, prefix = route.kind.value, route.prefix
    for row in books.stream(
        "select o.id, o.source_reference, o.account, o.category, u.cents, o.assessed_on, o.item, o.owner, o.extra "
        "from unsent u join obligation o on o.id = u.obligation_id order by u.line_no"
    ):
        yield Line(row[0], reference_of(prefix, row[0]), row[1], row[2], row[3], row[4], kind, row[5], row[6], row[7], row[8])


class Left(NamedTuple):
    """The charge behind a credit, as it left: UTC instants, "" where it never did."""

    sealed_at: str
    sent_at: str
    cents: int


def lines_of_credits(books: Books, route: Route) -> list[tuple[Line, Left]]:
    """The selected lines with the charge that each takes back; credits are some hundreds at most."""
    return [(line, _left(books, line.obligation)) for line in list(lines(books, route))]


def _left(books: Books, obligation: int) -> Left:
    found = books.rows(
        "select coalesce(b.sealed_at, ''), coalesce(b.sent_at, ''), l.cents from batch_line l join batch b on b.id = l.batch_id "
        "where l.obligation_id = :o and l.from_place = 1 and l.state in ('posted', 'assumed') order by b.id desc limit 1",
        o=obligation,
    )
    return Left(str(found[0][0]), str(found[0][1]), int(found[0][2])) if found else Left("", "", 0)


def only(books: Books, chosen: Sequence[tuple[int, int]]) -> None:
    """Makes the selection be these obligations with their cents, in this order."""
    books.do("delete from unsent")
    books.stage("unsent", ("line_no", "obligation_id", "cents"), [(number, *one) for number, one in enumerate(chosen, 1)])


def open_batch(books: Books, route: Route) -> int:
    """A new batch; its number is the sequence that makes its document's name unique."""
    return books.new(
        "insert into batch (destination, flow, kind, state, run_id) values (:destination, :flow, :kind, 'OPEN', :run)",
        destination=route.destination,
        flow=route.flow,
        kind=route.kind.value,
        run=books.run,
    )


def drop(books: Books, batch: int) -> None:
    """Takes back a batch that turned out to have no line."""
    books.do("delete from batch where id = :id and state = 'OPEN'", id=batch)


def reject_open(books: Books, flow: str) -> int:
    """Refuses the open batches of a flow: their plan was rejected by a person, and nothing of it leaves. Returns how many there were."""
    move(BatchState.OPEN, BatchState.REFUSED)
    return books.do("update batch set state = 'REFUSED' where flow = :flow and state = 'OPEN'", flow=flow)


def size(books: Books) -> tuple[int, int]:
    """How many lines are selected, and their cents."""
    row = books.rows("select count(*), coalesce(sum(cents), 0) from unsent")[0]
    return int(row[0]), int(row[1])


def set_aside(books: Books, route: Route, unsendable: Sequence[Unsendable]) -> None:
    """Puts lines that could not be written into suspense and takes them out of the selection."""
    if not unsendable:
        return
    channel = f"{route.flow}:{route.destination}"
    suspense.put(
        books,
        channel,
        [
            suspense.Item(
                f"blocked:{one.line.obligation}",
                one.error.code,
                one.error.words,
                one.line.source_reference,
                one.line.account,
                one.line.cents,
                blocks=True,
                obligation=one.line.obligation,
            )
            for one in unsendable
        ],
    )
    books.temporary("aside", "obligation_id bigint")
    books.stage("aside", ("obligation_id",), [(one.line.obligation,) for one in unsendable])
    books.do("delete from unsent where obligation_id in (select obligation_id from aside)")


def seal(books: Books, route: Route, sealed: Sealed) -> None:
    """Closes a batch over its lines: they are in transit from now on, and the document is what will be delivered."""
    move(BatchState.OPEN, BatchState.SEALED)
    written = books.do(
        "insert into batch_line (batch_id, line_no, obligation_id, from_place, to_place, cents, state) "
        f"select :batch, {_numbering(books)}, obligation_id, :from_place, :to_place, cents, 'sent' from unsent",
        batch=sealed.id,
        from_place=int(route.take_from),
        to_place=int(route.bring_to),
    )
    assert written == sealed.total.count, f"{written} lines are in the books, {sealed.total.count} in the document"
    cause = books.cause("batch", batch=sealed.id)
    moves.carry_all(books, "unsent", route.take_from, Place.IN_TRANSIT, route.kind, cause)
    books.do(
        "update batch set state = 'SEALED', lines = :lines, cents = :cents, document = :document, sha256 = :sha256, size = :size, sealed_at = :at "
        "where id = :id",
        lines=sealed.total.count,
        cents=sealed.total.cents,
        document=sealed.document,
        sha256=sealed.sha256,
        size=sealed.size,
        at=books.now,
        id=sealed.id,
    )


def _numbering(books: Books) -> str:
    """The line numbers as they are when none was set aside, else counted anew without gaps."""
    highest, count = books.rows("select coalesce(max(line_no), 0), count(*) from unsent")[0]
    return "line_no" if int(highest) == int(count) else "row_number() over (order by line_no)"


class Outgoing(NamedTuple):
    """A sealed batch on its way out."""

    id: int
    destination: str
    document: str
    sha256: str
    lines: int
    cents: int
    uploaded: bool


def outbox(books: Books, flow: str) -> list[Outgoing]:
    """The sealed batches of a flow that have not left, oldest first."""
    found = books.rows(
        "select id, destination, document, sha256, lines, cents, uploaded_at is not null from batch "
        f"where state = 'SEALED' and flow = :flow and {NOTHING_LEAVES} order by id",
        flow=flow,
    )
    return [Outgoing(int(r[0]), r[1], r[2], r[3], int(r[4]), int(r[5]), bool(r[6])) for r in found]


def mark_uploaded(books: Books, batch: int) -> bool:
    """The whole document lies under its temporary name: from now on only a rename can have happened."""
    return books.do("update batch set uploaded_at = :at where id = :id", at=books.now, id=batch) == 1


def mark_sent(books: Books, batch: int, proof: str, expected_at: str) -> bool:
    """The document is where it should be, proven; an answer is expected by then."""
    state = BatchState(str(books.one("select state from batch where id = :id", id=batch)))
    move(state, BatchState.SENT)
    books.do(
        "update batch set state = 'SENT', sent_at = :at, proof = :proof, expected_at = :expected where id = :id",
        at=books.now,
        proof=proof,
        expected=expected_at,
        id=batch,
    )
    return True


def mark_in_doubt(books: Books, batch: int, words: str) -> bool:
    """What happened to the document cannot be told from here: a person looks, nothing is sent again by itself."""
    state = BatchState(str(books.one("select state from batch where id = :id", id=batch)))
    move(state, BatchState.IN_DOUBT)
    books.do("update batch set state = 'IN_DOUBT' where id = :id", id=batch)
    row = books.rows("select document, cents, lines, destination from batch where id = :id", id=batch)[0]
    item = suspense.Item(f"doubt:{batch}", "in_doubt", f'"{row[0]}": {words}', cents=int(row[1]), rows=int(row[2]), batch=batch)
    suspense.put(books, f"deliver:{row[3]}", [item])
    return True


def send_again(books: Books, batch: int) -> None:
    """A person has looked: the document is not there and never was, so the same bytes may leave again."""
    move(BatchState(str(books.one("select state from batch where id = :id", id=batch))), BatchState.SEALED)
    books.do("update batch set state = 'SEALED', uploaded_at = null where id = :id", id=batch)


def close_trace(books: Books, batch: int) -> None:
    """A person has looked into a batch of which nothing but the name is left: nobody waits for it any more."""
    move(BatchState(str(books.one("select state from batch where id = :id", id=batch))), BatchState.POSTED)
    books.do("update batch set state = 'POSTED', proof = 'person', answered_at = :at where id = :id", at=books.now, id=batch)


class Awaiting(NamedTuple):
    """A batch that left and has lines without an answer."""

    id: int
    document: str
    sent_at: str
    expected_at: str


def awaiting(books: Books, destination: str) -> list[Awaiting]:
    """The batches of a destination that wait for the other side, oldest first."""
    found = books.rows(
        "select id, document, sent_at, expected_at from batch where destination = :d and state in ('SENT', 'RECEIVED') order by id", d=destination
    )
    return [Awaiting(int(r[0]), r[1], r[2], r[3] or "") for r in found]
