"""Who decides, and who starts: the names that are kept with decisions and runs."""

from __future__ import annotations

import getpass
import os

from bursarbridge.errors import Refused


def logged_in() -> str:
    """The name of whoever is logged in. Raises Refused when there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number that has no name.
        raise Refused('nobody can be named as the one who decides; add --by "NAME"') from None


def starter(actor: str) -> str:
    """Who starts a run by hand: as they say, else who is logged in, else the number under which this process runs."""
    try:
        return " ".join(actor.split()) or logged_in()
    except Refused:
        return f"user {os.getuid()}"


def started(start: str, actor: str, before: str = "") -> str:
    """How a run was started, for people, after some words: "by hand by R. Diaz", "by the timetable"; "" when nobody wrote it down."""
    words = {"hand": f"by hand by {actor}", "timetable": "by the timetable"}.get(start, "")
    return f"{before}{words}" if words else ""
