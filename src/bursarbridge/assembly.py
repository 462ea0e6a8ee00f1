"""Settings to flows: which adapter reads and writes what, at which place. Builds, and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bursarbridge.apart import LARGE_BYTES, read_apart
from bursarbridge.config.model import AlmaSource, Api, PaymentReports, PeopleSoftBursar, Results, Returns, Settings, Webhooks
from bursarbridge.errors import Refused, Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.exchange.http import WebAddress, WebPlace
from bursarbridge.exchange.pace import Pace
from bursarbridge.flows import reports
from bursarbridge.flows.announced import Announced, counted
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.credits import LibraryPoster
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.desk import Returning
from bursarbridge.flows.letter import Addressed, mail_of
from bursarbridge.flows.library import Flow
from bursarbridge.flows.posters import AnswerPoster, PaymentPoster, retry_parked
from bursarbridge.flows.reading import Reading
from bursarbridge.flows.report import Frame, Report
from bursarbridge.flows.returns import ReturnsFlow, still_charged
from bursarbridge.flows.submit import Leg
from bursarbridge.flows.tell import Teller, Telling
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.formats.shape import Layout
from bursarbridge.ledger.crediting import CreditRules
from bursarbridge.ledger.entries import Kind, Place
from bursarbridge.ledger.facts import Fact
from bursarbridge.ledger.still_charged import StillCharged
from bursarbridge.ports import Endpoint, LibraryDesk, Listener, Notice, Reader, Rejected, Send, read
from bursarbridge.store import views
from bursarbridge.store.books import Books
from bursarbridge.systems.alma.allowance import Allowance
from bursarbridge.systems.alma.client import AlmaApi
from bursarbridge.systems.alma.export import ExportReader, ExportSettings
from bursarbridge.systems.alma.payments import PaymentDestination, PaymentSettings
from bursarbridge.systems.alma.webhooks import AlmaListener
from bursarbridge.systems.peoplesoft.charges import ChargeDestination
from bursarbridge.systems.peoplesoft.credits import CreditDestination
from bursarbridge.systems.peoplesoft.payments import PaymentReader
from bursarbridge.systems.peoplesoft.reasons import reason_of
from bursarbridge.systems.peoplesoft.results import ResultReader
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, CreditAs, DueKind, DueRule, ItemType, Term, TermBy

FLOWS = ("library-charges", "library-payments", "library-credits")
"""The flows that carry files."""
RETURNS = "library-returns"
ALL_FLOWS = (*FLOWS, RETURNS)
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


def library_flow(name: str, settings: Settings, place: PlaceOf, teller: TellerOf | None = None) -> Flow:
    """One of FLOWS on a campus; `teller` is for sources that are told of payments by API. Raises Refused for another name."""
    if name not in FLOWS:
        raise Refused(f'there is no flow "{name}"; the flows are {", ".join(FLOWS[:-1])} and {FLOWS[-1]}')
    source = _library(settings)
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
    if source.payments_by == "api":
        assert teller is not None, "a source that is told by API needs a teller"
        telling = Telling(source.name, teller(source.name), source.imports.expected_after)
        return Flow(name, answers, (_payments(settings, source, place),), leg, {}, (bursar_outlet,), telling)
    return Flow(name, answers, (_payments(settings, source, place),), leg, {source.name: outlet}, (bursar_outlet, outlet))


def report_of(name: str, settings: Settings, books: Books, returned: Returned | None, library: str = "") -> tuple[Report, Frame]:
    """One of flows.reports.NAMES as of the books' instant, with as much about people as the settings let it say. Raises Refused for another name."""
    mail = next((one for one in settings.reports if one.name == name), None)
    frame = Frame(settings.campus.name, settings.campus.timezone, books.now, settings.campus.environment == "sandbox")
    if mail is not None:
        frame = replace(frame, pii=mail.pii, titles=mail.titles == "shown")
    if name == reports.LATE:
        return reports.late(views.batches(books, only_open=True), frame), frame
    if name == reports.EXCEPTIONS:
        return reports.exceptions(views.items(books), frame), frame
    if name != reports.RETURNED:
        raise Refused(f'there is no report "{name}"; the reports are {", ".join(reports.NAMES)}')
    if returned is None or not any(source.returns for source in settings.sources.values()):
        raise Refused("these settings follow no returned items, so nobody knows what came back and is still charged")
    return reports.returned_but_still_charged(returned(books), frame, library), frame


def letters_of(name: str, settings: Settings, books: Books, returned: Returned | None, once: str) -> Iterator[Addressed]:
    """A report's mails: one for everybody, and one for each campus library that has readers of its own. `once` marks what is mailed once only."""
    mail = next((one for one in settings.reports if one.name == name), None)
    if mail is None or settings.mail is None:
        raise Refused(f"nobody gets the report {name}: add [mail] and [reports.{name}] to the settings (docs/reports.md)")
    for library, readers in (("", mail.to), *mail.to_by_library):
        if readers:
            report, frame = report_of(name, settings, books, returned, library)
            yield Addressed(name, f"{name}:{library}:{once}", readers, mail_of(report, frame, attach=mail.attach))


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


def returned_items(settings: Settings, books: Books) -> StillCharged:
    """What came back and is still charged, of every library that follows returns."""
    found = StillCharged()
    labels = {(one.source, one.category): one.label for one in settings.bursar.item_types}
    for source in settings.sources.values():
        if source.returns:
            named = {category: label for (owner, category), label in labels.items() if owner == source.name}
            one = still_charged(books, source.name, named, settings.campus.timezone, source.returns.patience)
            found = StillCharged(found.waive + one.waive, found.refund + one.refund, found.in_flight + one.in_flight)
    return found


def listeners(settings: Settings) -> dict[str, Listener]:
    """Who hears the calls of each source that makes some. Raises Refused when a secret is missing or too short to be one."""
    made: dict[str, Listener] = {}
    for source in settings.sources.values():
        if source.webhooks:
            secrets = tuple(one.value().encode() for one in source.webhooks.secrets)
            short = [one.reference for one, secret in zip(source.webhooks.secrets, secrets, strict=True) if len(secret) < SECRET_MIN]
            if short:
                raise Refused(f"the webhook secret {', '.join(short)} has fewer than {SECRET_MIN} characters: anyone could guess it")
            made[source.name] = AlmaListener(secrets)
    return made


def _library(settings: Settings) -> AlmaSource:
    sources = list(settings.sources.values())
    if len(sources) != 1:
        raise Refused(f"this version carries one library; the settings name {len(sources)}: keep one section under [sources]")
    return sources[0]


def _returning(source: str, decided: Returns, desk: LibraryDesk) -> Returning:
    return Returning(source, desk, decided.lost_fee_types, decided.waive_reason, decided.most, decided.ask_after, decided.patience)


def _announced(settings: Settings, source: AlmaSource, heard: Webhooks, read: Callable[[bytes], Notice]) -> Announced:
    def accounts(path: Path) -> Iterator[str]:
        for record in records_in(partial(ExportReader, _export_settings(settings, source)), path):
            yield record.account

    return Announced(source.name, f"{source.name}-export", heard.export_job, heard.file_within, lambda path: counted(accounts(path)), read)


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


def alma_api(api: Api, send: Send, times: Times) -> AlmaApi:
    """A source's API client over what sends to its base: paced, with the reserve of the settings, fresh for one run."""
    return AlmaApi(Pace(send, api.per_second, times.clock, times.wait), api.base, Allowance(api.reserve, times.clock), times.wait, times.spread)


def web_place(settings: Settings, api: Api, clock: Callable[[], float]) -> WebPlace:
    """The door to an API. Reads the key; raises Refused when it cannot be had."""
    sandbox = settings.campus.environment == "sandbox"
    return WebPlace(WebAddress(api.base, f"apikey {api.key.value()}", api.timeout.total_seconds(), loopback_only=sandbox), clock)
