"""Kept records, decided again with today's settings."""

from __future__ import annotations

from bursarbridge.assembly.billing import list_poster
from bursarbridge.assembly.bursar import layout_of
from bursarbridge.assembly.library import export_settings, library_poster
from bursarbridge.assembly.names import BURSAR, Poster
from bursarbridge.assembly.parking import channel_name, violation_form
from bursarbridge.config.model import Settings
from bursarbridge.errors import Refused, Unreadable
from bursarbridge.ledger.facts import Fact
from bursarbridge.ports import Reader, Rejected
from bursarbridge.systems.alma.export import ExportReader
from bursarbridge.systems.parking.violations import ViolationReader
from bursarbridge.systems.peoplesoft.indicators import IndicatorReader
from bursarbridge.systems.peoplesoft.payments import PaymentReader
from bursarbridge.systems.peoplesoft.results import ResultReader


def reader_of(settings: Settings, channel: str) -> Reader:
    """The reader of a channel by its name, for records that are decided again. Raises Refused when the settings no longer name it."""
    bursar = settings.bursar
    for source in settings.libraries:
        if channel in (f"{source.name}-export", f"{source.name}-credits"):
            return ExportReader(export_settings(settings, source))
    for office in settings.parking_offices:
        for files in office.violations:
            if channel == channel_name(office, files.kind):
                return ViolationReader(violation_form(settings, office, files))
    for one in settings.holds:
        if channel == f"{one.name}-indicators" and one.snapshot is not None:
            return IndicatorReader(layout_of(settings, one.snapshot.layout))
    if channel == f"{BURSAR}-payments":
        return PaymentReader(layout_of(settings, bursar.payments.layout))
    if channel == f"{BURSAR}-results" and bursar.results is not None:
        return ResultReader(layout_of(settings, bursar.results.layout))
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
    for source in settings.libraries:
        if channel in (f"{source.name}-export", f"{source.name}-credits"):
            return library_poster(source)
    for office in settings.parking_offices:
        for files in office.violations:
            if channel == channel_name(office, files.kind):
                return list_poster(settings, office, files)
    raise Refused(f'records of "{channel}" are decided again when their file comes again')
