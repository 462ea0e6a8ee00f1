"""Where hold files of ours may be found again, how they are read, and which lists say what holds are about (reliability.md P21)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bursarbridge.assembly.billing import billing_flow
from bursarbridge.assembly.bursar import layout_of
from bursarbridge.assembly.evidence import Shelf, glob_of, pattern_of
from bursarbridge.assembly.hold_parts import ready_holds
from bursarbridge.assembly.holds import hold_destination
from bursarbridge.assembly.names import HOLDS_ENDING, PlaceOf
from bursarbridge.config.holding import Holding
from bursarbridge.config.model import Settings
from bursarbridge.config.parking import ParkingSource
from bursarbridge.errors import Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.evidence import Owner
from bursarbridge.formats.shape import Layout
from bursarbridge.ledger.found import FoundHold
from bursarbridge.ledger.reference import number_in
from bursarbridge.store.hold_batches import ADDED, RELEASED, reference_prefix
from bursarbridge.systems.peoplesoft.holds import holds_in


class HoldShelf(NamedTuple):
    """Hold files of one source and kind."""

    shelf: Shelf
    owner: Owner
    lines: Callable[[Path], list[FoundHold] | None]
    """A file's lines; None when it cannot be read, or is another source's."""


def hold_shelves(settings: Settings) -> list[HoldShelf]:
    """Every kind of hold file that these settings send."""
    return [shelf for one in settings.holds for shelf in _shelves(settings, one)]


def known_by(settings: Settings, place: PlaceOf) -> dict[str, tuple[tuple[str, ZoneInfo], ...]]:
    """By source: the channels that say what its holds are about, with the zone in which they tell their time."""
    return {one.name: ready_holds(f"{one.name}{HOLDS_ENDING}", settings, place).evidence for one in settings.holds}


def list_channels(settings: Settings, place: PlaceOf) -> Iterator[tuple[Channel, ParkingSource, str]]:
    """Every parking office's channels, each with its office and folder. Their guards are left out: what was read once was looked at then."""
    held = {one.name for one in settings.holds}
    for office in settings.parking_offices:
        if office.billing is not None:
            channels = billing_flow(f"{office.name}-charges", settings, place).facts
        else:
            channels = ready_holds(f"{office.name}{HOLDS_ENDING}", settings, place).facts if office.name in held else ()
        for channel, files in zip(channels, office.violations, strict=False):
            yield replace(channel, guard=None, ending=None, lane=None, prepare=None), office, files.folder


def _shelves(settings: Settings, one: Holding) -> Iterator[HoldShelf]:
    owner = Owner(one.name, settings.sources[one.name].reference_prefix)
    for kind, where in ((ADDED, one.added), (RELEASED, one.released)):
        place = (hold_destination(kind), settings.bursar.connection, where.folder)
        shelf = Shelf(*place, pattern_of(where.name, {}), glob_of(where.name), kind, flow=f"{one.name}{HOLDS_ENDING}")
        yield HoldShelf(shelf, owner, partial(_read, one, owner, layout_of(settings, where.layout), kind))


def _read(one: Holding, owner: Owner, layout: Layout, kind: str, path: Path) -> list[FoundHold] | None:
    found = []
    try:
        for row in holds_in(layout, open_chunks(path)):
            number = number_in(reference_prefix(owner.prefix), row.reference.strip()) if row.reference.strip() else 0
            cents = 0 if kind == RELEASED else row.amount
            found.append(FoundHold(number, row.account.strip(), cents, row.hold_code.strip() or one.code, row.hold_reason.strip() or one.reason))
    except Unreadable:
        return None
    return found
