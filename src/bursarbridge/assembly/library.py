"""The flows of a library: exports in, charges and credits out, payments back, returned items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from bursarbridge.assembly.bursar import answers, bursar_outlet, charges_of, clear_of, credits_of, payments
from bursarbridge.assembly.guards import batch_guard, file_guard
from bursarbridge.assembly.names import BURSAR, FLOWS, SECRET_MIN, DeskOf, PlaceOf, TellerOf, Times
from bursarbridge.assembly.reading import records_in
from bursarbridge.config.model import AlmaSource, Api, Returns, Settings, Webhooks
from bursarbridge.errors import Refused
from bursarbridge.exchange.http import WebAddress, WebPlace
from bursarbridge.exchange.pace import Pace
from bursarbridge.flows.announced import Announced, counted
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.credits import LibraryPoster
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.desk import Returning
from bursarbridge.flows.library import Flow
from bursarbridge.flows.returns import ReturnsFlow
from bursarbridge.flows.submit import Leg
from bursarbridge.flows.tell import Telling
from bursarbridge.ledger.crediting import CreditRules
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ports.calls import LibraryDesk, Listener, Notice, Send
from bursarbridge.systems.alma.allowance import Allowance
from bursarbridge.systems.alma.client import AlmaApi
from bursarbridge.systems.alma.export import ExportReader, ExportSettings
from bursarbridge.systems.alma.payments import PaymentDestination, PaymentSettings
from bursarbridge.systems.alma.webhooks import AlmaListener
from bursarbridge.systems.peoplesoft.charges import ChargeDestination


def library_flow(name: str, settings: Settings, place: PlaceOf, teller: TellerOf | None = None) -> Flow:
    """One of FLOWS on a campus; `teller` is for sources that are told of payments by API. Raises Refused for another name."""
    if name not in FLOWS:
        raise Refused(f'there is no flow "{name}"; the flows are {", ".join(FLOWS[:-1])} and {FLOWS[-1]}')
    source = _library(settings)
    to_bursar = bursar_outlet(settings, place)
    answered = () if settings.bursar.results is None else (answers(settings, settings.bursar.results, place),)
    zone = settings.campus.timezone
    if name == "library-charges":
        charges = ChargeDestination(charges_of(settings, source))
        guard = batch_guard(settings, name)
        leg = Leg(source.name, source.reference_prefix, BURSAR, charges, Kind.CHARGE, Place.SOURCE, Place.BURSAR, zone, guard)
        return Flow(name, answered, (_export(settings, source, place, name),), leg, {BURSAR: to_bursar}, (to_bursar,))
    if name == "library-credits":
        guard = batch_guard(settings, name)
        credits_out = credits_of(settings, source)
        leg = Leg(source.name, source.reference_prefix, BURSAR, credits_out, Kind.CREDIT, Place.WAIVED, Place.SETTLED, zone, guard)
        return Flow(name, answered, _exports(settings, source, place, name), leg, {BURSAR: to_bursar}, (to_bursar,))
    outlet = _source_outlet(source, place)
    writer = PaymentDestination(PaymentSettings(source.imports.name, source.timezone))
    leg = Leg(source.name, source.reference_prefix, source.name, writer, Kind.PAYMENT, Place.PAID, Place.SETTLED, zone)
    if source.payments_by == "api":
        assert teller is not None, "a source that is told by API needs a teller"
        telling = Telling(source.name, teller(source.name), source.imports.expected_after)
        return Flow(name, answered, (payments(settings, source, place),), leg, {}, (to_bursar,), telling)
    return Flow(name, answered, (payments(settings, source, place),), leg, {source.name: outlet}, (to_bursar, outlet))


def returns_flow(settings: Settings, desk_of: DeskOf) -> ReturnsFlow:
    """library-returns on a campus, with the desk that speaks for its library."""
    source = _library(settings)
    desk = desk_of(source)
    heard = source.webhooks
    read = AlmaListener(()).notice
    return ReturnsFlow(
        source=source.name,
        read=read,
        events=heard.returned_events if heard else (),
        institution=source.institution,
        listening=heard is not None,
        returning=_returning(source.name, source.returns, desk) if source.returns and desk else None,
        announced=_announced(settings, source, heard, read) if heard else None,
        unable="the library cannot be asked: the settings name no way to call it" if source.returns and not desk else "",
    )


def listeners(settings: Settings) -> dict[str, Listener]:
    """Who hears the calls of each source that makes some. Raises Refused when a secret is missing or too short to be one."""
    made: dict[str, Listener] = {}
    for source in settings.libraries:
        if source.webhooks:
            secrets = tuple(one.value().encode() for one in source.webhooks.secrets)
            short = [one.reference for one, secret in zip(source.webhooks.secrets, secrets, strict=True) if len(secret) < SECRET_MIN]
            if short:
                raise Refused(f"the webhook secret {', '.join(short)} has fewer than {SECRET_MIN} characters: anyone could guess it")
            made[source.name] = AlmaListener(secrets)
    return made


def alma_api(api: Api, send: Send, times: Times) -> AlmaApi:
    """A source's API client over what sends to its base: paced, with the reserve of the settings, fresh for one run."""
    return AlmaApi(Pace(send, api.per_second, times.clock, times.wait), api.base, Allowance(api.reserve, times.clock), times.wait, times.spread)


def web_place(settings: Settings, api: Api, clock: Callable[[], float]) -> WebPlace:
    """The door to an API. Reads the key; raises Refused when it cannot be had."""
    sandbox = settings.campus.environment == "sandbox"
    return WebPlace(WebAddress(api.base, f"apikey {api.key.value()}", api.timeout.total_seconds(), loopback_only=sandbox), clock)


def _library(settings: Settings) -> AlmaSource:
    if len(settings.libraries) != 1:
        raise Refused(
            f"this version carries one library; the settings name {len(settings.libraries)}: keep one section of adapter alma under [sources]"
        )
    return settings.libraries[0]


def _returning(source: str, decided: Returns, desk: LibraryDesk) -> Returning:
    return Returning(source, desk, decided.lost_fee_types, decided.waive_reason, decided.most, decided.ask_after, decided.patience)


def _announced(settings: Settings, source: AlmaSource, heard: Webhooks, read: Callable[[bytes], Notice]) -> Announced:
    def accounts(path: Path) -> Iterator[str]:
        for record in records_in(partial(ExportReader, export_settings(settings, source)), path):
            yield record.account

    return Announced(source.name, f"{source.name}-export", heard.export_job, heard.file_within, lambda path: counted(accounts(path)), read)


def library_poster(source: AlmaSource) -> LibraryPoster:
    """What posts a library's facts: fees, and credits against them."""
    return LibraryPoster(source.name, source.reference_prefix, CreditRules(source.full_waive_only, source.echo_comments))


def _exports(settings: Settings, source: AlmaSource, place: PlaceOf, flow: str) -> tuple[Channel, ...]:
    """Fees first, so that a credit finds its charge; then the credits of a profile of their own, where there is one (alma.md 1.2)."""
    if source.credits_export is None:
        return (_export(settings, source, place, flow),)
    own = _export(settings, replace(source, export=source.credits_export), place, flow)
    return (_export(settings, source, place, flow), replace(own, name=f"{source.name}-credits"))


def _export(settings: Settings, source: AlmaSource, place: PlaceOf, flow: str) -> Channel:
    where = source.export
    poster = library_poster(source)
    return Channel(
        name=f"{source.name}-export",
        endpoint=place(source.connection, where.folder, clear_of(where.clear)),
        patterns=where.files,
        excluded=where.excluded,
        settle_seconds=where.settle.total_seconds(),
        as_of=None,
        zone=settings.campus.timezone,
        records=partial(records_in, partial(ExportReader, export_settings(settings, source))),
        post=poster,
        prepare=poster.decide_parked,
        guard=file_guard(settings, flow),
    )


def export_settings(settings: Settings, source: AlmaSource) -> ExportSettings:
    """What the settings say of a library's export."""
    pattern = settings.identity.student_id.pattern
    return ExportSettings(source.identifier_types, pattern, source.currency, source.amount_max_cents, source.institution)


def _source_outlet(source: AlmaSource, place: PlaceOf) -> Outlet:
    where = source.imports
    return Outlet(source.name, place(source.connection, where.folder, "leave"), where.expected_after, where.confirmed_by, where.assumed_after)
