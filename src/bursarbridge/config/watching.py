"""What is seen from outside: the sections for the log, the dead-man ping and the health check (docs/monitoring.md)."""
# ruff: noqa: RUF009 - required() and optional() make the dataclass fields themselves, as dataclasses.field does

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bursarbridge.config import kinds, places
from bursarbridge.config.places import Secret
from bursarbridge.config.reader import optional, required


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """Where the log goes, and how much of it."""

    level: str = optional(kinds.choice("info", "warning", "error"), "info")
    format: str = optional(kinds.choice("json", "text"), "json")
    file: Path | None = optional(places.path, None)
    slow_step: timedelta = optional(kinds.span(), timedelta(seconds=30))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Whom to tell that the bridge is alive: a watch that raises the alarm when it hears nothing."""

    base: str = required(places.web_base, example='"https://hc-ping.com"')
    url: Secret = required(places.secret, example='"env:BURSARBRIDGE_PING_URL"')
    timeout: timedelta = optional(kinds.span(), timedelta(seconds=10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """When the bridge calls itself ill."""

    stuck_after: timedelta = optional(kinds.span(), timedelta(hours=6))
    disk_free_mib: int = optional(kinds.whole(1, 100_000_000, "MiB"), 512)
