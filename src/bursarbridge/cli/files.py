"""files: every file that came or went, its hash, and whether its kept bytes are still whole."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import FAILED, Where, bridge_of, ending
from bursarbridge.cli.options import SHOWN, All, File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import count, moment
from bursarbridge.errors import Refused
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from bursarbridge.store.views import FileView
    from bursarbridge.wiring import Bridge

group = typer.Typer(help="Every file that came or went: list, show, verify.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The file's name, or the first digits of its SHA-256.")]
Lines = Annotated[int, typer.Option("--lines", metavar="N", min=0, help="Print its first N lines; they name people, so only when asked.")]

_HASH_LEAST = 6
"""Fewer digits of a hash than this are no name of a file."""
_LINE_WIDTH = 400


@group.command("list")
def list_(
    every: All = False, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """List the files that came and went, oldest first.

    \b
    bursarbridge files list -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        files = _files(bridge)
        screen.give({"files": [one._asdict() for one in files]})
        listed = files if every else files[-SHOWN:]
        if len(listed) < len(files):
            screen.say(f"  {len(files) - len(listed):,} older ones; --all shows them")
        zone = bridge.settings.campus.timezone
        screen.table((_row(one, zone) for one in listed), right=(3, 4))
        screen.say(f"{count(len(files), 'file')}." if files else "No file came or went yet.")
        screen.next(where.command(f"files show {listed[-1].name}" if listed else "run library-charges"))


@group.command("show")
def show(
    name: Name,
    lines: Lines = 0,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Show one file: direction, size, hash, control total, state; its lines only with --lines.

    \b
    bursarbridge files show LIB_CHG_EXCCD_20261014_000001.dat --lines 3 -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where, where.command("files list")), bridge_of(screen, where) as bridge:
        found = [one for one in _files(bridge) if one.name == name or (len(name) >= _HASH_LEAST and one.sha256.startswith(name.lower()))]
        if not found:
            raise Refused(f'no file "{name}" came or went')
        texts = [_text(bridge.vault.path(one.sha256), lines) for one in found]
        screen.give({"files": [{**one._asdict(), "text": text} for one, text in zip(found, texts, strict=True)]})
        for one, text in zip(found, texts, strict=True):
            _show(screen, bridge, one)
            for line in text:
                screen.say(f"    {line}")
        screen.next(where.command("files verify"))


@group.command("verify")
def verify(folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Hash every kept file again and name each one that is not what it was.

    \b
    bursarbridge files verify -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        files = {one.sha256: one for one in _files(bridge)}
        whole = {sha256: bridge.vault.verify(sha256) for sha256 in files}
        damaged = [files[sha256] for sha256, well in whole.items() if not well]
        screen.give(
            {
                "verified": len(files) - len(damaged),
                "damaged": [{"name": one.name, "sha256": one.sha256, "path": str(bridge.vault.path(one.sha256))} for one in damaged],
            }
        )
        for one in damaged:
            screen.say(f"DAMAGED {one.name}: {bridge.vault.path(one.sha256)} is missing or is not what was kept")
        screen.say(f"{count(len(files) - len(damaged), 'file')} of {len(files):,} {'is' if len(files) - len(damaged) == 1 else 'are'} whole.")
        if damaged:
            screen.next("restore the named files from a backup, then: " + where.command("files verify"))
            raise typer.Exit(FAILED)


def _files(bridge: Bridge) -> list[FileView]:
    from bursarbridge.store import views

    with bridge.books() as books:
        return views.files(books)


def _row(one: FileView, zone: ZoneInfo) -> list[str]:
    state = one.state.lower().replace("_", " ")
    return [moment(one.at, zone), one.direction, one.name, f"{one.lines:,}", shown(one.cents), state, one.sha256[:12]]


def _show(screen: Screen, bridge: Bridge, one: FileView) -> None:
    came = one.direction == "in"
    screen.say(bold(one.name))
    rows = [
        ["Direction", f"{'in, from' if came else 'out, to'} {one.place}"],
        ["When", moment(one.at, bridge.settings.campus.timezone)],
        ["State", one.state.lower().replace("_", " ")],
        ["Holds", f"{count(one.lines, 'record' if came else 'line')}, {shown(one.cents)}"],
        ["Size", count(one.size, "byte")],
        ["SHA-256", one.sha256],
        ["Kept at", str(bridge.vault.path(one.sha256))],
    ]
    screen.table(rows)


def _text(path: Path, lines: int) -> list[str]:
    """The first lines of a kept file that is text; control characters are shown as marks, long lines are cut."""
    if not lines:
        return []
    try:
        with path.open(encoding="utf-8") as kept:
            return ["".join(c if c.isprintable() else "·" for c in line.rstrip("\r\n"))[:_LINE_WIDTH] for line in islice(kept, lines)]
    except UnicodeDecodeError:
        return ["(not UTF-8 text)"]
