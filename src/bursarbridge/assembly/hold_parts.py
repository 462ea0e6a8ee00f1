"""What a flow that holds is made of on a campus: the lists of what is owed, with their guards, and who judges its plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from bursarbridge.assembly.guards import file_guard, plan_guard
from bursarbridge.assembly.holds import holding_of, holds_flow
from bursarbridge.assembly.names import HOLDS_ENDING, PlaceOf
from bursarbridge.assembly.parking import violation_channels, violation_form
from bursarbridge.config.model import Settings
from bursarbridge.config.parking import ParkingSource, ViolationFiles
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.ending import ListEnd
from bursarbridge.flows.guarding import PlanGuard, approved_plan, plan_carried
from bursarbridge.flows.holds import HoldsFlow
from bursarbridge.flows.lane import ListLane
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.guards import Plan
from bursarbridge.ledger.holds import PlanNumbers
from bursarbridge.store.books import Books
from bursarbridge.systems.parking.violations import ViolationReader


@dataclass(frozen=True)
class PlanGate:
    """flows.holds.Gate over the guards of the settings."""

    guard: PlanGuard

    def judge(self, books: Books, plan: PlanNumbers, content: Callable[[], str]) -> tuple[str, ...]:
        """Why the plan must wait."""
        return self.guard.judge(books, Plan(*plan), content).reasons

    def approved(self, books: Books) -> bool:
        """Whether people approved the plan that waits."""
        return approved_plan(books, self.guard.flow) is not None

    def carried(self, books: Books) -> None:
        """It was carried out."""
        number = approved_plan(books, self.guard.flow)
        if number is not None:
            plan_carried(books, number)


def ready_holds(flow: str, settings: Settings, place: PlaceOf) -> HoldsFlow:
    """The flow of that name, whole. Raises Refused for another name."""
    one = holding_of(settings, flow)
    source = settings.sources[one.name]
    base = f"{one.name}{HOLDS_ENDING}"
    facts = _lists(settings, source, place, base) if isinstance(source, ParkingSource) and source.billing is None else ()
    return holds_flow(flow, settings, place, facts, PlanGate(plan_guard(settings, base, one, source)))


def violation_poster(settings: Settings, source: ParkingSource, files: ViolationFiles) -> ViolationPoster:
    """What posts one kind of a parking office's lists."""
    form = violation_form(settings, source, files)
    return ViolationPoster(source.name, source.reference_prefix, files.kind, files.absent, repr((form, settings.identity)))


def _lists(settings: Settings, source: ParkingSource, place: PlaceOf, flow: str) -> tuple[Channel, ...]:
    made = violation_channels(settings, source, place, partial(violation_poster, settings, source))
    return tuple(_guarded(settings, source, files, channel, flow) for files, channel in zip(source.violations, made, strict=True))


def _guarded(settings: Settings, source: ParkingSource, files: ViolationFiles, channel: Channel, flow: str) -> Channel:
    """A channel with its guard; a complete list whose lines are its records has the fast lane too."""
    whole = files.kind == "full"
    guarded = replace(channel, guard=file_guard(settings, flow, whole=whole, dated=True))
    form = violation_form(settings, source, files)
    if whole and not files.trailer:  # with one the office itself says how much there is
        ending = ListEnd(violation_poster(settings, source, files), partial(ViolationReader, form, whole=False), heading=files.heading)
        guarded = replace(guarded, ending=ending)
    if not whole or not ViolationReader(form).lines_are_records:
        return guarded
    lane = ListLane(violation_poster(settings, source, files), partial(ViolationReader, form, whole=False), heading=files.heading)
    return replace(guarded, lane=lane)
