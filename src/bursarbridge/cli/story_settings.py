"""The settings that the demo's days are lived with: the example's, with real servers in place of folders, and a timetable for workers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bursarbridge.sandbox.mailbox import HOST

if TYPE_CHECKING:
    from datetime import datetime

    from bursarbridge.sandbox.server import SftpCampus
    from bursarbridge.sandbox.story import Scene

CLOCK = "clock"
"""The file by which workers know what time it is in the story."""
FOLDERS = {
    "sources.library.export": "alma/out",
    "sources.library.import": "alma/in",
    "bursar.charges": "peoplesoft/in",
    "bursar.results": "peoplesoft/out",
    "bursar.payments": "peoplesoft/out",
    "sources.parking.violations": "parking/out",
    "holds.parking.added": "peoplesoft/holds/in",
    "holds.parking.released": "peoplesoft/holds/in",
    "holds.parking.snapshot": "peoplesoft/holds/out",
}
"""Where the SFTP server has what the example's three folder connections have."""

_ANSWERED_BY = "+25h"
"""In the story the answer to a night's files is read in the next night."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVENT = "BEGIN:VEVENT\nDTSTART:{begins:%Y%m%dT%H%M%S}\nDTEND:{ends:%Y%m%dT%H%M%S}\nEND:VEVENT\n"
_CALENDAR = "BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n"


def connected(api: str) -> str:
    """The sections for Alma's API and calls, returned items and their report."""
    return f"""
[sources.library.api]
base = "{api}"
key = "file:keys/alma-api"

[sources.library.webhooks]
secrets = ["file:keys/alma-webhook"]

[sources.library.returns]
waive_reason = "FOUND"

[reports.returned-but-still-charged]
to = ["circulation@example.edu"]
"""


def by_smtp(text: str, port: int) -> str:
    """The settings with a mail server of this machine in place of the folder that keeps the example's mail."""
    return text.replace('relay = "folder:mail"', f'relay = "{HOST}:{port}"\ntls = "none"', 1)


def over_sftp(text: str, server: SftpCampus) -> str:
    """The example's settings with its folder connections replaced by the server's address, its host key pinned."""
    connection = [
        'kind = "sftp"',
        f'host = "{server.host}"',
        f"port = {server.port}",
        f'user = "{server.user}"',
        f'key = "file:{server.client_key_path}"',
        f'host_key = "{server.host_key}"',
        "",
    ]
    lines, section = [], ""
    for line in text.splitlines():
        key = line.partition("=")[0].strip()
        if line.startswith("["):
            section = line.partition("#")[0].strip().strip("[]")
            lines += [line, *connection] if section.startswith("connections.") else [line]
        elif section.startswith("connections.") and key in ("kind", "path"):
            continue
        elif key == "folder" and section in FOLDERS:
            lines.append(f'folder = "{FOLDERS[section]}"')
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def by_workers(text: str, folder: Path, scenes: Iterable[Scene], by_hand: str) -> str:
    """The settings with the story's clock and its timetable, for those who find out by themselves what is due."""
    with_clock, changed = re.subn(r"(?m)^(environment = .*)$", rf'\1\nclock = "{CLOCK}"', text, count=1)
    assert changed, "the example's settings say which environment they are for"
    return with_clock + _times(folder, scenes, by_hand)


def _times(folder: Path, scenes: Iterable[Scene], by_hand: str) -> str:
    """The [flows] sections by which each scene's flow is due at the scene's time, and at no other; `by_hand` is started by a person.

    A flow has one list of times for all of its days. What that would be too much stands in a calendar of closures beside the settings.
    """
    times: dict[str, set[datetime]] = defaultdict(set)
    for scene in scenes:
        if scene.flow and scene.flow != by_hand:
            times[scene.flow].add(scene.at)
    return "".join(_section(folder, flow, sorted(wanted)) for flow, wanted in sorted(times.items()))


def _section(folder: Path, flow: str, wanted: list[datetime]) -> str:
    at = sorted({f"{one:%H:%M}" for one in wanted})
    days = sorted({one.date() for one in wanted})
    every = {one.replace(year=day.year, month=day.month, day=day.day) for one in wanted for day in days}
    closed = sorted(every - set(wanted))
    skip = f', skip = "{_calendar(folder, flow, closed)}"' if closed else ""
    names = [_DAYS[number] for number in sorted({day.weekday() for day in days})]
    schedule = f"schedule = {{ at = {_listed(at)}, days = {_listed(names)}{skip} }}"
    return f'\n[flows.{flow}]\n{schedule}\nexpect = {{ confirmed_by = "{_ANSWERED_BY}" }}\n'


def _listed(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _calendar(folder: Path, flow: str, closed: list[datetime]) -> str:
    path = folder / "calendars" / f"{flow}.ics"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_CALENDAR.format(events="".join(_EVENT.format(begins=one, ends=one + timedelta(minutes=1)) for one in closed)), "utf-8")
    return path.relative_to(folder).as_posix()
