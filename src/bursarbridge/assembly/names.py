"""The names of the flows, and the shapes in which wiring hands in the ways to the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bursarbridge.config.model import AlmaSource, Settings
from bursarbridge.config.parking import ParkingSource
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.tell import Teller
from bursarbridge.ledger.facts import Fact
from bursarbridge.ledger.still_charged import StillCharged
from bursarbridge.ports import Endpoint
from bursarbridge.ports.calls import LibraryDesk
from bursarbridge.store.books import Books

FLOWS = ("library-charges", "library-payments", "library-credits")
"""The flows that carry files."""
RETURNS = "library-returns"
ALL_FLOWS = (*FLOWS, RETURNS)
HOLDS_ENDING, HOLDS_FULL_ENDING = "-holds", "-holds-full"
"""How the flows that hold are named after their source; the second decides everybody."""
BILLING_KINDS = ("charges", "payments", "credits")
"""How the flows of a parking office that bills end, after its name."""
BURSAR = "bursar"
"""The destination of everything that goes to the student account system."""


class Times(NamedTuple):
    """How time passes for those who call others."""

    clock: Callable[[], float]
    """Seconds that only go forward."""
    wait: Callable[[float], None]
    spread: Callable[[float], float]
    """A pause to one about as long."""


SECRET_MIN = 8
"""The fewest characters of a webhook secret; twenty-four and more are wise."""

DeskOf = Callable[[AlmaSource], "LibraryDesk | None"]
"""A library to whoever speaks for it; None when the settings name no way."""

PlaceOf = Callable[[str, str, Clear], Endpoint]
"""Connection, folder and way of clearing to an endpoint."""

TellerOf = Callable[[str], Teller]
"""A source's name to whom is told of its payments."""

Poster = Callable[[Reading, Iterator[Fact]], None]

Returned = Callable[[Books], StillCharged]
"""What came back and is still charged, from the books."""


def billing_flows(settings: Settings) -> tuple[str, ...]:
    """The names of the flows of parking offices whose violations are billed to the student account."""
    return tuple(f"{one.name}-{kind}" for one in settings.parking_offices if one.billing is not None for kind in BILLING_KINDS)


def office_of(settings: Settings, source: str) -> str:
    """What people call a source, after "the": "library", "parking office"."""
    return f"{source} office" if isinstance(settings.sources.get(source), ParkingSource) else source


def hold_flows(settings: Settings) -> tuple[str, ...]:
    """The names of the flows that hold: one for each [holds] section, and its full re-synchronisation."""
    return tuple(f"{one.name}{ending}" for one in settings.holds for ending in (HOLDS_ENDING, HOLDS_FULL_ENDING))
