"""What the bursar's half of the settings says: layouts, codes, places, and the channels its files come through."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

from bursarbridge.assembly.names import BURSAR, PlaceOf
from bursarbridge.assembly.reading import records_in
from bursarbridge.config.model import AlmaSource, PaymentReports, PeopleSoftBursar, Results, Settings, Source
from bursarbridge.exchange.endpoint import Clear
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.deliver import Outlet
from bursarbridge.flows.posters import AnswerPoster, PaymentPoster, retry_parked
from bursarbridge.formats.layout import layout_from_toml, shipped
from bursarbridge.formats.shape import Layout
from bursarbridge.systems.peoplesoft.credits import CreditDestination
from bursarbridge.systems.peoplesoft.payments import PaymentReader
from bursarbridge.systems.peoplesoft.reasons import reason_of
from bursarbridge.systems.peoplesoft.results import ResultReader
from bursarbridge.systems.peoplesoft.settings import ChargeSettings, CreditAs, DueKind, DueRule, ItemType, Term, TermBy


def bursar_outlet(settings: Settings, place: PlaceOf) -> Outlet:
    """Where charge and credit files go."""
    charges = settings.bursar.charges
    endpoint = place(settings.bursar.connection, charges.folder, "leave")
    return Outlet(BURSAR, endpoint, charges.expected_after, charges.confirmed_by, charges.assumed_after)


def answers(settings: Settings, where: Results, place: PlaceOf) -> Channel:
    """The channel of the bursar's posting results."""
    layout = layout_of(settings, where.layout)
    return Channel(
        name=f"{BURSAR}-results",
        endpoint=place(settings.bursar.connection, where.folder, clear_of(where.clear)),
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


def payments(settings: Settings, source: Source, place: PlaceOf) -> Channel:
    """The channel of the bursar's payment reports. All flows that read it post what is every source's, so that each file is read once."""
    where: PaymentReports = settings.bursar.payments
    layout = layout_of(settings, where.layout)
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
        endpoint=place(settings.bursar.connection, where.folder, clear_of(where.clear)),
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


def charges_of(settings: Settings, source: Source) -> ChargeSettings:
    """What the settings say of a source's charges."""
    bursar = settings.bursar
    own = None if isinstance(source, AlmaSource) else source.billing
    return ChargeSettings(
        business_unit=bursar.business_unit,
        origin=(own and own.origin) or bursar.origin,
        account_type=bursar.account_type,
        department=bursar.department,
        layout=layout_of(settings, bursar.charges.layout),
        name=(own and own.name) or bursar.charges.name,
        item_types=_item_types(bursar, source),
        terms=tuple(Term(one.code, one.from_on.isoformat(), one.to_on.isoformat()) for one in bursar.terms),
        due_rules=tuple(DueRule(one.from_on.isoformat(), DueKind(one.rule), one.days or one.day) for one in bursar.due_dates),
        term_by=TermBy(bursar.charges.term_by),
        amount_max_cents=bursar.charges.amount_max_cents,
        description=bursar.charges.description,
    )


def credits_of(settings: Settings, source: Source) -> CreditDestination:
    """Where a source's credits go."""
    return CreditDestination(credited_of(settings, source))


def credited_of(settings: Settings, source: Source) -> ChargeSettings:
    """What the settings say of a source's credits, which is as for charges where nothing else is said."""
    charges, own = charges_of(settings, source), settings.bursar.credits
    if own is None:
        return charges
    layout = layout_of(settings, own.layout) if own.layout else charges.layout
    # An office with a name of its own for its files has it for its credits too.
    name = charges.name if charges.name != settings.bursar.charges.name else own.name or charges.name
    return replace(charges, layout=layout, name=name, description=own.description or charges.description)


def _item_types(bursar: PeopleSoftBursar, source: Source) -> tuple[ItemType, ...]:
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


def layout_of(settings: Settings, name: str) -> Layout:
    """A layout by its name in the settings: shipped, or a file of the campus's own."""
    if not name.startswith("file:"):
        return shipped(name)
    path = settings.file.parent / name.removeprefix("file:")
    return layout_from_toml(path.read_text("utf-8"), path.name)


def clear_of(word: str) -> Clear:
    """A word of the settings as the way of clearing it names."""
    return "delete" if word == "delete" else "leave" if word == "leave" else "move"
