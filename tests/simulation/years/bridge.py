"""The bridge under simulation: built by wiring as ever, over lines that are cut and an API that misbehaves, killed at its crash points."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import sqlalchemy as sa

from bursarbridge import wiring
from bursarbridge.assembly.library import alma_api
from bursarbridge.assembly.names import Times
from bursarbridge.config.model import AlmaSource, Settings
from bursarbridge.errors import BridgeError, TryLater
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.ports import Endpoint, Proof, Waiting
from bursarbridge.ports.calls import Call, Carrier, Handed, LibraryDesk, Reply
from bursarbridge.sandbox.alma_api import AlmaDoor, Asked, Mishap
from bursarbridge.store import opening
from bursarbridge.systems.alma.desk import AlmaDesk
from bursarbridge.wiring.recording import Recorded
from bursarbridge.wiring.ways import Ways
from tests.simulation.years.journal import Journal, JournalEngine, Killed
from tests.simulation.years.weather import CALL_FAULTS, Weather

API_KEY = "sim-key-of-nobody"
NESTED = 5


class Line:
    """An endpoint over a line that is cut right after a deed had its effect."""

    def __init__(self, place: Endpoint, weather: Weather) -> None:
        self._place, self._weather = place, weather

    def waiting(self, patterns: Sequence[str]) -> list[Waiting]:
        """What waits."""
        return self._place.waiting(patterns)

    def fetch(self, name: str, target: Path) -> Waiting:
        """A copy."""
        found = self._place.fetch(name, target)
        self._cut("fetch")
        return found

    def clear(self, name: str) -> None:
        """Takes it away."""
        self._place.clear(name)
        self._cut("clear")

    def upload(self, name: str, source: Path) -> None:
        """Under the hidden name."""
        self._place.upload(name, source)
        self._cut("upload")

    def publish(self, name: str, sha256: str) -> Proof:
        """Under its own name."""
        proof = self._place.publish(name, sha256)
        self._cut("publish")
        return proof

    def present(self, name: str) -> bool:
        """Whether it stands there."""
        return self._place.present(name)

    def _cut(self, deed: str) -> None:
        if self._weather.strikes(f"line: {deed}"):
            raise TryLater(f"the line was cut during {deed}")


@dataclass(frozen=True)
class SimulatedWays(Ways):
    """The ways out, over the simulation's weather."""

    weather: Weather = field(kw_only=True)
    handed: list[str] = field(kw_only=True)
    """The mails that left."""

    @contextmanager
    def places(self, around: Callable[[Endpoint], Endpoint] | None = None) -> Iterator[Callable[[str, str, Clear], Endpoint]]:
        """Endpoints over a line."""
        with super().places(lambda place: Line(around(place) if around else place, self.weather)) as place:
            yield place

    def carrier(self) -> Carrier:
        """A relay that is down now and then."""
        return Relay(self.weather, self.handed)


class Relay:
    """ports.Carrier in this process."""

    def __init__(self, weather: Weather, handed: list[str]) -> None:
        self.token = "simulated"
        self._weather, self._handed = weather, handed

    def hand_over(self, message: bytes, _sender: str, recipient: str) -> Handed:
        """Takes it, or is down."""
        if self._weather.strikes("mail"):
            return Handed("unreachable", "the relay is down")
        self._handed.append(f"{recipient} {hashlib.sha256(message).hexdigest()}")
        return Handed("sent", "taken")


def _hasten(driver: Any, _record: object) -> None:
    """Deaths here are of the program, never of the disk (those: tests/keeping), so SQLite need not wait for it."""
    driver.execute("pragma journal_mode=memory")
    driver.execute("pragma synchronous=off")


class Machine:
    """The machine the bridge runs on: it dies, it is down, and it starts again on the same disk."""

    def __init__(self, settings: Settings, door: AlmaDoor, weather: Weather, now: Callable[[], datetime]) -> None:
        self.settings, self.door, self.weather, self.now = settings, door, weather, now
        self.journal = Journal(after_deed=lambda _name: self._reached("engine.acted"))
        self.reached: set[str] = set()
        self.failed: list[str] = []
        self.handed: list[str] = []
        self._fuse = 0
        ledger = opening.open_engine(settings.storage.database.url())
        opening.migrate(ledger)
        ledger.dispose()
        self.bridge = self._built()

    def restart(self, *, hasty: bool = True) -> None:
        """Starts again on what the disk has now; not hasty: as on a disk that may lose what it was not waited for."""
        self.bridge.close()
        self.bridge = self._built(hasty=hasty)

    def run(self, flow: str) -> dict[str, object] | None:
        """Runs a flow; after a death the machine starts again, and the flow goes on. None when it failed with words."""
        self.light("death")
        for _ in range(NESTED + 1):
            try:
                return self._at_work(flow)
            except Killed:
                self.weather.deaths += 1
                self.bridge.close()
                self.bridge = self._built()
                self._fuse = 0
                self.light("death in recovery")
            except BridgeError as error:
                self.failed.append(f"{flow}: {error}")
                return None
        return None

    def _at_work(self, flow: str) -> dict[str, object]:
        """A process at work lends its engine; as the real one, it first finishes what a dead one left."""
        shutil.rmtree(self.bridge.scratch, ignore_errors=True)
        engine = JournalEngine(self.journal, self.bridge.ledger, self.bridge.procedures(), Recorded)
        self.bridge.engine = engine  # type: ignore[assignment]
        engine.finish_resumed()
        with self.bridge.running() as start:
            return start(flow)

    def light(self, kind: str) -> None:
        """Lets the process die, if that strikes now, some named points later."""
        self._fuse = self.weather.chance.randint(1, 14) if self.weather.strikes(kind) else 0

    def _reached(self, point: str) -> None:
        if point.startswith(("step.", "run.")):
            return  # before and after every step; tests/crash dies there, and a fuse that counts them would burn too early
        self.reached.add(point)
        if self._fuse:
            self._fuse -= 1
            if not self._fuse:
                raise Killed(point)

    def _built(self, *, hasty: bool = True) -> wiring.Bridge:
        bridge = wiring.build(self.settings, clock=self.now, wait=lambda _seconds: None, reached=self._reached, desk_of=self._desk)
        bridge.ledger.dispose()
        if hasty:
            sa.event.listen(bridge.ledger, "connect", _hasten)
        bridge.ways = SimulatedWays(self.settings, lambda _seconds: None, self._reached, self._desk, weather=self.weather, handed=self.handed)
        return bridge

    def _desk(self, source: AlmaSource) -> LibraryDesk | None:
        assert source.api is not None
        fault = next((one for one in CALL_FAULTS if self.weather.strikes(f"call: {one}")), "")
        if fault:
            self.door.mishaps.append(Mishap(fault))
        else:
            self.door.mishaps.clear()
        clock = lambda: self.now().timestamp()  # noqa: E731
        return AlmaDesk(alma_api(source.api, self._send, Times(clock, lambda _seconds: None, lambda seconds: seconds)))

    def _send(self, call: Call) -> Reply:
        where = urlsplit(call.path)
        parts = tuple(unquote(one) for one in where.path.removeprefix("/almaws/v1/").split("/"))
        query = dict(parse_qsl(where.query, keep_blank_values=True)) | dict(call.query)
        told = self.door.answer(Asked(call.method, parts, query, call.body), f"apikey {API_KEY}")
        self.door.settle()
        if told is None:
            raise TryLater("no answer came")
        status, headers, text = told
        return Reply(status, {name.lower(): value for name, value in headers.items()}, text.encode())
