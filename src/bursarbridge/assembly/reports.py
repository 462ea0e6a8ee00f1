"""Reports and their mails, as the settings wish them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bursarbridge.assembly.names import Returned, hold_flows
from bursarbridge.config.model import Settings
from bursarbridge.errors import Refused
from bursarbridge.flows import reports
from bursarbridge.flows.held import HELD, held_report
from bursarbridge.flows.hold_report import HOLDS
from bursarbridge.flows.letter import Addressed, mail_of
from bursarbridge.flows.report import Frame, Report
from bursarbridge.flows.returns import still_charged
from bursarbridge.ledger.still_charged import StillCharged
from bursarbridge.store import guarded, views
from bursarbridge.store.books import Books
from bursarbridge.store.guarded import Guarded


def report_of(name: str, settings: Settings, books: Books, returned: Returned | None, library: str = "") -> tuple[Report, Frame]:
    """One of flows.reports.NAMES as of the books' instant, with as much about people as the settings let it say. Raises Refused for another name."""
    frame = frame_of(settings, books, name)
    if name == reports.LATE:
        return reports.late(views.batches(books, only_open=True), frame), frame
    if name == reports.EXCEPTIONS:
        return reports.exceptions(views.items(books), frame), frame
    if name == HELD:
        return held_report(guarded.open_ones(books), frame), frame
    if name != reports.RETURNED:
        raise Refused(f'there is no report "{name}"; the reports are {", ".join(reports.NAMES)}')
    if returned is None or not any(source.returns for source in settings.libraries):
        raise Refused("these settings follow no returned items, so nobody knows what came back and is still charged")
    return reports.returned_but_still_charged(returned(books), frame, library), frame


def frame_of(settings: Settings, books: Books, name: str) -> Frame:
    """What a report may say of people, and where and when it is made."""
    frame = Frame(settings.campus.name, settings.campus.timezone, books.now, settings.campus.environment == "sandbox")
    mail = next((one for one in settings.reports if one.name == name), None)
    return frame if mail is None else replace(frame, pii=mail.pii, titles=mail.titles == "shown")


def letters_of(name: str, settings: Settings, books: Books, returned: Returned | None, once: str) -> Iterator[Addressed]:
    """A report's mails: one for everybody, and one for each campus library that has readers of its own. `once` marks what is mailed once only."""
    mail = next((one for one in settings.reports if one.name == name), None)
    if mail is None or settings.mail is None:
        raise Refused(f"nobody gets the report {name}: add [mail] and [reports.{name}] to the settings (docs/reports.md)")
    everybody = mail.to
    if name == HELD:
        held = [one for one in guarded.open_ones(books) if one.state == "held"]
        once = f"{once}:{'-'.join(str(one.id) for one in held)}"
        everybody = _not_told_yet(settings, mail.to, held)
    for library, readers in (("", everybody), *mail.to_by_library):
        if readers:
            report, frame = report_of(name, settings, books, returned, library)
            yield Addressed(name, f"{name}:{library}:{once}", readers, mail_of(report, frame, attach=mail.attach))


def _not_told_yet(settings: Settings, readers: tuple[str, ...], held: Sequence[Guarded]) -> tuple[str, ...]:
    """Whoever is not told by the report that follows each run of holds: it says the same of a plan that is held."""
    flows = hold_flows(settings)
    told = next((one.to for one in settings.reports if one.name == HOLDS), ())
    if held and all(one.kind == "plan" and one.flow in flows for one in held):
        return tuple(one for one in readers if one not in told)
    return readers


def returned_items(settings: Settings, books: Books) -> StillCharged:
    """What came back and is still charged, of every library that follows returns."""
    found = StillCharged()
    labels = {(one.source, one.category): one.label for one in settings.bursar.item_types}
    for source in settings.libraries:
        if source.returns:
            named = {category: label for (owner, category), label in labels.items() if owner == source.name}
            one = still_charged(books, source.name, named, settings.campus.timezone, source.returns.patience)
            found = StillCharged(found.waive + one.waive, found.refund + one.refund, found.in_flight + one.in_flight)
    return found
