"""The demo's stage: an emulated campus behind real SFTP, HTTP and SMTP servers, a real bridge, and a clock that only the story moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from bursarbridge import config, wiring
from bursarbridge.cli.crew import Crew
from bursarbridge.cli.story_settings import CLOCK, FOLDERS, by_smtp, by_workers, connected, over_sftp
from bursarbridge.examples.example import write_example
from bursarbridge.sandbox import parking_story, story
from bursarbridge.sandbox.alma_api import AlmaDoor, AlmaServer
from bursarbridge.sandbox.alma_calls import AlmaCalls
from bursarbridge.sandbox.mailbox import Mailbox
from bursarbridge.sandbox.server import SftpCampus
from bursarbridge.store import views

if TYPE_CHECKING:
    from bursarbridge.cli.crew import Hand
    from bursarbridge.cli.told import Posted, Told
    from bursarbridge.sandbox.campus import Campus
    from bursarbridge.sandbox.story import Scene

_AS_IT_RAN = """\
# The settings the days were lived with: the example's, over SFTP, with Alma's API, its webhook calls and mail. The servers and
# their keys are gone now; bursarbridge.toml beside this file reaches the same folders, and the same ledger, directly.
"""


_KILLED = (story.CHARGES, 15)
"""In the first run of this flow on this day of the story that sends a file, a worker is killed."""


class Clock:
    """The campus clock of the story."""

    def __init__(self, start: datetime, folder: Path) -> None:
        self.at = start
        self._file = folder / CLOCK

    def __call__(self) -> datetime:
        """The instant it is in the story, UTC."""
        return self.at.astimezone(UTC)

    def show(self) -> datetime:
        """Lets other processes see what time it is; returns it."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(self.at.isoformat(), "utf-8")
        fresh.replace(self._file)
        return self.at


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
    hand: Hand | None = None
    """Which worker did it, where there are workers."""


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
    crew: Crew | None
    """The workers, when the flows are not run in this process."""

    def moments(self) -> Iterator[Moment]:
        """Every scene of the library and of parking in order, lived as it is asked for; one in which nothing happens is left out."""
        seen: set[int] = set()
        for scene in _scenes():
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
            hand = self.crew.last if self.crew and scene.flow else None
            yield Moment(scene, came, ran, mailed, tuple(one.words for one in fresh), hand)


def _scenes() -> Iterator[Scene]:
    return merge(story.scenes(), parking_story.scenes(), key=lambda scene: scene.at)


@contextmanager
def two_days(folder: Path, database: str = "", workers: int = 0) -> Iterator[Stage]:
    """A campus in `folder`, its servers on loopback, and a bridge that reaches it only through them; its flows run here, or in `workers`.

    `database` is an empty one's address; without it the ledger is a file in the folder. Raises Refused when the folder already holds a campus.
    """
    from bursarbridge.console.serving import beside, bound

    written = write_example(folder, parking=True)
    if database:
        _keep_ledger_in(database, folder, written[0])
    clock = Clock(next(parking_story.scenes()).at, folder)
    campus = story.make_campus(folder)
    parking_story.open_parking(campus, clock.at)
    door = AlmaDoor(campus.desk, campus.circulation, lambda: clock.at, _secret(folder, "alma-api"))
    with ExitStack() as up:
        files, api = up.enter_context(SftpCampus(folder)), up.enter_context(AlmaServer(door))
        campus.mailbox = up.enter_context(Mailbox())
        as_it_ran = folder / "two-days.toml"
        text = by_smtp(over_sftp(written[0].read_text("utf-8"), files), campus.mailbox.port) + connected(api.base)
        as_it_ran.write_text(_AS_IT_RAN + (by_workers(text, folder, _scenes(), story.REPORT) if workers else text), "utf-8")
        secret = _secret(folder, "alma-webhook")
        bridge = wiring.build(config.load(as_it_ran), clock=clock, wait=lambda _seconds: None)
        up.callback(bridge.close)
        listener = up.enter_context(bound(files.host, 0))
        up.enter_context(beside(up.enter_context(bridge.listening()), listener))
        calls = int(listener.getsockname()[1])
        campus.calls = AlmaCalls(f"http://{files.host}:{calls}/webhooks/library", secret)
        crew = up.enter_context(_at_work(bridge, as_it_ran, clock, files, workers)) if workers else None
        start = _by(crew) if crew else up.enter_context(bridge.running())
        yield Stage(campus, door, bridge, clock, Ports(files.port, api.port, campus.mailbox.port, calls), start, crew)


@contextmanager
def _at_work(bridge: wiring.Bridge, settings: Path, clock: Clock, files: SftpCampus, count: int) -> Iterator[Crew]:
    """Workers at work; one of them dies when PeopleSoft's server has given a charge file of the second day its name, and has not said so."""
    crew = Crew(bridge, settings, clock.show, wiring.system_clock)

    def renamed(path: str) -> None:
        flow, day = _KILLED
        if clock.at.day == day and path.strip("/").startswith(FOLDERS["bursar.charges"]) and not any(one.killed_in for one in crew.workers):
            crew.kill_whoever_runs(flow)

    try:
        crew.begin(count)
        files.renamed = renamed if count > 1 else files.renamed
        yield crew
    finally:
        crew.end()


def _by(crew: Crew) -> Callable[[str], dict[str, object]]:
    """What no timetable starts is typed by a person."""
    return lambda flow: crew.by_hand("report", flow.removeprefix("report-"), "--send") if flow == story.REPORT else crew.carry_out(flow)


def _keep_ledger_in(database: str, folder: Path, settings: Path) -> None:
    """Puts the address, which may hold a password, into a file that only its owner reads, and a reference to it into the settings."""
    file = folder / "keys" / "database"
    _kept_secret(file, database)
    text, changed = re.subn(r'(?m)^database = "sqlite:[^"]*"', 'database = "file:keys/database"', settings.read_text("utf-8"), count=1)
    assert changed, "the example's settings name their database"
    settings.write_text(text, "utf-8")


def _secret(folder: Path, name: str) -> str:
    """A fresh secret in a file that the settings refer to."""
    made = wiring.fresh_secret()
    _kept_secret(folder / "keys" / name, made)
    return made


def _kept_secret(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")
