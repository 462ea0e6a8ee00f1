"""Not more than so many calls in any second (Alma: 25 for a whole institution, alma.md 3.1)."""

from collections import deque
from collections.abc import Callable

from bursarbridge.ports.calls import Call, Reply, Send


class Pace:
    """A `Send` that waits where the next call would be one too many in a second."""

    def __init__(self, send: Send, per_second: int, clock: Callable[[], float], wait: Callable[[float], None]) -> None:
        self._send = send
        self._clock = clock
        self._wait = wait
        self._sent_at: deque[float] = deque(maxlen=per_second)

    def __call__(self, call: Call) -> Reply:
        """Sends the call, now or as soon as the pace allows."""
        now = self._clock()
        full = len(self._sent_at) == self._sent_at.maxlen
        if full and (rest := self._sent_at[0] + 1.0 - now) > 0:
            self._wait(rest)
            now += rest
        self._sent_at.append(max(now, self._clock()))
        return self._send(call)
