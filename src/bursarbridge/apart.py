"""Reading a large file in a process of its own: the parser works beside the database, and what it may use is bounded.

The child imports the reader and nothing of the store; it gets the file's path, sends plain tuples, and cannot hurt more than
itself. Whatever it says comes out as if it had been read here (tests/test_apart.py).
"""

from __future__ import annotations

import marshal
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from bursarbridge.errors import TryLater, Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.ledger.facts import Answer, AnswerStatus, Charge, Credit, Fact, Indicator, Payments, Standing, Violation
from bursarbridge.ports import Reader, Rejected, read

LARGE_BYTES = 4 << 20
"""Below this a file is read before the child would have started."""

_CHUNK = 1_000
_MEMORY_BYTES = 1 << 30
"""Address space of the child: far above what any reader needs, far below what would trouble the machine (reliability.md R9)."""

_KINDS: tuple[type[Fact | Rejected], ...] = (Charge, Credit, Payments, Answer, Violation, Indicator, Rejected)
_HEAD = 8


def read_apart(make: Callable[[], Reader], path: Path) -> Iterator[Fact | Rejected]:
    """The records of a file as `ports.read` gives them, read by a child process.

    `make` makes the reader, over there: a class or function of a module, or a partial of one. Raises what the reader raises,
    TryLater when the child dies.
    """
    command = [sys.executable, "-c", "from bursarbridge.apart import child; child()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(pickle.dumps((make, path)))
            process.stdin.close()
            yield from _received(process.stdout)
        finally:
            process.kill()


def _received(pipe: IO[bytes]) -> Iterator[Fact | Rejected]:
    new = tuple.__new__
    while True:
        head = pipe.read(_HEAD)
        content = pipe.read(int.from_bytes(head, "big")) if len(head) == _HEAD else b""
        if not content:
            raise TryLater("the process that reads the file ended before the file did; the next run reads it again")
        records, error, done = marshal.loads(content)
        for kind, values in records:
            made = new(_KINDS[kind], values)
            yield _whole(made)
        if error is not None:
            raise _error(error)
        if done:
            return


def _whole(made: Fact | Rejected) -> Fact | Rejected:
    """The record with the one value that the pipe carries as plain text."""
    if isinstance(made, Answer):
        return made._replace(status=AnswerStatus(made.status))
    return made._replace(status=Standing(made.status)) if isinstance(made, Violation) else made


def _error(told: tuple[str, str, str]) -> Unreadable:
    code, words, where = told
    return Unreadable(code, words, where=where)


def _plain(record: Fact | Rejected) -> tuple[object, ...]:
    """The record as the pipe carries it: exact tuples of exact texts and numbers."""
    if isinstance(record, Answer | Violation):
        return tuple(str(one) if one is record.status else one for one in record)
    return tuple(record)


def child() -> None:
    """The child's whole life: takes a reader and a path from standard input, sends chunks of records to standard output."""
    make, path = pickle.loads(sys.stdin.buffer.read())  # from our own parent
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    records = read(make(), open_chunks(path))
    kind_of = {kind: number for number, kind in enumerate(_KINDS)}
    while True:
        chunk: list[tuple[int, tuple[object, ...]]] = []
        error: tuple[str, str, str] | None = None
        try:
            for record in islice(records, _CHUNK):
                chunk.append((kind_of[type(record)], _plain(record)))
        except Unreadable as unreadable:
            error = (unreadable.code, unreadable.words, unreadable.where)
        done = len(chunk) < _CHUNK
        content = marshal.dumps((chunk, error, done))
        sys.stdout.buffer.write(len(content).to_bytes(_HEAD, "big") + content)
        if error is not None or done:
            sys.stdout.buffer.flush()
            return
