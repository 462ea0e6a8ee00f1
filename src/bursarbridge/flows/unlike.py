"""Which lines two files do not share: most lines of two nights' lists are the same, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

_LINES = 4_096
_AHEAD = 8
"""How far ahead a line is looked for before it counts as moved."""
_RUN = 16


class Unlike(NamedTuple):
    """The lines that only one of two files has, each as often as it has it more; in about the file's order."""

    gone: list[bytes]
    came: list[bytes]


def unlike(old: Iterable[bytes], new: Iterable[bytes], most: int) -> Unlike | None:
    """What differs, or None when more than `most` lines do or stand too far from their place: memory holds no more than that."""
    gone: dict[bytes, int] = {}
    came: dict[bytes, int] = {}
    held = 0
    one, other = _Side(old), _Side(new)
    while one.more() and other.more():
        _skip_equal(one, other)
        if not (one.more() and other.more()):
            continue
        line, told = one.lines[one.at], other.lines[other.at]
        if told == line:
            continue
        if ahead := _find(other, line):
            held += sum(_put(other.take(), came, gone) for _ in range(ahead))
        elif ahead := _find(one, told):
            held += sum(_put(one.take(), gone, came) for _ in range(ahead))
        else:
            held += _put(one.take(), gone, came) + _put(other.take(), came, gone)
        if held > most:
            return None
    for side, mine, theirs in ((one, gone, came), (other, came, gone)):
        while side.more():
            held += _put(side.take(), mine, theirs)
            if held > most:
                return None
    return Unlike(list(_each(gone)), list(_each(came)))


class _Side:
    """One file's lines, some thousand at a time."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._rest = iter(lines)
        self.lines: list[bytes] = []
        self.at = 0

    def more(self) -> bool:
        if len(self.lines) - self.at <= _AHEAD:
            found = list(islice(self._rest, _LINES))
            if found and found[-1][-1:] != b"\n":  # only a file's last line may lack its end
                found[-1] += b"\n"
            self.lines = self.lines[self.at :] + found
            self.at = 0
        return self.at < len(self.lines)

    def take(self) -> bytes:
        self.at += 1
        return self.lines[self.at - 1]


def _skip_equal(one: _Side, other: _Side) -> None:
    """Goes on while the lines at hand are equal."""
    mine, theirs, i, j = one.lines, other.lines, one.at, other.at
    last = min(len(mine) - i, len(theirs) - j)
    start = i
    while i - start + _RUN <= last and mine[i : i + _RUN] == theirs[j : j + _RUN]:
        i, j = i + _RUN, j + _RUN
    while i - start < last and mine[i] == theirs[j]:
        i, j = i + 1, j + 1
    one.at, other.at = i, j


def _find(side: _Side, line: bytes) -> int:
    """How many lines further on the line stands; 0 when it is not near."""
    near = side.lines[side.at + 1 : side.at + 1 + _AHEAD]
    return near.index(line) + 1 if line in near else 0


def _put(line: bytes, mine: dict[bytes, int], theirs: dict[bytes, int]) -> int:
    """Adds a line to one side, or takes it from the other, which has it too; returns by how much the lines at hand grew."""
    if count := theirs.get(line, 0):
        if count == 1:
            del theirs[line]
        else:
            theirs[line] = count - 1
        return -1
    mine[line] = mine.get(line, 0) + 1
    return 1


def _each(lines: dict[bytes, int]) -> Iterator[bytes]:
    for line, count in lines.items():
        yield from [line] * count
