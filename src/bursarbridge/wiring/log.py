"""The log: one line an event, JSON or plain, on standard error or in a file. A log that cannot be written stops nothing (P25).

Not the standard library's logging: its handlers raise or print when the disk is full, hold a file open across a rotation, and
wait when nobody reads a pipe. Not structlog: it loads rich, which is more than a small run takes to start.
"""

from __future__ import annotations

import json
import os
import re
import select
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

EVENTS: Final = {
    "delivery_read": "info",
    "delivery_refused": "warning",
    "delivery_repeated": "info",
    "document_in_doubt": "warning",
    "document_partly_told": "warning",
    "document_sent": "info",
    "document_told": "info",
    "health_bad": "error",
    "health_good": "info",
    "item_resolved": "info",
    "ping_unheard": "warning",
    "run_begun": "info",
    "run_ended": "info",
    "run_failed": "error",
    "run_resumed": "warning",
    "serve_begun": "info",
    "serve_ended": "info",
    "step_slow": "warning",
    "webhook_not_stored": "error",
    "webhook_turned_away": "warning",
}
"""Every event and how grave it is; docs/monitoring.md has a row for each, and a test compares them with what the source writes."""

FIELDS: Final = frozenset(
    {
        *("action", "calls", "cents", "channel", "code", "document", "error", "flow", "item", "lines", "lost", "outcome", "place", "proof"),
        *("reason", "reasons", "records", "run", "sent", "sha256", "source", "step", "suspended", "took_ms"),
    }
)
"""What a line may say beside when, how grave and what: names and numbers of ours (reliability.md R14). Anything else is left out."""

LEVELS: Final = ("info", "warning", "error")
_STDERR: Final = 2
_TEXT_MAX: Final = 120
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]+", re.ASCII)


class LineLog:
    """ports.Log: every event as one line, in one write, so that several processes may share a file and rotate it as they like."""

    def __init__(self, file: Path | None, form: str, least: str, now: Callable[[], datetime]) -> None:
        self._file = file
        self._form = form
        self._levels = LEVELS[LEVELS.index(least) :]
        self._now = now
        self._lock = threading.Lock()
        self._unended = False
        self._untold = 0
        self.lost = 0
        """How many lines could not be written."""

    def __call__(self, event: str, /, **fields: str | int) -> None:
        """ports.Log: writes the line, unless the event is below our level. Never raises for the disk."""
        level = EVENTS.get(event, "warning")
        if level not in self._levels:
            return
        with self._lock:
            told = {"lost": self._untold} if self._untold else {}
            line = _line(self._form, {"at": _instant(self._now()), "level": level, "event": event, **_allowed({**fields, **told})})
            try:
                written = self._write(("\n" if self._unended else "") + line)
            except OSError:
                written = False
            if written:
                self._untold = 0
            else:
                self.lost += 1
                self._untold += 1

    def _write(self, line: str) -> bool:
        content = f"{line}\n".encode()
        if self._file is None:
            return _goes_at_once(_STDERR) and self._whole(os.write(_STDERR, content), content)
        opened = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
        try:
            return self._whole(os.write(opened, content), content)
        finally:
            os.close(opened)

    def _whole(self, count: int, content: bytes) -> bool:
        """Whether all of it went; of a line that was cut off, the rest is given up and the next one begins anew."""
        self._unended = count < len(content)
        return not self._unended


def _goes_at_once(descriptor: int) -> bool:
    """Whether a short write would not wait: a pipe that nobody reads must not hold up a run."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & select.POLLOUT for _descriptor, event in poll.poll(0))


def _allowed(fields: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name: value[:_TEXT_MAX] if isinstance(value, str) else value for name, value in fields.items() if name in FIELDS and value != ""}


def _line(form: str, fields: Mapping[str, str | int]) -> str:
    """The line without its end; no value can begin another one, as JSON writes every control and foreign character as an escape."""
    if form == "json":
        return json.dumps(fields)
    at, level, event = (str(fields[name]) for name in ("at", "level", "event"))
    rest = [f"{name}={_word(value)}" for name, value in fields.items() if name not in ("at", "level", "event")]
    return " ".join([at, level, event, *rest])


def _word(value: str | int) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _instant(now: datetime) -> str:
    """UTC with thousandths, for events that follow one another."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
