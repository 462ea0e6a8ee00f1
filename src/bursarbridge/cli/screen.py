"""Where words go: answers on stdout, messages on stderr; with --json one object on stdout and nothing else there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer

SCHEMA = 1
"""The version of every --json object; raised when a key changes its meaning or goes."""


@dataclass(frozen=True)
class Screen:
    """What one call of a verb may show."""

    as_json: bool
    quiet: bool
    no_color: bool

    def say(self, line: str = "") -> None:
        """A line of the answer, for people."""
        if not self.as_json:
            typer.echo(line, color=self._color)

    def table(self, rows: Iterable[Sequence[str]], right: Sequence[int] = (), indent: str = "  ") -> None:
        """Aligned lines of the answer; the columns numbered in `right` end at the same place (amounts)."""
        for line in columns(rows, right, indent):
            self.say(line)

    def give(self, answer: Mapping[str, object]) -> None:
        """The whole answer, for programs: one line of JSON."""
        if self.as_json:
            typer.echo(json.dumps({"schema": SCHEMA, **answer}))

    def note(self, line: str) -> None:
        """A message beside the answer."""
        if not self.quiet:
            # What was said so far comes first, also where both streams end up in one place.
            sys.stdout.flush()
            typer.echo(line, err=True, color=self._color)

    def next(self, *commands: str) -> None:
        """What to type next."""
        for number, command in enumerate(commands):
            self.note(f"{'Next:' if number == 0 else '     '} {command}")

    def fail(self, line: str) -> None:
        """Why it did not work; never left out."""
        sys.stdout.flush()
        typer.echo(line, err=True, color=self._color)

    @property
    def _color(self) -> bool | None:
        """False takes all color out; None leaves it to whether a terminal is there."""
        return False if self.no_color or os.environ.get("NO_COLOR") else None


def bold(text: str) -> str:
    """The words a reader's eye should find first."""
    return typer.style(text, bold=True)


def columns(rows: Iterable[Sequence[str]], right: Sequence[int] = (), indent: str = "  ") -> list[str]:
    """Rows as aligned lines; the columns numbered in `right` end at the same place (amounts)."""
    listed = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]

    def padded(row: Sequence[str]) -> Iterator[str]:
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            yield cell.rjust(width) if number in right else cell.ljust(width)

    return [(indent + "  ".join(padded(row))).rstrip() for row in listed]
