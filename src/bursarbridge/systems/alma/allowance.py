"""How much may still be asked of Alma today, and whether it answers at all (reliability.md P13, P14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bursarbridge.ports.calls import Reply
from bursarbridge.systems.alma.api_errors import Exhausted

REMAINING: Final = "x-exl-api-remaining"
_FORGOTTEN_AFTER: Final = 3600
"""Seconds after which the last count is no longer believed, so that one call finds out when the day has begun anew."""
_TROUBLES_MAX: Final = 8
_REST_SECONDS: Final = 60


class Allowance:
    """Keeps the last of the day's calls for payments, waives and blocks, and leaves an Alma alone that does not answer."""

    def __init__(self, reserve: int, clock: Callable[[], float]) -> None:
        self._reserve = reserve
        self._clock = clock
        self._remaining: int | None = None
        self._counted_at = 0.0
        self._troubles = 0
        self._rests_until = 0.0

    def must_allow(self, *, urgent: bool) -> None:
        """Raises Exhausted when this call should not be made now."""
        now = self._clock()
        if now < self._rests_until:
            raise Exhausted("Alma has not answered for a while and is left alone for a minute; the next run tries again")
        if self._remaining is None or urgent or now - self._counted_at > _FORGOTTEN_AFTER:
            return
        if self._remaining <= self._reserve:
            raise Exhausted(
                f"Alma allows {self._remaining} more calls today, and {self._reserve} are kept in reserve for payments and waives; "
                "reading goes on after midnight, or with a smaller reserve"
            )

    def answered(self, reply: Reply) -> None:
        """Takes note of what a reply says about the rest of the day (alma.md 3.1)."""
        count = reply.headers.get(REMAINING, "").strip()
        if count.isascii() and count.isdecimal() and len(count) <= 12:
            self._remaining, self._counted_at = int(count), self._clock()

    def went_well(self) -> None:
        """Alma answered with sense."""
        self._troubles = 0

    def went_wrong(self) -> None:
        """Alma did not answer, or without sense; after some of these in a row nothing is asked for a minute."""
        self._troubles += 1
        if self._troubles >= _TROUBLES_MAX:
            self._troubles, self._rests_until = 0, self._clock() + _REST_SECONDS
