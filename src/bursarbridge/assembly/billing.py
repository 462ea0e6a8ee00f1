"""A parking office whose violations are billed: its lists in, charges and counter entries out, the bursar's payments back to it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bursarbridge.assembly.bursar import answers, bursar_outlet, charges_of, credits_of, layout_of, payments
from bursarbridge.assembly.guards import batch_guard, file_guard
from bursarbridge.assembly.hold_parts import violation_poster
from bursarbridge.assembly.names import BURSAR, PlaceOf, billing_flows, office_of
from bursarbridge.assembly.parking import violation_channels
from bursarbridge.config.billing import Billing
from bursarbridge.config.model import Settings
from bursarbridge.config.parking import ParkingSource, ViolationFiles
from bursarbridge.errors import Refused
from bursarbridge.flows.billing import BilledPoster
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.library import Flow
from bursarbridge.flows.submit import Leg
from bursarbridge.flows.violations import ViolationPoster
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.systems.parking.payments import RemittanceSettings, parking_payments
from bursarbridge.systems.peoplesoft.charges import ChargeDestination


def billing_flow(flow: str, settings: Settings, place: PlaceOf) -> Flow:
    """One of assembly.names.billing_flows on a campus. Raises Refused for another name."""
    office, billing = _office(flow, settings)
    to_bursar = bursar_outlet(settings, place)
    answered = () if settings.bursar.results is None else (answers(settings, settings.bursar.results, place),)
    name, prefix, zone = office.name, office.reference_prefix, settings.campus.timezone
    if flow == f"{name}-payments":
        to_office = _office_outlet(settings, office, billing, place)
        writer = parking_payments(RemittanceSettings(layout_of(settings, billing.imports.layout), billing.imports.name))
        leg = Leg(name, prefix, to_office.destination, writer, Kind.PAYMENT, Place.PAID, Place.SETTLED, zone)
        outlets = {to_office.destination: to_office}
        return Flow(flow, answered, (payments(settings, office, place),), leg, outlets, (to_bursar, to_office))
    guard = batch_guard(settings, flow)
    leg = Leg(name, prefix, BURSAR, ChargeDestination(charges_of(settings, office)), Kind.CHARGE, Place.SOURCE, Place.BURSAR, zone, guard)
    if flow == f"{name}-credits":
        leg = Leg(name, prefix, BURSAR, credits_of(settings, office), Kind.CREDIT, Place.WAIVED, Place.SETTLED, zone, guard)
    return Flow(flow, answered, _lists(settings, office, place, flow), leg, {BURSAR: to_bursar}, (to_bursar,))


def list_poster(settings: Settings, office: ParkingSource, files: ViolationFiles) -> BilledPoster | ViolationPoster:
    """What posts one kind of an office's lists: billed where the settings say so."""
    posted = violation_poster(settings, office, files)
    if office.billing is None:
        return posted
    return BilledPoster(posted, office.billing.user_types, tells_paid=any(meaning == "paid" for _, meaning in files.statuses))


def _office(flow: str, settings: Settings) -> tuple[ParkingSource, Billing]:
    for one in settings.parking_offices:
        if one.billing is not None and flow.rpartition("-")[0] == one.name and flow in billing_flows(settings):
            return one, one.billing
    known = ", ".join(billing_flows(settings)) or 'none, for no parking office has collect = "bill"'
    raise Refused(f'there is no flow "{flow}" of a parking office that bills; those that are: {known}')


def _lists(settings: Settings, office: ParkingSource, place: PlaceOf, flow: str) -> tuple[Channel, ...]:
    made = violation_channels(settings, office, place, partial(list_poster, settings, office))
    return tuple(_billed(settings, files, channel, flow) for files, channel in zip(office.violations, made, strict=True))


def _billed(settings: Settings, files: ViolationFiles, channel: Channel, flow: str) -> Channel:
    assert isinstance(channel.post, BilledPoster)
    return replace(channel, prepare=channel.post.decide_parked, guard=file_guard(settings, flow, whole=files.kind == "full"))


def _office_outlet(settings: Settings, office: ParkingSource, billing: Billing, place: PlaceOf) -> Outlet:
    where = billing.imports
    endpoint = place(office.connection, where.folder, "leave")
    return Outlet(office_of(settings, office.name), endpoint, where.expected_after, where.confirmed_by, where.assumed_after)
