"""The options that many verbs share, so that they are spelt and explained the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path | None, typer.Option("-C", metavar="DIR", help="The folder with bursarbridge.toml (default: this one).")]
File = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The settings file itself, instead of -C.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr except errors.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colors (also: the environment variable NO_COLOR).")]
All = Annotated[bool, typer.Option("--all", help="Every line, however many there are.")]

SHOWN = 50
"""How many lines a list prints without --all."""
