"""Whether a complete list without a trailer was cut at a line end: it ends where the one before it went on, and lacks all that followed there.

Lists come in one order night after night, and people pay from anywhere in it. So that just those behind one line have all paid, that nothing
new came behind it, and that the line itself stands as it stood, is what a cut looks like, and hardly anything else. Where the order changes
nothing is found, and nobody is asked for nothing.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bursarbridge.errors import Unreadable
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.facts import Violation
from bursarbridge.ports import Reader, read
from bursarbridge.store import violation_lists

Bytes = bytes | mmap.mmap

_LINES_MAX = 1_000
"""So many of the lines that are lacking are read: more people than any limit."""
_LOOKED_FOR = 20
"""So many of them are looked for in the new list: one that stands there shows another order."""


@dataclass(frozen=True)
class ListEnd:
    """Looks at the end of a source's complete lists."""

    poster: ViolationPoster
    make: Callable[[], Reader]
    """A reader for a heading and any lines of the file: it looks for no trailer."""
    heading: bool = True
    """Whether the first line is a heading."""

    def __call__(self, reading: Reading, path_of: Callable[[str], Path]) -> int:
        """How many people with something open stand behind the place where this list ends, in the one before; 0 where it was not cut."""
        told = self.poster.told(reading)
        before = violation_lists.newest(reading.books, told.source)
        if before is None or told.listed or before.channel != told.channel or before.as_of >= told.as_of:
            return 0
        if not path_of(before.sha256).is_file():
            return 0
        with _mapped(path_of(before.sha256)) as old, _mapped(path_of(reading.arrived.sha256)) as new:
            lines = cut_off(old, new)
            head = old[: old.find(b"\n") + 1] if self.heading else b""
        return self._people(head, lines) if lines else 0

    def _people(self, head: bytes, lines: list[bytes]) -> int:
        try:
            found = [one for one in read(self.make(), iter([head, *lines])) if isinstance(one, Violation)]
        except Unreadable:
            return 0
        return len({one.account for one in found if one.cents})


def cut_off(old: Bytes, new: Bytes) -> list[bytes]:
    """The lines behind the last line of `new` in `old`, when none of them stands in `new`; at most so many as are looked at."""
    last = _last_line(new)
    at = _line_at(old, last) if last else -1
    if at < 0:
        return []
    lines = [line for line in _lines(old, at + len(last)) if line.strip()]
    return [] if any(_line_at(new, line.rstrip(b"\r\n")) >= 0 for line in lines[:_LOOKED_FOR]) else lines


def _last_line(text: Bytes) -> bytes:
    end = len(text)
    while end and text[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    return text[text.rfind(b"\n", 0, end) + 1 : end]


def _line_at(text: Bytes, line: bytes) -> int:
    """Where a whole line stands that is not the first one, for the last time; -1 when it does not."""
    end = len(text)
    while (found := text.rfind(b"\n" + line, 0, end)) >= 0:
        behind = found + 1 + len(line)
        if text[behind : behind + 1] in (b"", b"\r", b"\n"):
            return found + 1
        end = found + len(line)
    return -1


def _lines(text: Bytes, start: int) -> Iterator[bytes]:
    at = text.find(b"\n", start) + 1
    for _number in range(_LINES_MAX):
        if not at or at >= len(text):
            return
        after = text.find(b"\n", at) + 1
        yield text[at:after] if after else text[at : len(text)] + b"\n"
        at = after


@contextmanager
def _mapped(path: Path) -> Iterator[Bytes]:
    """A file's bytes, without reading what nobody looks at."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped
