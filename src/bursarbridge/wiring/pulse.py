"""The dead-man ping: told after every round that went well, so that silence, whatever caused it, is heard by somebody else (P26)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bursarbridge.errors import Refused, TryLater
from bursarbridge.ports.calls import Log

_PAUSE_SECONDS = 60
"""Good news is told at most so often; bad news is always told."""


@dataclass
class Pulse:
    """Gathers how the runs of a round ended, and tells the watch once, at its end. It never changes how a round ends."""

    url: Callable[[], str]
    """The address, by its reference. Raises Refused when it cannot be had."""
    base: str
    seconds: int
    """How long the watch may take to answer."""
    monotonic: Callable[[], float]
    log: Log
    told: Counter[str] = field(default_factory=Counter)
    """How many times the watch was told: ok, fail, or unheard when it did not hear."""
    _bad: bool = False
    _later: bool = False
    _quiet_until: float = 0.0

    def note(self, error: type[BaseException] | None) -> None:
        """How a run ended. One whose other side cannot be reached is neither good nor bad: if that lasts, silence says so."""
        if error is not None and issubclass(error, TryLater):
            self._later = True
        elif error is not None:
            self._bad = True

    def beat(self) -> None:
        """The round is over."""
        bad, later, self._bad, self._later = self._bad, self._later, False, False
        if bad:
            self._quiet_until = 0.0
            self._tell(failed=True)
        elif not later and self.monotonic() >= self._quiet_until:
            self._tell(failed=False)

    def _tell(self, *, failed: bool) -> None:
        from bursarbridge.exchange.ping import ping  # loads TLS, only for those who have a watch

        try:
            wrong = ping(self.url(), self.base, self.seconds, failed=failed)
        except Refused:
            wrong = "the secret that holds its address cannot be had"
        self.told["unheard" if wrong else "fail" if failed else "ok"] += 1
        if wrong:
            self.log("ping_unheard", reason=wrong)
        elif not failed:
            self._quiet_until = self.monotonic() + _PAUSE_SECONDS
