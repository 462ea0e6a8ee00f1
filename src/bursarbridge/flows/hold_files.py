"""Hold files: the planned lines become two documents, sealed in the transaction that changes what the bursar was told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, TypedDict

from bursarbridge.errors import Unreadable
from bursarbridge.flows.run import Run
from bursarbridge.ports import ControlTotal, Heading, HoldDestination, HoldFiles, HoldLine, HoldWriter
from bursarbridge.store import hold_batches
from bursarbridge.store.books import Books
from bursarbridge.store.hold_batches import ADDED, RELEASED, Document, Form


class Sealed(TypedDict):
    """What was put into documents, and what could not be written."""

    documents: list[str]
    count: int
    suspended_count: int
    suspended_cents: int


Unwritable = list[tuple[int, HoldLine, str, str]]
"""Hold, line, code and words."""


class Sheets:
    """Where a source's two documents are written, and where they go."""

    def __init__(self, files: HoldFiles, form: Form, added: str, released: str) -> None:
        self.files = files
        self.form = form
        self.destinations = {ADDED: added, RELEASED: released}
        """The outlets' names."""


def seal(run: Run, books: Books, source: int, plans: Sequence[int], sheets: Sheets) -> Sealed:
    """Writes and seals both documents over the planned lines of these plans; a document without a line is none.

    Nobody is in both: a plan has one line a person, and the database refuses a second one of the same run.
    """
    done = Sealed(documents=[], count=0, suspended_count=0, suspended_cents=0)
    for kind in (ADDED, RELEASED):
        if hold_batches.planned(books, plans, kind):
            _seal(run, books, source, plans, kind, sheets, done)
    hold_batches.finish(books, plans)
    hold_batches.settle(books)
    return done


def _seal(run: Run, books: Books, source: int, plans: Sequence[int], kind: str, sheets: Sheets, done: Sealed) -> None:
    batch = hold_batches.open_batch(books, sheets.destinations[kind], run.flow, kind)
    to: HoldDestination = sheets.files.added if kind == ADDED else sheets.files.released
    made_at = datetime.fromisoformat(run.now)
    heading = Heading(to.name(batch, made_at, run.today), batch, made_at, run.today)
    encoding = sheets.files.encoding
    run.world.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.world.scratch) as folder:
        body, whole = Path(folder) / "body", Path(folder) / "whole"
        writer = to.writer(heading)
        with body.open("w", encoding=encoding, newline="") as text:
            total, unwritable = _write(hold_batches.lines(books, plans, kind, sheets.form, run.today), writer, text)
        hold_batches.set_aside(books, source, plans, f"{run.flow}:{sheets.destinations[kind]}", unwritable)
        done["suspended_count"] += len(unwritable)
        done["suspended_cents"] += sum(one[1].cents for one in unwritable)
        if not total.count:
            hold_batches.drop(books, batch)
            return
        _assemble(whole, body, writer, total, encoding)
        size = whole.stat().st_size
        sha256 = run.world.vault.adopt(whole)
    books.reached("holds.writing")
    hold_batches.seal(books, plans, Document(batch, kind, heading.name, sha256, size, total), run.today)
    done["documents"].append(heading.name)
    done["count"] += total.count


def _write(found: Iterable[tuple[int, HoldLine]], writer: HoldWriter, lines: IO[str]) -> tuple[ControlTotal, Unwritable]:
    """Writes every line that can be written rightly; the others are set aside and the rest goes on."""
    unwritable: Unwritable = []
    count = cents = 0
    for hold, line in found:
        try:
            lines.write(writer.line(line))
        except Unreadable as error:
            unwritable.append((hold, line, error.code, error.words))
            continue
        count += 1
        cents += line.cents
    return ControlTotal(count, cents), unwritable


def _assemble(whole: Path, body: Path, writer: HoldWriter, total: ControlTotal, encoding: str) -> None:
    """Header, lines, trailer: the control total is known only when the last line is written."""
    with whole.open("wb") as target, body.open("rb") as lines:
        target.write(writer.head(total).encode(encoding))
        while block := lines.read(1 << 20):
            target.write(block)
        target.write(writer.tail(total).encode(encoding))
