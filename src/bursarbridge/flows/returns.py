"""library-returns: hear the webhook calls, sweep for what no call announced, waive what came back, compare announced exports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from bursarbridge.flows.announced import Announced, compare
from bursarbridge.flows.desk import Asked, Returning
from bursarbridge.flows.hints import ReadNotice, hear, sweep
from bursarbridge.flows.library import Summary
from bursarbridge.flows.run import Run, utc_text
from bursarbridge.flows.waives import Done, carry_out
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.returns import Outcome
from bursarbridge.ledger.still_charged import ReturnedItem, StillCharged
from bursarbridge.store import announced, returns, runs, suspense
from bursarbridge.store.books import Books
from bursarbridge.store.returns import Case


@dataclass(frozen=True)
class ReturnsFlow:
    """What library-returns works with; None for what the settings leave out."""

    source: str
    listening: bool
    read: ReadNotice
    events: tuple[str, ...]
    institution: str
    returning: Returning | None
    announced: Announced | None
    unable: str = ""
    """Why the library cannot be asked at all, or "" when it can be or need not."""


class Returned(TypedDict):
    """What a run found out about returned items."""

    heard: dict[str, int]
    """Calls worked through, by what came of them."""
    swept: dict[str, int]
    """Fees asked about without a call, by what came of it."""
    waived: dict[str, int]
    """count and cents."""
    blocks: int
    exports_wrong: int
    stopped: str
    """Why the library was not asked further in this run, or ""."""


class ReturnsSummary(Summary):
    """The object `run library-returns --json` prints, without the run's own name."""

    returned: Returned


def run_returns(run: Run, flow: ReturnsFlow) -> ReturnsSummary:
    """Hears, sweeps, waives and compares, in this order: a hint is worth more than a turn of the sweep."""
    asked = Asked()
    asked.stopped = flow.unable
    before = run.post("open questions", lambda books: suspense.open_total(books).count)
    heard: Counter[str] = Counter()
    swept: Counter[str] = Counter()
    done = Done(count=0, cents=0, blocks=0, refused=0)
    if flow.listening:
        run.post("listening", lambda books: announced.listen(books, flow.source))
    if flow.returning is not None:
        if flow.listening:
            heard = hear(run, flow.returning, flow.read, flow.events, flow.institution, asked)
        if not asked.stopped:
            swept = sweep(run, flow.returning, asked)
        done = carry_out(run, flow.returning, asked)
    wrong = compare(run, flow.announced) if flow.announced is not None else 0
    opened = run.post("questions opened", lambda books: suspense.open_total(books).count) - before
    returned = Returned(
        heard=dict(heard),
        swept=dict(swept),
        waived={"count": done["count"], "cents": done["cents"]},
        blocks=done["blocks"],
        exports_wrong=wrong,
        stopped=asked.stopped,
    )
    summary = _summary(returned, exceptions=bool(opened > 0 or done["refused"] or asked.refused or wrong))
    run.post("finish", lambda books: runs.finish(books, run.number, summary["outcome"], dict(summary)))
    return summary


def look_around(run: Run, flow: ReturnsFlow) -> str:
    """Asks about open lost-item fees and writes down what is found; library-returns carries it out. Why the asking stopped, or ""."""
    asked = Asked()
    if flow.returning is not None:
        sweep(run, flow.returning, asked)
    refused = f"the library refused {asked.refused} of our questions" if asked.refused else ""
    return asked.stopped or refused or flow.unable


def _summary(returned: Returned, *, exceptions: bool) -> ReturnsSummary:
    idle = not (returned["heard"] or returned["swept"] or returned["waived"]["count"] or returned["blocks"])
    nothing = {"count": 0, "cents": 0}
    return ReturnsSummary(
        outcome="completed_with_exceptions" if exceptions else "nothing_to_do" if idle and not returned["stopped"] else "completed",
        read=nothing,
        sent=nothing,
        already=nothing,
        conflicts=nothing,
        suspended=nothing,
        noted=nothing,
        answers=nothing,
        confirmed_lines=0,
        files=[],
        deliveries=[],
        returned=returned,
    )


def still_charged(books: Books, source: str, labels: Mapping[str, str], zone: ZoneInfo, patience: timedelta) -> StillCharged:
    """The items of a source that came back and are still charged, as the library last answered, in three lists by who moves next.

    Only what is open now counts: an item leaves the lists when its credit has arrived. A waive whose credit does not come within
    `patience` goes back to the first list. `labels` gives fee types in people's words.
    """
    old = utc_text(datetime.fromisoformat(books.now) - patience)
    lists: dict[str, list[ReturnedItem]] = {"waive": [], "refund": [], "in_flight": []}
    outcomes = [str(one) for one in (Outcome.WAIVE, Outcome.ALREADY, Outcome.PAID, Outcome.DISPUTE, Outcome.DIFFERS, Outcome.WAIT)]
    for case in returns.cases(books, source, outcomes):
        place, cents, words = _list_of(books, case, old)
        if place:
            lists[place].append(_item(case, cents, words, labels, zone))
    return StillCharged(tuple(lists["waive"]), tuple(lists["refund"]), tuple(lists["in_flight"]))


def _list_of(books: Books, case: Case, old: str) -> tuple[str, int, str]:
    """Which list a case stands in ("" for none), with its cents and its sentence."""
    billed = case.billed
    if case.outcome == Outcome.PAID:
        asked = suspense.is_open(books, f"return_refund:{case.fee.obligation}")
        return ("refund" if asked else ""), billed.paid, case.words
    owed = billed.open + billed.crediting
    if not owed:
        return "", 0, ""
    given_up_at = case.waived_at or (case.since if case.outcome == Outcome.ALREADY else "")
    if case.outcome == Outcome.WAIT and not billed.paying:
        return "", 0, ""
    if case.outcome == Outcome.WAIT or billed.crediting:
        return "in_flight", owed, case.words
    if not given_up_at:
        return "waive", billed.open, case.words
    if given_up_at < old:
        return "waive", billed.open, f"waived since {given_up_at[:10]}, and no credit has come: look at the fee at the library ({shown(billed.open)})"
    return "in_flight", owed, "waived at the library; the credit comes with its next credit export"


def _item(case: Case, cents: int, words: str, labels: Mapping[str, str], zone: ZoneInfo) -> ReturnedItem:
    fee = case.fee
    returned_on = datetime.fromisoformat(case.returned_at).astimezone(zone).date().isoformat() if case.returned_at else ""
    return ReturnedItem(
        library=fee.owner,
        account=fee.account,
        reference=fee.reference,
        fee=fee.source_reference,
        category=labels.get(fee.category, fee.category),
        cents=cents,
        returned_on=returned_on,
        stands=words,
        barcode=fee.item,
    )
