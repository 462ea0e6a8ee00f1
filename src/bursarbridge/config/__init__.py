"""One TOML file to one frozen Settings; every fault reported at once, with line and cure; secrets by reference."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bursarbridge.config.desk import Desk
from bursarbridge.config.faults import CODES, Fault, Flaw, SettingsError, Severity
from bursarbridge.config.model import Settings
from bursarbridge.config.nodes import Node, Span, tree
from bursarbridge.config.overrides import overlaid
from bursarbridge.config.places import Database, Secret
from bursarbridge.config.reader import section
from bursarbridge.config.rules import cross_check
from bursarbridge.config.syntax import Slip, parse

__all__ = ["CODES", "Database", "Fault", "Secret", "Settings", "SettingsError", "Severity", "check", "load"]

_SIZE_MAX = 4_000_000


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings file, environment variables over it. Raises SettingsError with every fault; warnings alone do not stop it.

    `environment` is the process's own when not given (ux.md section 7: environment over file over default).
    """
    settings, faults = _read(path, environment)
    if settings is None or any(fault.severity is Severity.ERROR for fault in faults):
        raise SettingsError(faults)
    return replace(settings, warnings=faults)


def check(path: Path, environment: Mapping[str, str] | None = None) -> list[Fault]:
    """Every fault and warning of a settings file, in the order of its lines; empty when there is none. Whatever the file holds, it never raises."""
    return list(_read(path, environment)[1])


def _read(path: Path, environment: Mapping[str, str] | None) -> tuple[Settings | None, tuple[Fault, ...]]:
    try:
        content = _content(path)
    except Flaw as flaw:
        return None, (Fault(flaw.code, Severity.ERROR, str(path), 0, 0, flaw.words, CODES[flaw.code].effect, flaw.cure),)
    text = parse(content)
    desk = Desk(str(path), path.absolute().parent, tuple(content.splitlines()))
    for slip in text.slips:
        desk.note("C002", _span(slip, desk), slip.words, slip.cure)
    root = overlaid(tree(text), os.environ if environment is None else environment)
    settings = _settings(root, desk, path) if text.stilled or not text.slips else None
    return settings, tuple(sorted(desk.faults, key=lambda fault: (fault.line, fault.column, fault.code)))


def _settings(root: Node, desk: Desk, path: Path) -> Settings | None:
    cross_check(root, desk)
    try:
        return replace(section(Settings, root, desk), file=path.absolute())
    except Flaw:
        return None


def _content(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        cure = "name it with --config FILE or -C DIR, or make one: bursarbridge init --example DIR"
        raise Flaw("C001", f"there is no readable settings file ({error.strerror or type(error).__name__})", cure) from None
    if len(content) > _SIZE_MAX:
        raise Flaw("C001", f"{len(content)} bytes are too many for a settings file", "name the settings file itself")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Flaw("C001", f"line {line} is not UTF-8 text (byte {error.start})", "save the file as UTF-8 in your editor") from None


def _span(slip: Slip, desk: Desk) -> Span:
    width = len(desk.lines[slip.line - 1]) if slip.line <= len(desk.lines) else 1
    return Span(slip.line, min(slip.column, max(1, width)), 1)
