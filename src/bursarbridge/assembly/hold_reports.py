"""The report that follows each run of holds, as the settings wish it: once for each run and reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bursarbridge.assembly.names import HOLDS_ENDING, hold_flows
from bursarbridge.assembly.reports import frame_of
from bursarbridge.config.model import Settings
from bursarbridge.errors import Refused
from bursarbridge.flows.hold_facts import facts_of
from bursarbridge.flows.hold_report import HOLDS, hold_report
from bursarbridge.flows.holds import HoldsFlow
from bursarbridge.flows.letter import Addressed, mail_of
from bursarbridge.flows.report import Frame, Report
from bursarbridge.store import hold_reports
from bursarbridge.store.books import Books
from bursarbridge.store.hold_reports import TOLD_BY, HoldRun

FlowOf = Callable[[str], HoldsFlow]
"""A source's name to its holds."""


def holds_report_of(settings: Settings, books: Books, flow_of: FlowOf, name: str = "", *, whole: bool = True) -> tuple[Report, Frame]:
    """The report of the run of that name, or of the newest. Raises Refused when there is no such run."""
    return _report(settings, books, flow_of, _run(settings, books, name), whole=whole)


def hold_letters(settings: Settings, books: Books, flow_of: FlowOf, mailing: str, *, again: bool) -> Iterator[Addressed]:
    """The mails about a run: the one that the mailing is named for, or the newest. Raises Refused when nobody gets them."""
    mail = next((one for one in settings.reports if one.name == HOLDS), None)
    if mail is None or settings.mail is None or not mail.to:
        raise Refused(f"nobody gets the report {HOLDS}: add [mail] and [reports.{HOLDS}] to the settings (docs/reports.md)")
    run = _run(settings, books, mailing.removeprefix(TOLD_BY) if mailing.startswith(TOLD_BY) else "")
    report, frame = _report(settings, books, flow_of, run, whole=mail.attach == "csv")
    once = mailing if again else run.name
    yield Addressed(HOLDS, f"{HOLDS}::{once}", mail.to, mail_of(report, frame, attach=mail.attach))


def untold(settings: Settings, books: Books) -> list[str]:
    """The runs of which no report was mailed yet, oldest first, where somebody gets one."""
    if settings.mail is None or not settings.holds or not any(one.name == HOLDS and one.to for one in settings.reports):
        return []
    return hold_reports.untold(books, hold_flows(settings))


def _run(settings: Settings, books: Books, name: str) -> HoldRun:
    if not settings.holds:
        raise Refused("these settings have no [holds] section, so no run of holds can be reported")
    run = hold_reports.run_of(books, hold_flows(settings), name)
    if run is None:
        first = f"{settings.holds[0].name}{HOLDS_ENDING}"
        raise Refused(f"there is no run {name} of holds that has ended; `bursarbridge runs` lists them" if name else f"{first} has not run yet")
    if "holds" not in run.summary:
        raise Refused(f"the run {run.name} failed, and nothing left: {run.summary.get('words', '')}")
    return run


def _report(settings: Settings, books: Books, flow_of: FlowOf, run: HoldRun, *, whole: bool) -> tuple[Report, Frame]:
    frame = frame_of(settings, books, HOLDS)
    facts = facts_of(books, flow_of(run.flow.removesuffix(HOLDS_ENDING)), run, several=len(settings.holds) > 1, whole=whole)
    return hold_report(facts, frame), frame
