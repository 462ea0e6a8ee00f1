"""The clock, chance, and the switch that kills a process at a named point: what the rest is handed."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bursarbridge.errors import Refused

if TYPE_CHECKING:
    from bursarbridge.config.model import Settings

Clock = Callable[[], datetime]
Reached = Callable[[str], None]


def system_clock() -> datetime:
    """The instant it is now, UTC."""
    return datetime.now(UTC)


def clock_of(settings: Settings) -> Clock:
    """The clock of a campus: this machine's, or the file that the settings of a sandbox name."""
    if settings.campus.clock is None:
        return system_clock
    file = settings.campus.clock
    return lambda: _shown_by(file)


def _shown_by(file: Path) -> datetime:
    """The instant that a file says it is, UTC. Raises Refused when it says none."""
    try:
        shown = datetime.fromisoformat(file.read_text("utf-8").strip())
    except (OSError, ValueError) as error:
        words = f"the campus's clock ({file}) shows no time ({type(error).__name__}); write one there, as 2026-10-14T18:20:00-07:00, or take"
        raise Refused(f"{words} [campus] clock out of the settings") from error
    if shown.tzinfo is None:
        raise Refused(f"the campus's clock ({file}) does not say in which zone; write it as 2026-10-14T18:20:00-07:00")
    return shown.astimezone(UTC)


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
