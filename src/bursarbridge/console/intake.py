"""The intake: calls from many requests at once become few commits, and each is answered after its own.

One thread writes. What has queued while it committed goes into the next transaction, so that a database that commits a
hundred times a second takes in many hundred calls.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from bursarbridge.errors import BridgeError, TryLater

T = TypeVar("T")

Counted = Mapping[tuple[str, str], int]
"""How many calls were turned away, by source and reason."""

_GROUP_MAX = 200
_WAITING_MAX = 2_000
_IDLE_SECONDS = 1.0


class Intake(Generic[T]):
    """Takes calls in. `store` commits a group and the counts, and raises a BridgeError when it could not."""

    def __init__(self, store: Callable[[Sequence[T], Counted], None]) -> None:
        self._store = store
        self._queue: queue.SimpleQueue[tuple[T, Callable[[bool], None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="intake", daemon=True)
        self._counted: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def close(self) -> None:
        """Writes what has queued, and ends."""
        self._queue.put(None)
        self._thread.join()

    def count(self, source: str, what: str) -> None:
        """Notes a call that was turned away; written with the next commit, so that a flood costs no database work (S08)."""
        with self._lock:
            self._counted[source, what] += 1

    async def take(self, one: T, seconds: float) -> bool:
        """Whether the call is committed; False when it could not be, or not in so many seconds."""
        if not self._thread.is_alive() or self._queue.qsize() >= _WAITING_MAX:
            return False
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[bool] = loop.create_future()

        def answer(good: bool) -> None:
            if not stored.done():
                stored.set_result(good)

        self._queue.put((one, lambda good: _safely(loop, answer, good)))
        try:
            return await asyncio.wait_for(stored, seconds)
        except TimeoutError:
            return False

    def _write(self) -> None:
        open_for_more = True
        while open_for_more:
            group, open_for_more = self._next_group()
            if not group:
                self._commit([], [])
                continue
            if not self._commit([one for one, _answer in group], [answer for _one, answer in group]):
                for one, answer in group:  # one that the database cannot take must not take the others with it
                    self._commit([one], [answer])

    def _next_group(self) -> tuple[list[tuple[T, Callable[[bool], None]]], bool]:
        """What has queued, at most a group of it, and whether more may come; waits a while for the first."""
        group: list[tuple[T, Callable[[bool], None]]] = []
        try:
            first = self._queue.get(timeout=_IDLE_SECONDS)
            while first is not None:
                group.append(first)
                if len(group) == _GROUP_MAX:
                    return group, True
                first = self._queue.get_nowait()
        except queue.Empty:
            return group, True
        return group, False

    def _commit(self, calls: list[T], answers: list[Callable[[bool], None]]) -> bool:
        """Commits and answers. False, with the answers still owed, when the database refuses something in a group; not when it is away."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        if not calls and not counted:
            return True
        good, refused = False, False
        try:
            self._store(calls, counted)
            good = True
        except TryLater:
            pass
        except BridgeError:
            refused = len(calls) > 1
        finally:
            if not good:
                with self._lock:
                    self._counted.update(counted)
            if not refused:
                for answer in answers:
                    answer(good)
        return not refused


def _safely(loop: asyncio.AbstractEventLoop, answer: Callable[[bool], None], good: bool) -> None:
    """Answers in the request's own loop; one that has been closed meanwhile waits for nothing any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(answer, good)
