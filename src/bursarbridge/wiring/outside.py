"""The clock, chance, and the switch that kills a process at a named point: what the rest is handed."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

Clock = Callable[[], datetime]
Reached = Callable[[str], None]


def system_clock() -> datetime:
    """The instant it is now, UTC."""
    return datetime.now(UTC)


def fresh_secret() -> str:
    """A secret nobody has seen: 32 letters, digits, - and _."""
    return secrets.token_urlsafe(24)


def crash_switch_here() -> Reached:
    """The switch that this process's own environment sets."""
    return crash_switch(os.environ)


def crash_switch(environment: Mapping[str, str]) -> Reached:
    """What happens at a named crash point: nothing, or, for tests, the death of this process at the point they name.

    BURSARBRIDGE_CRASH_AT=NAME kills at the first time the point is reached, NAME#3 at the third.
    """
    wanted = environment.get("BURSARBRIDGE_CRASH_AT", "")
    if not wanted:
        return lambda _point: None
    name, _, nth = wanted.partition("#")
    left = [int(nth or "1")]

    def reached(point: str) -> None:
        if point == name:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
