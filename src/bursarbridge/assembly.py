"""Settings to flows: which adapter reads and writes what, at which place. Builds, and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from bursarbridge.apart import LARGE_BYTES, read_apart
from bursarbridge.config.model import AlmaSource, PaymentReports, PeopleSoftBursar, Results, Settings
from bursarbridge.errors import Refused, Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.credits import LibraryPoster
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.library import Flow
from bursarbridge.flows.posters import AnswerPoster, PaymentPoster, retry_parked
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.submit import Leg
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.formats.shape import Layout
from bursarbridge.ledger.crediting import CreditRules
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.facts import Fact
from bursarbridge.ports import Endpoint, Reader, Rejected, read
from bursarbridge.systems.alma.export import ExportReader, ExportSettings
from bursarbridge.systems.alma.payments import PaymentDestination, PaymentSettings
from bursarbridge.systems.peoplesoft.charges import ChargeDestination
from bursarbridge.systems.peoplesoft.credits import CreditDestination
from bursarbridge.systems.peoplesoft.payments import PaymentReader
from bursarbridge.systems.peoplesoft.reasons import reason_of
from bursarbridge.systems.peoplesoft.results import ResultReader
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, CreditAs, DueKind, DueRule, ItemType, Term, TermBy

FLOWS = ("library-charges", "library-payments", "library-credits")
BURSAR = "bursar"
"""The destination of everything that goes to the student account system."""

PlaceOf = Callable[[str, str, Clear], Endpoint]
"""Connection, folder and way of clearing to an endpoint."""

Poster = Callable[[Reading, Iterator[Fact]], None]


def library_flow(name: str, settings: Settings, place: PlaceOf) -> Flow:
    """One of FLOWS on a campus. Raises Refused for another name."""
    if name not in FLOWS:
        raise Refused(f'there is no flow "{name}"; the flows are {", ".join(FLOWS[:-1])} and {FLOWS[-1]}')
    sources = list(settings.sources.values())
    if len(sources) != 1:
        raise Refused(f"this version carries one library; the settings name {len(sources)}: keep one section under [sources]")
    source = sources[0]
    bursar_outlet = _bursar_outlet(settings, place)
    answers = () if settings.bursar.results is None else (_answers(settings, settings.bursar.results, place),)
    zone = settings.campus.timezone
    if name == "library-charges":
        charges = ChargeDestination(_charges(settings, source))
        leg = Leg(source.name, source.reference_prefix, BURSAR, charges, Kind.CHARGE, Place.SOURCE, Place.BURSAR, zone)
        return Flow(name, answers, (_export(settings, source, place),), leg, {BURSAR: bursar_outlet}, (bursar_outlet,))
    if name == "library-credits":
        leg = Leg(source.name, source.reference_prefix, BURSAR, _credits(settings, source), Kind.CREDIT, Place.WAIVED, Place.SETTLED, zone)
        return Flow(name, answers, _exports(settings, source, place), leg, {BURSAR: bursar_outlet}, (bursar_outlet,))
    outlet = _source_outlet(source, place)
    writer = PaymentDestination(PaymentSettings(source.imports.name, source.timezone))
    leg = Leg(source.name, source.reference_prefix, source.name, writer, Kind.PAYMENT, Place.PAID, Place.SETTLED, zone)
    return Flow(name, answers, (_payments(settings, source, place),), leg, {source.name: outlet}, (bursar_outlet, outlet))


def records_in(make: Callable[[], Reader], path: Path) -> Iterator[Fact | Rejected]:
    """The records of a kept file, streamed; a large one is read in a process of its own."""
    return read_apart(make, path) if path.stat().st_size >= LARGE_BYTES else read(make(), open_chunks(path))


def reader_of(settings: Settings, channel: str) -> Reader:
    """The reader of a channel by its name, for records that are decided again. Raises Refused when the settings no longer name it."""
    bursar = settings.bursar
    for source in settings.sources.values():
        if channel in (f"{source.name}-export", f"{source.name}-credits"):
            return ExportReader(_export_settings(settings, source))
    if channel == f"{BURSAR}-payments":
        return PaymentReader(_layout(settings, bursar.payments.layout))
    if channel == f"{BURSAR}-results" and bursar.results is not None:
        return ResultReader(_layout(settings, bursar.results.layout))
    raise Refused(f'the settings no longer name a channel "{channel}"')


def revive(settings: Settings, channel: str, raw: str) -> Fact | Rejected:
    """What a kept record says with today's settings."""
    reader = reader_of(settings, channel)
    record = reader.revived(raw)
    try:
        return reader.fact(record)
    except Unreadable as error:
        return reader.rejected(record, error)


def record_poster(settings: Settings, channel: str) -> Poster:
    """What posts a single fact of a channel. Raises Refused for a channel whose records are not decided one by one."""
    for source in settings.sources.values():
        if channel in (f"{source.name}-export", f"{source.name}-credits"):
            return _library_poster(source)
    raise Refused(f'records of "{channel}" are decided again when their file comes again')


def _library_poster(source: AlmaSource) -> LibraryPoster:
    return LibraryPoster(source.name, source.reference_prefix, CreditRules(source.full_waive_only, source.echo_comments))


def _exports(settings: Settings, source: AlmaSource, place: PlaceOf) -> tuple[Channel, ...]:
    """Fees first, so that a credit finds its charge; then the credits of a profile of their own, where there is one (alma.md 1.2)."""
    if source.credits_export is None:
        return (_export(settings, source, place),)
    own = _export(settings, replace(source, export=source.credits_export), place)
    return (_export(settings, source, place), replace(own, name=f"{source.name}-credits"))


def _export(settings: Settings, source: AlmaSource, place: PlaceOf) -> Channel:
    where = source.export
    poster = _library_poster(source)
    return Channel(
        name=f"{source.name}-export",
        endpoint=place(source.connection, where.folder, _clear(where.clear)),
        patterns=where.files,
        excluded=where.excluded,
        settle_seconds=where.settle.total_seconds(),
        as_of=None,
        zone=settings.campus.timezone,
        records=partial(records_in, partial(ExportReader, _export_settings(settings, source))),
        post=poster,
        prepare=poster.decide_parked,
    )


def _export_settings(settings: Settings, source: AlmaSource) -> ExportSettings:
    pattern = settings.identity.student_id.pattern
    return ExportSettings(source.identifier_types, pattern, source.currency, source.amount_max_cents, source.institution)


def _answers(settings: Settings, where: Results, place: PlaceOf) -> Channel:
    layout = _layout(settings, where.layout)
    return Channel(
        name=f"{BURSAR}-results",
        endpoint=place(settings.bursar.connection, where.folder, _clear(where.clear)),
        patterns=where.files,
        excluded=where.excluded,
        settle_seconds=where.settle.total_seconds(),
        as_of=settings.bursar.payments.as_of,
        zone=settings.campus.timezone,
        records=partial(records_in, partial(ResultReader, layout)),
        post=AnswerPoster(tuple(source.reference_prefix for source in settings.sources.values()), _explained),
    )


def _explained(text: str) -> tuple[str, str, bool]:
    reason = reason_of(text)
    return reason.code, f"{reason.text.strip() or 'no reason given'} ({reason.meaning}; {reason.cure})", reason.warning


def _payments(settings: Settings, source: AlmaSource, place: PlaceOf) -> Channel:
    where: PaymentReports = settings.bursar.payments
    layout = _layout(settings, where.layout)
    name = f"{BURSAR}-payments"
    ours = where.match == "reference"
    poster = PaymentPoster(
        {one.name: one.reference_prefix for one in settings.sources.values()},
        "" if ours else source.name,
        where.kind == "cumulative",
        where.period_begins if where.kind == "cumulative" else "",
    )
    return Channel(
        name=name,
        endpoint=place(settings.bursar.connection, where.folder, _clear(where.clear)),
        patterns=where.files,
        excluded=where.excluded,
        settle_seconds=where.settle.total_seconds(),
        as_of=where.as_of,
        zone=settings.campus.timezone,
        records=partial(records_in, partial(PaymentReader, layout)),
        post=poster,
        statements=True,
        prepare=partial(retry_parked, name),
    )


def _charges(settings: Settings, source: AlmaSource) -> ChargeSettings:
    bursar = settings.bursar
    return ChargeSettings(
        business_unit=bursar.business_unit,
        origin=bursar.origin,
        account_type=bursar.account_type,
        department=bursar.department,
        layout=_layout(settings, bursar.charges.layout),
        name=bursar.charges.name,
        item_types=_item_types(bursar, source),
        terms=tuple(Term(one.code, one.from_on.isoformat(), one.to_on.isoformat()) for one in bursar.terms),
        due_rules=tuple(DueRule(one.from_on.isoformat(), DueKind(one.rule), one.days or one.day) for one in bursar.due_dates),
        term_by=TermBy(bursar.charges.term_by),
        amount_max_cents=bursar.charges.amount_max_cents,
        description=bursar.charges.description,
    )


def _credits(settings: Settings, source: AlmaSource) -> CreditDestination:
    charges, own = _charges(settings, source), settings.bursar.credits
    if own is None:
        return CreditDestination(charges)
    layout = _layout(settings, own.layout) if own.layout else charges.layout
    return CreditDestination(replace(charges, layout=layout, name=own.name or charges.name, description=own.description or charges.description))


def _item_types(bursar: PeopleSoftBursar, source: AlmaSource) -> tuple[ItemType, ...]:
    return tuple(
        ItemType(
            one.category,
            one.label,
            one.charge,
            one.credit,
            one.from_on.isoformat(),
            "" if one.to_on == date.max else one.to_on.isoformat(),
            CreditAs(one.credit_as),
        )
        for one in bursar.item_types
        if one.source == source.name
    )


def _bursar_outlet(settings: Settings, place: PlaceOf) -> Outlet:
    charges = settings.bursar.charges
    endpoint = place(settings.bursar.connection, charges.folder, "leave")
    return Outlet(BURSAR, endpoint, charges.expected_after, charges.confirmed_by, charges.assumed_after)


def _source_outlet(source: AlmaSource, place: PlaceOf) -> Outlet:
    where = source.imports
    return Outlet(source.name, place(source.connection, where.folder, "leave"), where.expected_after, where.confirmed_by, where.assumed_after)


def _layout(settings: Settings, name: str) -> Layout:
    if not name.startswith("file:"):
        return shipped(name)
    path = settings.file.parent / name.removeprefix("file:")
    return layout_from_toml(path.read_text("utf-8"), path.name)


def _clear(word: str) -> Clear:
    return "delete" if word == "delete" else "leave" if word == "leave" else "move"
