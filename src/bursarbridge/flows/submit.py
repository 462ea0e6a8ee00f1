"""Submit: unsent cents for one destination become a batch, its control total and one document, in one transaction."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, TypedDict
from zoneinfo import ZoneInfo

from bursarbridge.errors import Unreadable
from bursarbridge.flows.guarding import BatchGuard, Judged
from bursarbridge.flows.run import Run
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ports import ControlTotal, Destination, Heading, Line, Original, Splitter, Writer
from bursarbridge.store import batches, found, runs
from bursarbridge.store.batches import Route, Sealed, Unsendable
from bursarbridge.store.books import Books


class Submitted(TypedDict):
    """What a submission did: the document that will leave ("" when there is none) and what was set aside."""

    document: str
    sha256: str
    count: int
    cents: int
    suspended_count: int
    suspended_cents: int
    held: list[str]
    """Why nothing left, where a guard held it."""
    warned: list[str]
    """What a guard only tells."""


class Leg:
    """One kind of money on its way from one source to one destination."""

    def __init__(
        self,
        source: str,
        prefix: str,
        destination: str,
        writer: Destination | Splitter,
        kind: Kind,
        take_from: Place,
        bring_to: Place,
        zone: ZoneInfo,
        guard: BatchGuard | None = None,
    ) -> None:
        self.source = source
        self.prefix = prefix
        self.destination = destination
        self.writer = writer
        """A splitter where the destination's rules may ask for several documents at once."""
        self.kind = kind
        self.take_from = take_from
        self.bring_to = bring_to
        self.zone = zone
        """The campus's, for the day on which a charge left."""
        self.guard = guard
        """What stops a batch for a person."""


def submit(run: Run, leg: Leg) -> list[Submitted]:
    """Takes everything unsent on a leg into sealed batches, one unless the destination splits them; nothing to send is no batch and no file."""
    done = run.post(f"submit to {leg.destination}", lambda books: _submit(run, leg, books))
    run.world.reached("submit.sealed")
    return done


def _submit(run: Run, leg: Leg, books: Books) -> list[Submitted]:
    source = runs.source_number(books, leg.source, leg.prefix)
    route = Route(leg.destination, run.flow, source, leg.prefix, leg.kind, leg.take_from, leg.bring_to)
    found.hold_look_alikes(books, route)
    batches.take(books, route)
    batches.settle_told(books, route)
    rows, cents = batches.size(books)
    judged = leg.guard.judge(books, rows, cents) if leg.guard is not None else Judged(0, (), ())
    if judged.number:
        # The lines stay where they are; the next run selects them again, and what has come meanwhile.
        words = f"held as {judged.number}: {'; '.join(judged.reasons)}; nothing was sent"
        return [_nothing_sent([], held=[words])]
    done = _documents(run, route, leg, books) if rows else []
    if done:
        done[0]["warned"] = list(judged.warnings)
    return done


def _documents(run: Run, route: Route, leg: Leg, books: Books) -> list[Submitted]:
    if not isinstance(leg.writer, Splitter):
        return [_document(run, route, leg.writer, books)]
    done = []
    lines = [line._replace(original=_original(leg.zone, found)) for line, found in batches.lines_of_credits(books, route)]
    for parcel in leg.writer.parcels(lines, run.today):
        batches.only(books, [(line.obligation, line.cents) for line in parcel.lines])
        done.append(_document(run, route, parcel.destination, books, parcel.lines))
    return done


def _original(zone: ZoneInfo, found: batches.Left) -> Original:
    """The charge as it left, by the campus's own days."""
    made_on, sent_on = (datetime.fromisoformat(at).astimezone(zone).date().isoformat() if at else "" for at in (found.sealed_at, found.sent_at))
    return Original(made_on, sent_on or made_on, found.cents)


def _document(run: Run, route: Route, destination: Destination, books: Books, chosen: Sequence[Line] | None = None) -> Submitted:
    """One batch over what `unsent` holds; `chosen` are its lines where they were read before."""
    batch = batches.open_batch(books, route)
    made_at = datetime.fromisoformat(run.now)
    heading = Heading(destination.name(batch, made_at, run.today), batch, made_at, run.today)
    run.world.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.world.scratch) as folder:
        body, whole = Path(folder) / "body", Path(folder) / "whole"
        writer = destination.writer(heading)
        with body.open("w", encoding=destination.encoding, newline="") as text:
            total, unsendable = _write_lines(batches.lines(books, route) if chosen is None else chosen, writer, text)
        batches.set_aside(books, route, unsendable)
        if not total.count:
            batches.drop(books, batch)
            return _nothing_sent(unsendable)
        _assemble(whole, body, writer, total, destination.encoding)
        size = whole.stat().st_size
        sha256 = run.world.vault.adopt(whole)
    run.world.reached("submit.writing")
    batches.seal(books, route, Sealed(batch, heading.name, sha256, size, total))
    aside = _nothing_sent(unsendable)
    return Submitted(
        document=heading.name,
        sha256=sha256,
        count=total.count,
        cents=total.cents,
        suspended_count=aside["suspended_count"],
        suspended_cents=aside["suspended_cents"],
        held=[],
        warned=[],
    )


def _write_lines(found: Iterable[Line], writer: Writer, lines: IO[str]) -> tuple[ControlTotal, list[Unsendable]]:
    """Writes every line that can be written rightly; the others are set aside and the rest goes on."""
    unsendable: list[Unsendable] = []
    count = cents = 0
    write, text_of = lines.write, writer.line
    for line in found:
        try:
            write(text_of(line))
        except Unreadable as error:
            unsendable.append(Unsendable(line, error))
            continue
        count += 1
        cents += line.cents
    return ControlTotal(count, cents), unsendable


def _assemble(whole: Path, body: Path, writer: Writer, total: ControlTotal, encoding: str) -> None:
    """Header, lines, trailer: the control total is known only when the last line is written."""
    with whole.open("wb") as target, body.open("rb") as lines:
        target.write(writer.head(total).encode(encoding))
        while block := lines.read(1 << 20):
            target.write(block)
        target.write(writer.tail(total).encode(encoding))


def _nothing_sent(unsendable: list[Unsendable], held: Sequence[str] = ()) -> Submitted:
    cents = sum(one.line.cents for one in unsendable)
    return Submitted(document="", sha256="", count=0, cents=0, suspended_count=len(unsendable), suspended_cents=cents, held=list(held), warned=[])
