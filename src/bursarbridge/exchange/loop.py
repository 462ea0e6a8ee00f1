"""One private event loop in one thread: an asynchronous library behind synchronous calls, whatever loop the caller may be in."""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


class PrivateLoop:
    """Runs coroutines to their end. Its thread starts at the first one and ends with `close`; forgotten, it dies with the process."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[object, object, T]) -> T:
        """What the coroutine returns or raises; blocks until then."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_exception_handler(_left_over)
            self._thread = threading.Thread(target=self._loop.run_forever, name="bursarbridge-sftp", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Ends the thread; again is no error, and `run` starts a new one."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self._loop, self._thread = None, None


def _left_over(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """When a connection breaks, each of the reads that ran side by side fails; the first one was raised, the others say nothing new."""
    logging.getLogger(__name__).debug("after a broken connection: %s", context.get("exception") or context.get("message"))
