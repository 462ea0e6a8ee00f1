"""Which lines two files do not share: most lines of two nights' lists are the same, in the same order.

Equal stretches are compared in blocks, without making lines of them: of a million lines, only those that differ become one.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

_BLOCK = 1 << 18
_STRIDES = (4096, 512, 64)
"""Bytes compared at once, in ever shorter strides up to the first that differs."""
_AGREE = 64
"""After this many equal bytes behind two unlike lines, the one stands in the place of the other."""
_AHEAD = 8
"""How many lines ahead a line is looked for before it counts as moved."""
_NEAR = 1 << 14
"""With less than that at hand, the next block is read."""
_LINE_MAX = 1 << 24
"""A line that is longer is none of a list."""


class Readable(Protocol):
    """A file opened for its bytes."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class Unlike(NamedTuple):
    """The lines that only one of two files has, each as often as it has it more; in about the file's order."""

    gone: list[bytes]
    came: list[bytes]


def unlike(old: Readable, new: Readable, most: int) -> Unlike | None:
    """What differs, or None when more than `most` lines do or stand too far from their place: memory holds no more than that.

    Both stand at the beginning of a line. None too when a line is longer than a list's can be.
    """
    gone: dict[bytes, int] = {}
    came: dict[bytes, int] = {}
    held = 0
    one, other = _Side(old), _Side(new)
    while held <= most and one.more() and other.more():
        if not _skip_equal(one, other):
            continue
        line, told = one.line(), other.line()
        if not line or not told:
            return None
        if _agree(one, len(line), other, len(told)) or not (_near(other, told, line) or _near(one, line, told)):
            one.at, other.at = one.at + len(line), other.at + len(told)
            held += _put(line, gone, came) + _put(told, came, gone)
        elif ahead := _near(other, told, line):
            held += _take(other, ahead, came, gone)
        else:
            held += _take(one, _near(one, line, told), gone, came)
    for side, mine, theirs in ((one, gone, came), (other, came, gone)):
        while held <= most and side.more():
            if not side.line():
                return None
            held += _take(side, 1, mine, theirs)
    return Unlike(_each(gone), _each(came)) if held <= most else None


class _Side:
    """One file, some of it at a time. What is at hand ends with a line end when the file does."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._ended = False
        self.text = b""
        self.at = 0

    def more(self) -> bool:
        """Whether anything is left; some of it is at hand then, and lines ahead too."""
        if len(self.text) - self.at < _NEAR:
            self._read()
        return self.at < len(self.text)

    def line(self) -> bytes:
        """The line at hand; b"" when it has no end within reason."""
        while not (end := self.text.find(b"\n", self.at) + 1):
            if len(self.text) - self.at > _LINE_MAX:
                return b""
            self._read()
        return self.text[self.at : end]

    def _read(self) -> None:
        if self._ended:
            return
        block = self._file.read(_BLOCK)
        self.text, self.at = self.text[self.at :] + block, 0
        if not block:
            self._ended = True
            if self.text and not self.text.endswith(b"\n"):  # only a file's last line may lack its end
                self.text += b"\n"


def _skip_equal(one: _Side, other: _Side) -> bool:
    """Goes on to the beginning of the first line that differs; False when none of what is at hand does."""
    mine, theirs, begin, apart = one.text, other.text, one.at, other.at - one.at
    at, last = begin, min(len(mine), len(theirs) - apart)
    for stride in _STRIDES:
        while at + stride <= last and mine[at : at + stride] == theirs[at + apart : at + apart + stride]:
            at += stride
    both = min(_STRIDES[-1], last - at)
    unequal = int.from_bytes(mine[at : at + both], "little") ^ int.from_bytes(theirs[at + apart : at + apart + both], "little")
    at += ((unequal & -unequal).bit_length() - 1) // 8 if unequal else both
    one.at = mine.rfind(b"\n", begin, at) + 1 or begin
    other.at = one.at + apart
    return bool(unequal) or one.at == begin


def _agree(one: _Side, length: int, other: _Side, told: int) -> bool:
    """Whether the two files go on alike behind the lines at hand."""
    mine, theirs = one.at + length, other.at + told
    return one.text[mine : mine + _AGREE] == other.text[theirs : theirs + _AGREE]


def _near(side: _Side, at_hand: bytes, line: bytes) -> int:
    """How many lines behind the one at hand a line stands; 0 when it is not near."""
    text, begin = side.text, side.at + len(at_hand)
    for ahead in range(1, _AHEAD + 1):
        end = text.find(b"\n", begin) + 1
        if not end:
            return 0
        if end - begin == len(line) and text.startswith(line, begin):
            return ahead
        begin = end
    return 0


def _take(side: _Side, lines: int, mine: dict[bytes, int], theirs: dict[bytes, int]) -> int:
    """Takes so many lines from a side; returns by how much the lines in memory grew."""
    grown = 0
    for _ in range(lines):
        line = side.line()
        side.at += len(line)
        grown += _put(line, mine, theirs)
    return grown


def _put(line: bytes, mine: dict[bytes, int], theirs: dict[bytes, int]) -> int:
    """Adds a line to one side, or takes it from the other, which has it too; returns by how much the lines in memory grew."""
    if count := theirs.get(line, 0):
        if count == 1:
            del theirs[line]
        else:
            theirs[line] = count - 1
        return -1
    mine[line] = mine.get(line, 0) + 1
    return 1


def _each(lines: dict[bytes, int]) -> list[bytes]:
    return [line for line, count in lines.items() for _ in range(count)]
