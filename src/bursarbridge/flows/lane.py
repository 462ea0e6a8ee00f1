"""The fast lane of a complete list: only the lines that differ from the list before are read, because an equal line says what it said.

It is taken when nothing can be different from reading the whole file, and left, having done nothing, as soon as something could
(tests/flows/test_lane.py): the list before must stand in the books exactly, and nobody may have spoken or decided since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bursarbridge.errors import Unreadable
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.unlike import Unlike, unlike
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.facts import Violation
from bursarbridge.ports import Reader, read
from bursarbridge.store import violation_lists, violations
from bursarbridge.store.books import CHUNK
from bursarbridge.store.tally import Count
from bursarbridge.store.violation_cases import Told
from bursarbridge.store.violation_lists import FullList

MOST_LINES = 120_000
"""Lines held at a time: about 20 MiB."""


@dataclass(frozen=True)
class ListLane:
    """Posts a complete list by what differs from the one before, for a reader to whom every line is a record."""

    poster: ViolationPoster
    make: Callable[[], Reader]
    """A reader for a heading and any lines of the file: it looks for no trailer. None of its fields may hold a line end."""
    heading: bool = True
    """Whether the first line is a heading."""
    rows_least: int = 10_000
    """Shorter lists are read whole."""

    def __call__(self, reading: Reading, path_of: Callable[[str], Path]) -> bool:
        """Posts the delivery; False when the whole file has to be read, and then nothing was done."""
        told = self.poster.told(reading)
        before = self._before(reading, told)
        if before is None or not path_of(before.sha256).is_file():
            return False
        found = self._differing(before, path_of(before.sha256), path_of(reading.arrived.sha256))
        if found is None:
            return False
        head, lines = found
        gone, came = self._facts(head, lines.gone), self._facts(head, lines.came)
        if gone is None or came is None:
            return False
        return self._post(reading, told, before, gone, came)

    def _before(self, reading: Reading, told: Told) -> FullList | None:
        """The list that this one may be compared with."""
        if self.poster.kind != "full" or not self.poster.fingerprint or told.listed:
            return None
        before = violation_lists.newest(reading.books, told.source)
        if before is None or not before.plain or before.row_count < self.rows_least:
            return None
        if (before.channel, before.fingerprint) != (told.channel, self.poster.fingerprint) or before.as_of >= told.as_of:
            return None
        return None if violation_lists.disturbed(reading.books, told, before) else before

    def _differing(self, before: FullList, old: Path, new: Path) -> tuple[bytes, Unlike] | None:
        """The heading, and the lines that only one of the two files has; None for other headings or too many lines."""
        most = min(MOST_LINES, max(before.row_count * 3 // 10, 50))
        with old.open("rb") as then, new.open("rb") as now:
            head = now.readline() if self.heading else b""
            if self.heading and then.readline() != head:
                return None
            lines = unlike(then, now, most)
        # A quote without its fellow: a field may go on in the next line, which may be one that did not change.
        if lines is None or any(line.count(b'"') % 2 for side in lines for line in side):
            return None
        return head, lines

    def _facts(self, head: bytes, lines: list[bytes]) -> list[Violation] | None:
        """What the lines say; None when one of them cannot be a fact, for its place in the file is known to the whole reading only."""
        facts: list[Violation] = []
        try:
            for record in read(self.make(), _pieces(head, lines)):
                if not isinstance(record, Violation):
                    return None
                facts.append(record)
        except Unreadable:
            return None
        return facts

    def _post(self, reading: Reading, told: Told, before: FullList, gone: list[Violation], came: list[Violation]) -> bool:
        books, coming = reading.books, {fact.reference for fact in came}
        left = Count(before.row_count - len(gone), before.cents - sum(fact.cents for fact in gone))
        if len(coming) < len(came) or left.count + len(came) <= 0:
            return False
        heard = violations.begin(books, told, reading.tally)
        if not violation_lists.find_gone(books, told, {fact.reference for fact in gone}, coming):
            return False
        reading.tally.already.add(left.count, left.cents)
        reading.tally.suspended.add(before.suspended_count, before.suspended_cents)
        rows = iter(came)
        while chunk := list(islice(rows, CHUNK)):
            violations.post(books, told, chunk, heard)
        self.poster.close(reading, told, heard)
        violations.touch_late(books, told)
        return True


def _pieces(head: bytes, lines: list[bytes]) -> Iterator[bytes]:
    """The lines as a file, some hundred at a time."""
    yield head
    for start in range(0, len(lines), CHUNK):
        yield b"".join(lines[start : start + CHUNK])
