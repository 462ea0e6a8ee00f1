"""The demo's stage: an emulated campus behind real SFTP, HTTP and SMTP servers, a real bridge, and a clock that only the story moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from bursarbridge import config, wiring
from bursarbridge.examples.example import write_example
from bursarbridge.sandbox import parking_story, story
from bursarbridge.sandbox.alma_api import AlmaDoor, AlmaServer
from bursarbridge.sandbox.alma_calls import AlmaCalls
from bursarbridge.sandbox.mailbox import HOST, Mailbox
from bursarbridge.sandbox.server import SftpCampus
from bursarbridge.store import views

if TYPE_CHECKING:
    from bursarbridge.cli.told import Posted, Told
    from bursarbridge.sandbox.campus import Campus
    from bursarbridge.sandbox.story import Scene

_FOLDERS = {
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

_AS_IT_RAN = """\
# The settings the days were lived with: the example's, over SFTP, with Alma's API, its webhook calls and mail. The servers and
# their keys are gone now; bursarbridge.toml beside this file reaches the same folders, and the same ledger, directly.
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
    """What the bridge did then, if it ran a flow."""
    mailed: Posted | None
    """What it mailed then, if it did."""
    questions: tuple[str, ...]
    """What waits for a person since this scene, in words."""


class Ports(NamedTuple):
    """Where everything listens on 127.0.0.1."""

    sftp: int
    api: int
    mail: int
    calls: int


@dataclass(frozen=True)
class Stage:
    """The campus, the bridge and the way to live through the days."""

    campus: Campus
    door: AlmaDoor
    """Alma's API, where a story may let it misbehave."""
    bridge: wiring.Bridge
    clock: Clock
    ports: Ports
    start: Callable[[str], dict[str, object]]

    def moments(self) -> Iterator[Moment]:
        """Every scene of the library and of parking in order, lived as it is asked for; one in which nothing happens is left out."""
        seen: set[int] = set()
        for scene in merge(story.scenes(), parking_story.scenes(), key=lambda scene: scene.at):
            self.clock.at = scene.at
            came = scene.act(self.campus, scene.at)
            if not came and not scene.flow:
                continue
            ended = self.start(scene.flow) if scene.flow else None
            mail = scene.flow == story.REPORT
            with self.bridge.books() as books:
                fresh = [one for one in views.items(books) if one.id not in seen]
            seen |= {one.id for one in fresh}
            ran, mailed = (None, cast("Posted", ended)) if mail else (cast("Told", ended), None)
            yield Moment(scene, came, ran, mailed, tuple(one.words for one in fresh))


@contextmanager
def two_days(folder: Path) -> Iterator[Stage]:
    """A campus in `folder`, its servers on loopback, and a bridge that reaches it only through them.

    Raises Refused when the folder already holds a campus.
    """
    from bursarbridge.console.serving import beside, bound

    written = write_example(folder, parking=True)
    clock = Clock(next(parking_story.scenes()).at)
    campus = story.make_campus(folder)
    parking_story.open_parking(campus, clock.at)
    door = AlmaDoor(campus.desk, campus.circulation, lambda: clock.at, _secret(folder, "alma-api"))
    with ExitStack() as up:
        files, api = up.enter_context(SftpCampus(folder)), up.enter_context(AlmaServer(door))
        campus.mailbox = up.enter_context(Mailbox())
        as_it_ran = folder / "two-days.toml"
        text = by_smtp(over_sftp(written[0].read_text("utf-8"), files), campus.mailbox.port) + _connected(api.base)
        as_it_ran.write_text(_AS_IT_RAN + text, "utf-8")
        secret = _secret(folder, "alma-webhook")
        bridge = wiring.build(config.load(as_it_ran), clock=clock, wait=lambda _seconds: None)
        up.callback(bridge.close)
        listener = up.enter_context(bound(files.host, 0))
        up.enter_context(beside(up.enter_context(bridge.listening()), listener))
        calls = int(listener.getsockname()[1])
        campus.calls = AlmaCalls(f"http://{files.host}:{calls}/webhooks/library", secret)
        start = up.enter_context(bridge.running())
        yield Stage(campus, door, bridge, clock, Ports(files.port, api.port, campus.mailbox.port, calls), start)


def _secret(folder: Path, name: str) -> str:
    """A fresh secret in a file that the settings refer to."""
    made = wiring.fresh_secret()
    file = folder / "keys" / name
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(made, "utf-8")
    return made


def _connected(api: str) -> str:
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
        elif key == "folder" and section in _FOLDERS:
            lines.append(f'folder = "{_FOLDERS[section]}"')
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
