"""The demo's stage: an emulated campus behind a real SFTP server, a real bridge, and a clock that only the story moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bursarbridge import config, wiring
from bursarbridge.examples.example import write_example
from bursarbridge.sandbox import story
from bursarbridge.sandbox.server import SftpCampus
from bursarbridge.store import views

if TYPE_CHECKING:
    from bursarbridge.cli.told import Told
    from bursarbridge.sandbox.campus import Campus
    from bursarbridge.sandbox.story import Scene

_FOLDERS = {
    "sources.library.export": "alma/out",
    "sources.library.import": "alma/in",
    "bursar.charges": "peoplesoft/in",
    "bursar.results": "peoplesoft/out",
    "bursar.payments": "peoplesoft/out",
}
"""Where the SFTP server has what the example's two folder connections have."""

_AS_IT_RAN = """\
# The settings the two days were lived with: the example's, over SFTP. The server and its key are gone now;
# bursarbridge.toml beside this file reaches the same folders, and the same ledger, directly.
"""


class Clock:
    """The campus clock of the story."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def __call__(self) -> datetime:
        """The instant it is in the story, UTC."""
        return self.at.astimezone(UTC)


@dataclass(frozen=True)
class Moment:
    """One scene as it went."""

    scene: Scene
    came: str
    """What the campus did, in a sentence, or ""."""
    ran: Told | None
    """What the bridge did then, if it ran."""
    questions: tuple[str, ...]
    """What waits for a person since this scene, in words."""


@dataclass(frozen=True)
class Stage:
    """The campus, the bridge and the way to live through the days."""

    campus: Campus
    bridge: wiring.Bridge
    clock: Clock
    port: int
    start: Callable[[str], dict[str, object]]

    def moments(self) -> Iterator[Moment]:
        """Every scene in order, lived as it is asked for."""
        seen: set[int] = set()
        for scene in story.scenes():
            self.clock.at = scene.at
            came = scene.act(self.campus, scene.at)
            ran = cast("Told", self.start(scene.flow)) if scene.flow else None
            with self.bridge.books() as books:
                fresh = [one for one in views.items(books) if one.id not in seen]
            seen |= {one.id for one in fresh}
            yield Moment(scene, came, ran, tuple(one.words for one in fresh))


@contextmanager
def two_days(folder: Path) -> Iterator[Stage]:
    """A campus in `folder`, its SFTP server on loopback, and a bridge that reaches it only that way.

    Raises Refused when the folder already holds a campus.
    """
    written = write_example(folder)
    clock = Clock(next(story.scenes()).at)
    campus = story.make_campus(folder)
    with SftpCampus(folder) as server:
        as_it_ran = folder / "two-days.toml"
        as_it_ran.write_text(_AS_IT_RAN + over_sftp(written[0].read_text("utf-8"), server), "utf-8")
        bridge = wiring.build(config.load(as_it_ran), clock=clock, wait=lambda _seconds: None)
        try:
            with bridge.running() as start:
                yield Stage(campus, bridge, clock, server.port, start)
        finally:
            bridge.close()


def over_sftp(text: str, server: SftpCampus) -> str:
    """The example's settings with both folder connections replaced by the server's address, its host key pinned."""
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
        elif key == "folder" and section in _FOLDERS:
            lines.append(f'folder = "{_FOLDERS[section]}"')
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
