"""The reports: plain facts in, what people read out. Pure; how they look is letter.py's, how they leave is mailing.py's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bursarbridge.flows.held import HELD
from bursarbridge.flows.hold_report import HOLDS
from bursarbridge.flows.report import SHOWN, Frame, Report, Row, Table
from bursarbridge.flows.sheet import Sheet
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.still_charged import ReturnedItem, StillCharged
from bursarbridge.ledger.words import count, day, moment
from bursarbridge.store.views import BatchView, ItemView

RETURNED, LATE, EXCEPTIONS = "returned-but-still-charged", "late", "exceptions"
NAMES = (RETURNED, LATE, EXCEPTIONS, HELD, HOLDS)

_LISTS = {
    "waive": ("Waive in Alma now", "✕", "bad", "The item is back and the fee is open. Waive the whole fee; the credit leaves with the next run."),
    "refund": ("Already paid: ask about a refund", "?", "warn", "Paid before the item came back. Whether money goes back is the bursar's decision."),
    "in_flight": ("In flight, no action", "↗", "info", "Waived already. The credit is on its way to the student account."),
}
_SHEET_LIST = {"waive": "waive now", "refund": "refund question", "in_flight": "in flight"}


def returned_but_still_charged(found: StillCharged, frame: Frame, library: str = "") -> Report:
    """Items that came back and carry a fee, for one campus library or ("") for all; whole when empty too, so that silence means trouble."""
    mine = found.of(library) if library else found
    items = tuple(mine)
    cents = sum(one.cents for one in items)
    numbers = f"{count(len(items), 'item')}, {shown(cents)}"
    waive = len(mine.waive)
    if not items:
        verdict = "Nothing that came back is still charged."
    elif waive:
        also = f"; {count(len(mine.refund), 'refund question')}" if mine.refund else ""
        verdict = f"{count(waive, 'returned item')} to waive now, {shown(sum(one.cents for one in mine.waive))}{also}."
    else:
        verdict = "Nothing to waive: what came back is paid or on its way."
    tables = tuple(_returned(name, rows, frame) for name, rows in mine.named())
    return Report(
        name=RETURNED,
        subject=f"Returned but still charged: {numbers} ({frame.day})",
        verdict=verdict,
        tables=tables,
        steps=("A waive made in Alma is found and sent by itself; nobody need tell us.",),
        sheet=_returned_sheet(mine, frame, library),
        library=library,
        people=bool(items) and frame.pii != "none",
    )


def _returned(name: str, items: tuple[ReturnedItem, ...], frame: Frame) -> Table:
    title, mark, tone, words = _LISTS[name]
    rows = tuple(
        Row(
            _cells(
                (_about(one, frame), f"Barcode {one.barcode}" if one.barcode else "", one.title if frame.titles else "", one.category),
                (one.stands, _back(one.returned_on, frame)),
            ),
            one.cents,
            one.link if one.link.startswith("https://") else "",
        )
        for one in items[:SHOWN]
    )
    return Table(title, mark, tone, words, ("Item", "Where it stands", "Fee"), rows, len(items), sum(one.cents for one in items))


def _about(one: ReturnedItem, frame: Frame) -> str:
    return frame.person(one.account, one.initials, one.name) or f"Fee {one.reference or one.fee}"


def _returned_sheet(found: StillCharged, frame: Frame, library: str) -> Sheet:
    columns = ("list", "library", "student", "reference", "fee_id", "barcode", "title", "fee_type", "amount", "returned_on", "stands")
    rows = tuple(
        (
            _SHEET_LIST[name],
            one.library,
            frame.person(one.account, one.initials, one.name),
            one.reference,
            one.fee,
            one.barcode,
            one.title if frame.titles else "",
            one.category,
            one.cents,
            one.returned_on,
            one.stands,
        )
        for name, items in found.named()
        for one in items
    )
    stem = f"{RETURNED}_{_plain(library)}" if library else RETURNED
    return Sheet(stem, 1, columns, frozenset({"student", "reference", "fee_id", "barcode"}), rows)


def late(batches: Sequence[BatchView], frame: Frame) -> Report:
    """Files that left and have no answer by the time it was expected, and files of which it is not certain that they arrived."""
    overdue = [one for one in batches if one.late]
    unsure = [one for one in batches if one.state == "IN_DOUBT"]
    both = [*overdue, *unsure]
    lines, cents = sum(one.lines for one in both), sum(one.cents for one in both)
    if both:
        verdict = f"{count(len(both), 'file')} without an answer in time: {count(lines, 'line')}, {shown(cents)}."
        subject = f"Late: {count(len(both), 'file')}, {count(lines, 'line')}, {shown(cents)} ({frame.day})"
    else:
        verdict, subject = "Nothing is late.", f"Late: nothing ({frame.day})"
    why = "The file arrived, and nobody has said what became of it. Nothing was sent twice; what it carries is neither confirmed nor lost."
    doubt = "The connection broke at the end. The next run looks whether the file stands there; where it cannot tell, a person must."
    tables = (_overdue("Late", "!", "warn", why, overdue, frame), _overdue("Not certain to have arrived", "✕", "bad", doubt, unsure, frame))
    columns = ("file", "to", "kind", "state", "lines", "amount", "sent_at", "expected_at")
    rows = tuple((one.document, one.destination, one.kind, one.state, str(one.lines), one.cents, one.sent_at, one.expected_at) for one in both)
    steps = ("Ask the office the file went to whether it was loaded.", "See it all: bursarbridge status") if both else ()
    return Report(LATE, subject, verdict, tables, steps, Sheet(LATE, 1, columns, frozenset(), rows))


def _overdue(title: str, mark: str, tone: str, words: str, found: Sequence[BatchView], frame: Frame) -> Table:
    rows = tuple(_file(one, frame) for one in found[:SHOWN])
    return Table(title, mark, tone, words, ("File", "Since when", "Amount"), rows, len(found), sum(one.cents for one in found), "file")


def _file(one: BatchView, frame: Frame) -> Row:
    since = f"Expected by {moment(one.expected_at, frame.zone)}" if one.expected_at else ""
    sent = f"Sent {moment(one.sent_at, frame.zone)}" if one.sent_at else ""
    hours = _hours(one.expected_at, frame) if one.late else ""
    return Row(
        _cells((one.document, f"To the {one.destination}: {count(one.lines, one.kind)}"), (hours or sent, since, sent if hours else "")), one.cents
    )


def exceptions(items: Sequence[ItemView], frame: Frame) -> Report:
    """What waits for a person, by cause, and the oldest of it one by one. The record's own words stay in the ledger: they may name somebody."""
    cents = sum(one.cents for one in items)
    verdict = (
        f"{count(len(items), 'item')} {'waits' if len(items) == 1 else 'wait'} for a person, {shown(cents)}."
        if items
        else "Nothing waits for a person."
    )
    numbers = f"{count(len(items), 'item')}, {shown(cents)}" if items else "none"
    causes: dict[str, list[ItemView]] = {}
    for one in items:
        causes.setdefault(one.code, []).append(one)
    by_size = sorted(causes.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    rows = tuple(
        Row(_cells((_words(code), count(len(found), "item")), (_oldest(found, frame),)), sum(one.cents for one in found)) for code, found in by_size
    )
    meaning = "Each stays where it is, counted, until somebody decides. What each cause means and what cures it stands in the runbook."
    tables = (
        Table("By cause", "✕", "bad", meaning, ("Cause", "Oldest", "Amount"), rows, len(items), cents, complete=False),
        Table("One by one, oldest first", "✕", "bad", "", ("Item", "Since", "Amount"), _open(items, frame), len(items), cents),
    )
    columns = ("item", "cause", "student", "amount", "opened_at", "file")
    sheet_rows = tuple((str(one.id), one.code, frame.person(one.account), one.cents, one.opened_at, one.delivery) for one in items)
    steps = (f"Look at one and decide: bursarbridge suspense show {items[0].id}",) if items else ()
    return Report(
        EXCEPTIONS,
        f"Exceptions: {numbers} ({frame.day})",
        verdict,
        tables,
        steps,
        Sheet(EXCEPTIONS, 1, columns, frozenset({"student"}), sheet_rows),
        people=bool(items) and frame.pii != "none",
    )


def _open(items: Sequence[ItemView], frame: Frame) -> tuple[Row, ...]:
    return tuple(
        Row(_cells((f"{one.id}: {_words(one.code)}", frame.person(one.account)), (moment(one.opened_at, frame.zone),)), one.cents)
        for one in items[:SHOWN]
    )


def _oldest(found: Sequence[ItemView], frame: Frame) -> str:
    return moment(min(one.opened_at for one in found), frame.zone)


def _words(code: str) -> str:
    """A cause's lasting name as words: "unmapped_category" -> "unmapped category"."""
    return code.replace("_", " ")


def _cells(*cells: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line for line in cell if line) for cell in cells)


def _back(returned_on: str, frame: Frame) -> str:
    if not returned_on:
        return ""
    days = (frame.today - date.fromisoformat(returned_on)).days
    return f"Back {day(returned_on)}, {count(days, 'day')} ago" if days > 0 else "Back today"


def _hours(expected_at: str, frame: Frame) -> str:
    over = datetime.fromisoformat(frame.now) - datetime.fromisoformat(expected_at)
    for unit, noun in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if over >= 2 * unit:
            return f"{count(over // unit, noun)} late"
    return f"{count(over // timedelta(minutes=1), 'minute')} late"


def _plain(code: str) -> str:
    """A library's code as part of a file name."""
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in code)
