"""Which campus a verb speaks of, and how its errors become a sentence, an exit code and a next command."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import moment
from bursarbridge.errors import BridgeError, Refused, TryLater

if TYPE_CHECKING:
    from bursarbridge.config.model import Settings
    from bursarbridge.wiring import Bridge

FAILED, USAGE, HELD, EXCEPTIONS, UNREACHABLE, BUSY = 1, 2, 3, 4, 5, 6
"""The exit codes of ux.md, section 3."""


@dataclass
class Where:
    """Where the settings are, as the user said it."""

    folder: Path | None
    file: Path | None
    zeros: Mapping[str, object] = field(default_factory=dict)
    """What the object of a failed call holds beside the reason."""

    @property
    def path(self) -> Path:
        """The settings file."""
        return self.file or (self.folder or Path()) / "bursarbridge.toml"

    def command(self, words: str) -> str:
        """A command to type next, for the same campus."""
        flag = f" --config {self.file}" if self.file else f" -C {self.folder}" if self.folder else ""
        return f"bursarbridge {words}{flag}"


@contextmanager
def ending(screen: Screen, where: Where, following: str = "") -> Iterator[None]:
    """Turns what goes wrong inside into words on stderr, one JSON object where that was asked for, and an exit code.

    `following` is what to type next; `status` when it is not given, `check` when the settings are at fault.
    """
    try:
        yield
    except BridgeError as error:
        code = _code(error)
        cure = {USAGE: where.command("check"), HELD: where.command("reconcile")}.get(code, following or where.command("status"))
        _end(screen, where, str(error), code, cure)
    except OSError as error:
        # A full disk or a folder without rights: the operating system's own words name the file.
        _end(screen, where, f"this machine refuses: {error}", FAILED, following or where.command("status"))


def _code(error: BridgeError) -> int:
    from bursarbridge.config.faults import SettingsError

    if isinstance(error, SettingsError):
        return USAGE
    if not isinstance(error, TryLater):
        from bursarbridge.store.epochs import Blocked

        return HELD if isinstance(error, Blocked) else FAILED
    from bursarbridge.jobs.lock import Busy

    return BUSY if isinstance(error, Busy) else UNREACHABLE


def _end(screen: Screen, where: Where, words: str, code: int, following: str) -> NoReturn:
    screen.give({**where.zeros, "outcome": "failed", "words": words, "exit_code": code})
    for line in words.splitlines():
        screen.fail(line if line[:1] == " " or line.startswith(("error[", "warning[")) else f"error: {line}")
    screen.fail(f"Next: {following}")
    raise typer.Exit(code)


def usage(screen: Screen, where: Where, words: str, following: str) -> NoReturn:
    """Ends a call that was asked for wrongly."""
    _end(screen, where, words, USAGE, following)


def settings_of(screen: Screen, where: Where) -> Settings:
    """The settings, checked. Raises SettingsError with every fault; one place to name them, not two."""
    if where.folder and where.file:
        usage(screen, where, "-C and --config name two places for the settings", "the same command with one of them")
    from bursarbridge import config

    return config.load(where.path)


@contextmanager
def bridge_of(screen: Screen, where: Where) -> Iterator[Bridge]:
    """The campus's bridge, after the line that says which campus it is; closed at the end."""
    settings = settings_of(screen, where)
    from bursarbridge import wiring

    screen.note(heading(settings, moment(wiring.clock_of(settings)(), settings.campus.timezone)))
    with _database(settings):
        bridge = wiring.build(settings)
        try:
            yield bridge
        finally:
            bridge.close()


def heading(settings: Settings, now: str) -> str:
    """The first line of every verb: is this real, whose is it, when."""
    return f"{bold(settings.campus.environment)} · {settings.campus.name} · {now}"


@contextmanager
def _database(settings: Settings) -> Iterator[None]:
    """The ledger's own troubles as the bridge's errors. Addresses may hold a password, so none is repeated."""
    from sqlalchemy.exc import DBAPIError, OperationalError

    try:
        yield
    except DBAPIError as error:
        first = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
        words = f"the ledger's database ([storage] database in {settings.file.name}) answers: {first}"
        if isinstance(error, OperationalError) and (not isinstance(error.orig, sqlite3.Error) or "locked" in first):
            raise TryLater(words) from error
        raise Refused(words) from error
