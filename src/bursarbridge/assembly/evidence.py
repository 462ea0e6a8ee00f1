"""Where a campus's documents of ours may be found again, how their names and lines are read, and which files were inputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from string import Formatter

from bursarbridge.assembly.bursar import charges_of, credited_of, layout_of
from bursarbridge.assembly.library import library_flow
from bursarbridge.assembly.names import BURSAR, FLOWS, PlaceOf, TellerOf, office_of
from bursarbridge.config.model import AlmaSource, Settings
from bursarbridge.config.parking import ParkingSource
from bursarbridge.errors import Refused, Unreadable
from bursarbridge.exchange.disk import open_chunks
from bursarbridge.flows.collect import Channel
from bursarbridge.flows.evidence import Owner
from bursarbridge.formats.shape import Layout
from bursarbridge.ledger.entries import Kind
from bursarbridge.ledger.found import FoundLine
from bursarbridge.ledger.reference import number_in
from bursarbridge.systems.alma.listening import Header
from bursarbridge.systems.alma.payments import read_import
from bursarbridge.systems.parking.payments import told_in
from bursarbridge.systems.peoplesoft.charges import ChargeRow, charges_in

AWAY = ("done", "archive", "archived", "processed", "taken", "loaded")
"""Folders inside a place where files usually go when they were taken in; those that are not there are passed over."""

_FORMS = {"made_on": r"[0-9-]{8,10}", "made_at": r"[0-9TZ]{14,16}", "kind": r"[A-Z]{3}", "sequence": r"0*[0-9]+"}
_KINDS = {"CHG": Kind.CHARGE.value, "CRD": Kind.CREDIT.value}
_FLOW_OF = {Kind.CHARGE.value: "library-charges", Kind.CREDIT.value: "library-credits", Kind.PAYMENT.value: "library-payments"}


@dataclass(frozen=True)
class Shelf:
    """Documents of ours for one destination: where they are put, what they are called, and what stands in them."""

    destination: str
    connection: str
    folder: str
    name: re.Pattern[str]
    pattern: str
    """The same as a shell pattern."""
    kind: str
    """What its documents carry; "" where a document's name or lines tell."""
    lines: Callable[[Path], tuple[str, list[FoundLine]]] | None = None
    """A document's kind and lines, where they carry money. Raises Refused when it cannot be read."""
    flow: str = ""
    """The flow by whose outbox they leave; "" where the kind tells."""

    def sequence_in(self, name: str) -> tuple[int, str] | None:
        """The number and kind in a document's name, folder and ending left out or not; None when it is none of these."""
        match = self.name.fullmatch(name) or self.name.fullmatch(f"{name}.{self.pattern.rpartition('.')[2]}")
        if match is None:
            return None
        kind = _KINDS.get(match.groupdict().get("kind", ""), self.kind)
        return int(match["sequence"]), kind


def shelves_of(settings: Settings) -> list[Shelf]:
    """Every kind of document with money that these settings send."""
    made: dict[tuple[str, str], dict[Kind, Layout]] = {}
    for source in settings.sources.values():
        if isinstance(source, AlmaSource) or source.billing is not None:
            for kind, told in ((Kind.CHARGE, charges_of(settings, source)), (Kind.CREDIT, credited_of(settings, source))):
                made.setdefault((told.name, told.origin), {})[kind] = told.layout
    shelves = [_bursar_shelf(settings, name, origin, layouts) for (name, origin), layouts in made.items()]
    for library in settings.libraries:
        name = library.imports.name
        where = (library.name, library.connection, library.imports.folder)
        shelves.append(Shelf(*where, pattern_of(name, {}), glob_of(name), Kind.PAYMENT.value, _remitted(library.name)))
    for office in settings.parking_offices:
        if office.billing is not None:
            into = office.billing.imports
            read = _told_office(office.name, layout_of(settings, into.layout))
            place = (office_of(settings, office.name), office.connection, into.folder)
            shelves.append(Shelf(*place, pattern_of(into.name, {}), glob_of(into.name), Kind.PAYMENT.value, read, f"{office.name}-payments"))
    return shelves


def flow_of(settings: Settings, kind: str, source: str = "") -> str:
    """The flow whose outbox a document of money of that kind left by; a library's charges where nobody can tell."""
    if kind and isinstance(settings.sources.get(source), ParkingSource):
        return f"{source}-{kind}s"
    return _FLOW_OF.get(kind, _FLOW_OF[Kind.CHARGE.value])


def owners_of(settings: Settings) -> dict[str, Owner]:
    """Every source by its name, with the prefix of its references."""
    return {source.name: Owner(source.name, source.reference_prefix) for source in settings.sources.values()}


def channels_of(settings: Settings, place: PlaceOf, teller: TellerOf) -> list[tuple[Channel, str, bool]]:
    """Every channel once, with the source whose charges it may carry ("" for none) and whether it answers about our documents."""
    found: dict[str, tuple[Channel, str, bool]] = {}
    for name in FLOWS:
        flow = library_flow(name, settings, place, teller)
        for channel in flow.answers:
            found.setdefault(channel.name, (channel, "", True))
        for channel in flow.facts:
            owner = next((one for one in settings.sources if channel.name == f"{one}-export"), "")
            found.setdefault(channel.name, (channel, owner, False))
    return list(found.values())


def folders_of(settings: Settings) -> dict[str, tuple[str, str]]:
    """Connection and folder of every channel."""
    bursar = settings.bursar
    found = {f"{BURSAR}-payments": (bursar.connection, bursar.payments.folder)}
    if bursar.results is not None:
        found[f"{BURSAR}-results"] = (bursar.connection, bursar.results.folder)
    for source in settings.libraries:
        found[f"{source.name}-export"] = (source.connection, source.export.folder)
        if source.credits_export is not None:
            found[f"{source.name}-credits"] = (source.connection, source.credits_export.folder)
    return found


def _bursar_shelf(settings: Settings, name: str, origin: str, layouts: Mapping[Kind, Layout]) -> Shelf:
    bursar = settings.bursar
    constants = {"business_unit": bursar.business_unit, "origin": origin}
    kind = "" if len(layouts) > 1 else next(iter(layouts)).value  # charges and credits may share their names: then the lines tell
    read = _billed(settings, tuple(dict.fromkeys(layouts.values())))
    return Shelf(BURSAR, bursar.connection, bursar.charges.folder, pattern_of(name, constants), glob_of(name), kind, read)


def pattern_of(template: str, constants: Mapping[str, str]) -> re.Pattern[str]:
    """A name template as an expression; the running number and the kind are groups."""
    parts = []
    for literal, word, _form, _turn in Formatter().parse(template):
        parts.append(re.escape(literal))
        if word is None:
            continue
        form = re.escape(constants[word]) if word in constants else _FORMS.get(word, "[A-Za-z0-9]+")
        parts.append(f"(?P<{word}>{form})" if word in ("sequence", "kind") and f"(?P<{word}>" not in "".join(parts) else f"(?:{form})")
    return re.compile("".join(parts), re.ASCII)


def glob_of(template: str) -> str:
    """A name template as a shell pattern."""
    return "".join(literal + ("*" if word is not None else "") for literal, word, _form, _turn in Formatter().parse(template))


def _billed(settings: Settings, layouts: tuple[Layout, ...]) -> Callable[[Path], tuple[str, list[FoundLine]]]:
    """Reads a charge or credit file of ours: in the layout it was written in, the first that fits."""

    def read(path: Path) -> tuple[str, list[FoundLine]]:
        reasons = []
        for layout in layouts:
            try:
                return _kind_and_lines(settings, list(charges_in(layout, open_chunks(path))))
            except Unreadable as error:
                reasons.append(str(error))
        raise Refused(f"{path.name[:16]} is no file of layout {' or '.join(one.name for one in layouts)}: {'; '.join(reasons)}")

    return read


def _kind_and_lines(settings: Settings, rows: Iterable[ChargeRow]) -> tuple[str, list[FoundLine]]:
    types = [(one.source, one.category, one.charge, one.credit) for one in settings.bursar.item_types]
    charged = {charge: (source, category) for source, category, charge, _credit in types}
    credited = {credit: (source, category) for source, category, _charge, credit in types if credit not in charged}
    prefixes = {source.reference_prefix: source.name for source in settings.sources.values()}
    lines, reversed_ones = [], 0
    for row in rows:
        reversed_ones += row.direction == Kind.CREDIT or row.cents < 0 or row.item_type in credited
        source, category = charged.get(row.item_type) or credited.get(row.item_type) or (next(iter(settings.sources)), "")
        named = next(((name, number) for prefix, name in prefixes.items() if (number := _number(prefix, row.reference))), (source, 0))
        lines.append(FoundLine(named[0], named[1], "", row.account, category, abs(row.cents)))
    return (Kind.CREDIT if reversed_ones else Kind.CHARGE).value, lines


def _number(prefix: str, reference: str) -> int:
    try:
        return number_in(prefix, reference.strip())
    except Unreadable:
        return 0


def _remitted(source: str) -> Callable[[Path], tuple[str, list[FoundLine]]]:
    def read(path: Path) -> tuple[str, list[FoundLine]]:
        try:
            rows = list(read_import(open_chunks(path), Header()))
        except Unreadable as error:
            raise Refused(f"{path.name[:16]} is no payment file for {source}: {error}") from error
        return Kind.PAYMENT.value, [FoundLine(source, 0, one.reference, one.account, "", one.cents) for one in rows]

    return read


def _told_office(office: str, layout: Layout) -> Callable[[Path], tuple[str, list[FoundLine]]]:
    def read(path: Path) -> tuple[str, list[FoundLine]]:
        try:
            rows = list(told_in(layout, open_chunks(path)))
        except Unreadable as error:
            raise Refused(f"{path.name[:16]} is no payment file for the {office} office: {error}") from error
        return Kind.PAYMENT.value, [FoundLine(office, 0, one.source_reference.strip(), one.account.strip(), "", one.amount) for one in rows]

    return read


def patterns_of(channel: Channel) -> Iterator[str]:
    """How the channel's files may be called where they were put away: under their names, or numbered where a name was taken."""
    return chain(channel.patterns, (f"{one}.[0-9]*" for one in channel.patterns))
