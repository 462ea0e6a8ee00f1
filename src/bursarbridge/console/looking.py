"""Looking at something slow for many who ask: one look at a time, not too often, and nobody waits for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Looking(Generic[T]):
    """The newest look. `look` runs in a thread of its own, which may hang without holding anything up, the end of the process included."""

    def __init__(self, look: Callable[[], T], again_after: float, patience: float, monotonic: Callable[[], float]) -> None:
        self._look = look
        self._again_after = again_after
        self._patience = patience
        self._monotonic = monotonic
        self._begun = 0.0
        self._seen: asyncio.Future[T | None] | None = None

    async def newest(self) -> T | None:
        """What is seen now or was seen a moment ago; None when it could not be seen in time."""
        now = self._monotonic()
        if self._seen is None or (self._seen.done() and now - self._begun >= self._again_after):
            self._begun = now
            self._seen = self._begin()
        try:
            return await asyncio.wait_for(asyncio.shield(self._seen), self._patience)
        except TimeoutError:
            return None

    def _begin(self) -> asyncio.Future[T | None]:
        loop = asyncio.get_running_loop()
        seen: asyncio.Future[T | None] = loop.create_future()

        def look() -> None:
            found = None
            try:
                found = self._look()
            finally:  # a look that fails, which none should, is followed by the next one all the same
                if not loop.is_closed():
                    loop.call_soon_threadsafe(seen.set_result, found)

        threading.Thread(target=look, name="looking", daemon=True).start()
        return seen
