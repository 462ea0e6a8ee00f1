"""An Alma with an API for tests: the sandbox's over real HTTP, our client in front of it, a clock that nobody waits for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bursarbridge.exchange.http import WebAddress, WebPlace
from bursarbridge.exchange.pace import Pace
from bursarbridge.sandbox.alma import Alma
from bursarbridge.sandbox.alma_api import AlmaDoor, AlmaServer, Mishap
from bursarbridge.sandbox.alma_fee_desk import FeeDesk, Transaction
from bursarbridge.sandbox.alma_loans import Circulation
from bursarbridge.sandbox.fees import Fee, User
from bursarbridge.systems.alma.allowance import Allowance
from bursarbridge.systems.alma.api import FeeName
from bursarbridge.systems.alma.client import AlmaApi

KEY = "l7xxCANARY0badc0ffee0"
"""The key that must never show."""
ADA = User("0104231", "Winterbourne, Ada")
ODD = User("bao/lark spur@example.edu", "Larkspur, Bao")
NOON = datetime(2026, 10, 14, 19, 0, tzinfo=UTC)


@dataclass
class Time:
    """Seconds that pass only by waiting."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def read(self) -> float:
        return self.now


@dataclass
class Library:
    """The emulated Alma, its API and our client."""

    door: AlmaDoor
    server: AlmaServer
    time: Time
    api: AlmaApi
    place: WebPlace

    @property
    def alma(self) -> Alma:
        return self.door.fees.alma

    def bill(self, cents: int, user: User = ADA, barcode: str = "31234000011170", *, exported: bool = True) -> Fee:
        """A lost item's fee, handed to the bursar or not."""
        fee = self.alma.assess(user, "LOSTITEMREPLACEMENTFEE", cents, NOON, barcode=barcode, title="Tidal marshes", library="MAIN")
        if exported:
            self.alma.run_export(NOON)
        return fee

    def name(self, fee: Fee) -> FeeName:
        return FeeName(fee.user.value, self.door.fees.id_of(fee))

    def rows(self, fee: Fee) -> list[Transaction]:
        return self.door.fees.rows.get(self.door.fees.id_of(fee), [])

    def next(self, *kinds: str, on: str = "") -> None:
        """What goes wrong with the next calls."""
        self.door.mishaps += [Mishap(kind, on) for kind in kinds]

    def called(self, label: str) -> int:
        """How many calls of a kind were made."""
        return sum(one.startswith(f"{label} ") for one in self.door.calls)


@contextmanager
def library(*, reserve: int = 100, per_second: int = 25, timeout_seconds: float = 5.0) -> Iterator[Library]:
    """An Alma that answers until the block ends."""
    time = Time()
    door = AlmaDoor(FeeDesk(Alma()), Circulation(), lambda: NOON, KEY)
    with AlmaServer(door) as server:
        place = WebPlace(WebAddress(server.base, f"apikey {KEY}", timeout_seconds, loopback_only=True), time.read)
        api = AlmaApi(Pace(place.send, per_second, time.read, time.wait), server.base, Allowance(reserve, time.read), time.wait)
        try:
            yield Library(door, server, time, api, place)
        finally:
            place.close()
