"""What the report about a run of holds is made of, gathered from the books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from bursarbridge.flows.holds import HoldsFlow, drawn_at, source_of
from bursarbridge.flows.report import SHOWN
from bursarbridge.ledger.holds import in_amount
from bursarbridge.ledger.words import count, day
from bursarbridge.store import deliveries, guarded, hold_reports, indicators, open_items
from bursarbridge.store.books import Books
from bursarbridge.store.guarded import Guarded
from bursarbridge.store.hold_reports import DocumentView, HoldRun, StuckLine, ToldLine
from bursarbridge.store.indicators import Difference
from bursarbridge.store.open_items import Basis

_CLEARED = {
    "paid": "paid",
    "payment": "paid",
    "void": "appeal granted, or void",
    "warning": "appeal: a warning now",
    "absent": "off the office's list: paid, or an appeal granted",
    "waiver": "waived",
    "credit": "waived",
    "withdrawal": "taken back by its office",
    "reversal": "taken back by its office",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One person in one of the two documents, with what staff ask about them."""

    line: ToldLine
    cause: str
    """What cleared a release; why a hold was placed or changed."""
    item_count: int = 0
    """Of what makes the amount; 0 where it is not known any more."""
    oldest_on: str = ""


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """All that one report says."""

    run: HoldRun
    source: str
    code: tuple[str, str]
    several: bool
    """Whether the campus has holds of other sources too, so that a subject must say whose."""
    totals: dict[tuple[str, str, str], tuple[int, int]]
    added: tuple[Told, ...]
    released: tuple[Told, ...]
    stuck: tuple[StuckLine, ...]
    documents: tuple[DocumentView, ...]
    differences: tuple[Difference, ...]
    held: tuple[Guarded, ...]
    evidence_at: str
    """UTC; when the newest evidence was drawn, or ""."""


def facts_of(books: Books, flow: HoldsFlow, run: HoldRun, *, several: bool, whole: bool) -> HoldFacts:
    """What the report of a run says; `whole` with everybody, for spreadsheets, else with as many people as a mail shows.

    What a run told is as it was; what is stuck, confirmed or different is as it is now.
    """
    source, prefix = source_of(books, flow), flow.prefix
    limit = 0 if whole else SHOWN
    added = hold_reports.told_lines(books, run.number, prefix, ("place", "change"), limit)
    items = dict(_items(books, flow, source, run.number)) if whole else {}
    released = hold_reports.told_lines(books, run.number, prefix, ("release",), limit)
    return HoldFacts(
        run,
        flow.source,
        (flow.policy.code, flow.policy.reason),
        several,
        hold_reports.told_totals(books, run.number),
        tuple(_added(line, items) for line in added),
        tuple(Told(line, cause_of(books, flow, source, line, run.at)) for line in released),
        tuple(hold_reports.stuck_lines(books, source, prefix, SHOWN)),
        tuple(hold_reports.documents(books, run.number)),
        tuple(_differences(books, flow, source)),
        tuple(one for one in guarded.open_ones(books) if run.newest and one.flow == run.flow),
        max((drawn_at(deliveries.newest_as_of(books, channel), zone) for channel, zone in flow.evidence), default=""),
    )


def cause_of(books: Books, flow: HoldsFlow, source: int, line: ToldLine, at: str) -> str:
    """What cleared a hold, in few words and without a person's own ones."""
    if line.by_hand:
        actor, until = hold_reports.ordered_by(books, source, line.account, at)
        return f"by hand: {actor}, until {day(until)}" if actor else "by hand"
    if flow.basis is Basis.VIOLATIONS:
        found = hold_reports.cleared_violations(books, source, line.account)
    else:
        found = hold_reports.cleared_charges(books, source, line.account)
    if "open" in found:
        return line.because
    if "disputed" in found:
        return "an appeal is pending"
    return " and ".join(dict.fromkeys(_CLEARED[one] for one in sorted(found) if one in _CLEARED)) or line.because


def _added(line: ToldLine, items: dict[str, tuple[int, int, str]]) -> Told:
    number, cents, oldest = items.get(line.account, (0, 0, ""))
    same = cents == line.cents
    return Told(line, line.category or line.because, number if same else 0, oldest if same else "")


def _items(books: Books, flow: HoldsFlow, source: int, run: int) -> Iterator[tuple[str, tuple[int, int, str]]]:
    """What makes the amount of everybody whom the run told of, as it is now: how many items, their cents, the oldest date."""
    open_items.begin(books)
    open_items.choose_told(books, run)
    for person in open_items.people(books, source, flow.basis):
        counted = in_amount(flow.policy, person.items)
        dates = [item.since_on for item in counted if item.since_on]
        yield person.account, (len(counted), sum(item.cents for item in counted), min(dates, default=""))


def _differences(books: Books, flow: HoldsFlow, source: int) -> Sequence[Difference]:
    if flow.snapshot is None:
        return ()
    return indicators.differences(books, source, flow.snapshot.name, flow.sheets.form, (flow.policy.code, flow.policy.reason))


def since(on: str, today: date) -> str:
    """A campus date with its age: "since Oct 3, 2026, 45 days"."""
    if not on:
        return ""
    days = (today - date.fromisoformat(on)).days
    return f"since {day(on)}, {count(days, 'day')}" if days > 0 else f"since {day(on)}"
