"""The report about a run of holds: the verdict first, numbers by office and code, what is stuck, who was told of and why (ux.md 5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bursarbridge.flows.guarding import NOT_DONE, about
from bursarbridge.flows.held import cents_of, steps_for, who_approves
from bursarbridge.flows.hold_facts import HoldFacts, Told, since
from bursarbridge.flows.report import SHOWN, Frame, Report, Row, Table
from bursarbridge.flows.sheet import Sheet
from bursarbridge.ledger.money import shown
from bursarbridge.ledger.words import count, moment
from bursarbridge.store.guarded import Guarded
from bursarbridge.store.hold_reports import DocumentView, StuckLine
from bursarbridge.store.indicators import Difference

HOLDS = "holds"
_COMES = "This report comes after every run, also when nothing changed, so a run without it means trouble."
_COLUMNS = (
    "student_id",
    "initials",
    "office",
    "hold_code",
    "reason_code",
    "total_owed",
    "item_count",
    "oldest_date",
    "action",
    "cause",
    "run_id",
    "confirmed_at",
)
_ACTIONS = {"place": "added", "change": "changed", "release": "released"}


def hold_report(found: HoldFacts, frame: Frame) -> Report:
    """The report of one run, whole when nothing changed too."""
    told = found.run.summary["holds"]
    whose = f", {found.source}" if found.several else ""
    tables = (
        _numbers(found, frame),
        *_held(found, frame),
        _stuck(found, frame),
        _added(found, frame),
        _released(found, frame),
        _documents(found, frame),
        *_differences(found, frame),
    )
    return Report(
        HOLDS,
        f"Holds{whose}: {_counts(told)}, {told['stuck']:,} stuck{_held_count(told)} ({moment(found.run.at, frame.zone).partition(',')[0]})",
        _verdict(found, told),
        tables,
        _steps(found, told),
        _sheet("holds_added", "Everybody in Holds Added", found.added, found, frame),
        more_sheets=(_sheet("holds_released", "Everybody in Holds Released", found.released, found, frame),),
        asked=f" --run {found.run.name}",
        people=frame.pii != "none" and bool(found.added or found.released or found.stuck or found.differences),
        comes=_COMES,
    )


def _counts(told: dict[str, Any]) -> str:
    changed = f", {told['changed']:,} changed" if told["changed"] else ""
    return f"{told['added']:,} added{changed}, {told['released']:,} released"


def _held_count(told: dict[str, Any]) -> str:
    return f", {told['held']:,} held for a person" if told["held"] else ""


def _verdict(found: HoldFacts, told: dict[str, Any]) -> str:
    said = []
    if told["held"]:
        number = f"{count(told['held'], 'hold')} {'waits' if told['held'] == 1 else 'wait'} for a person"
        said.append(f"{number}: {told['reasons'][0]}. {_not_done(found)}")
    elif found.run.outcome == "held":
        said.append(f"A list waits for a person: {found.run.summary['held'][0]}.")
    if told["stuck"]:
        said.append(f"{count(told['stuck'], 'hold')} {'is' if told['stuck'] == 1 else 'are'} stuck.")
    if told["added"] or told["changed"] or told["released"]:
        said.append(f"{_counts(told).replace(' added', ' holds added' if told['added'] != 1 else ' hold added', 1)}.")
    elif not told["held"]:
        stands = f"{count(told['active'], 'hold')} {'stands' if told['active'] == 1 else 'stand'}"
        said.append(f"No hold changed; {stands}.")
    refused = [one for one in found.run.summary.get("deliveries", ()) if one["state"] == "refused"]
    if refused:
        said.append(f"{count(len(refused), 'file')} could not be read, and nothing of {'it' if len(refused) == 1 else 'them'} counts.")
    if told["stale"]:
        said.append("What is known is older than the limit, so no hold was placed or raised.")
    return " ".join(said)


def _not_done(found: HoldFacts) -> str:
    """What did not happen: releases told again, and those that people ordered, leave in any case."""
    return "Nothing of the plan was sent, and those holds stand as they were." if found.documents else NOT_DONE["plan"]


def _steps(found: HoldFacts, told: dict[str, Any]) -> tuple[str, ...]:
    steps = [*steps_for([one for one in found.held if one.state == "held"])]
    if told["stuck"]:
        steps.append("Ask the bursar's office whether the file was loaded, and see every hold: bursarbridge holds list")
    return (*steps, *(f"{words[:1].upper()}{words[1:]}." for words in told["words"]))


def _numbers(found: HoldFacts, frame: Frame) -> Table:
    standing = {(one["code"], one["reason"]): (one["count"], one["cents"]) for one in found.run.summary["holds"]["standing"]}
    codes = dict.fromkeys([found.code, *standing, *((code, reason) for code, reason, _verb in found.totals)])
    rows = []
    for code, reason in codes:
        placed, changed, gone = (found.totals.get((code, reason, verb), (0, 0))[0] for verb in ("place", "change", "release"))
        stands, cents = standing.get((code, reason), (0, 0))
        cells = (f"{_office(found)} {code} {reason}".strip(), f"{placed:,}", f"{changed:,}", f"{gone:,}", _signed(placed - gone), f"{stands:,}")
        rows.append(Row(tuple((cell,) for cell in cells), cents))
    told_at = f"Run of {moment(found.run.at, frame.zone)}"
    as_of = f"; what is owed as of {moment(found.evidence_at, frame.zone)}" if found.evidence_at and found.run.newest else ""
    told = found.run.summary["holds"]
    confirmed = f" {told['confirmed']:,} told before {'is' if told['confirmed'] == 1 else 'are'} confirmed now." if told["confirmed"] else ""
    again = f" {told['repeated']:,} told again, until confirmed." if told["repeated"] else ""
    columns = ("Office and code", "Added", "Changed", "Released", "Net", "On", "Total owed")
    return Table("By office and code", "=", "idle", f"{told_at}{as_of}.{confirmed}{again}", columns, tuple(rows), len(rows), 0, numbers=True)


def _signed(number: int) -> str:
    return f"+{number:,}" if number > 0 else f"\u2212{-number:,}" if number else "0"


def _office(found: HoldFacts) -> str:
    return found.source[:1].upper() + found.source[1:]


def _held(found: HoldFacts, frame: Frame) -> tuple[Table, ...]:
    if not found.held:
        return ()
    rows = tuple(_guarded(one, frame) for one in found.held)
    kinds = dict.fromkeys(one.kind for one in found.held if one.state == "held")
    words = " ".join(NOT_DONE[kind] for kind in kinds if kind != "plan")
    noun = "plan" if all(one.kind == "plan" for one in found.held) else "thing"
    cents = sum(map(cents_of, found.held))
    return (Table("Held for a person", "!", "bad", words, ("Held", "Since and who", "Amount"), rows, len(rows), cents, noun),)


def _guarded(one: Guarded, frame: Frame) -> Row:
    who = who_approves(one) if one.state == "held" else "approved; the next run carries it on"
    return Row(((f"{one.id}: {about(one)}", *(trip.words for trip in one.trips)), (moment(one.opened_at, frame.zone), who)), cents_of(one))


_STUCK = {
    "release": ("Released, and not confirmed", "Owner: the bursar's office"),
    "still": ("Released, and still there at the bursar's", "Owner: the bursar's office"),
    "told": ("Told, and not seen", "Owner: the bursar's office"),
    "unwritten": ("Could not be written", "Owner: whoever runs the bridge"),
}


def _stuck(found: HoldFacts, frame: Frame) -> Table:
    number = int(found.run.summary["holds"]["stuck"]) if found.run.newest else len(found.stuck)
    meaning = "Told, and not confirmed by the time it was expected, or not written. A release is told again with every run until it is confirmed."
    rows = tuple(_stuck_row(one, frame) for one in found.stuck)
    return Table("Stuck", "✕", "bad", meaning, ("Who", "Since when", "Amount"), rows, max(number, len(rows)), 0, "hold", money=False)


def _stuck_row(one: StuckLine, frame: Frame) -> Row:
    what, owner = _STUCK[one.kind]
    first = frame.person(one.account) or f"Hold {one.reference}"
    how = f"Suspense {one.suspense}: {one.words}" if one.suspense else one.document
    when = (_age(one.told_at, frame), f"{'Since' if one.suspense else 'Told first'} {moment(one.told_at, frame.zone)}" if one.told_at else "")
    late = f"Expected by {moment(one.expected_at, frame.zone)}" if one.expected_at else ""
    return Row((tuple(filter(None, (first, what, owner))), tuple(filter(None, (*when, late, how)))), one.cents)


def _age(instant: str, frame: Frame) -> str:
    if not instant:
        return ""
    over = datetime.fromisoformat(frame.now) - datetime.fromisoformat(instant)
    for unit, noun in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if over >= 2 * unit:
            return count(over // unit, noun)
    return count(max(0, over // timedelta(minutes=1)), "minute")


def _added(found: HoldFacts, frame: Frame) -> Table:
    fresh = [one for one in found.added if not one.line.again][:SHOWN]
    number = sum(total for (_code, _reason, verb), (total, _cents) in found.totals.items() if verb != "release")
    cents = sum(owed for (_code, _reason, verb), (_total, owed) in found.totals.items() if verb != "release")
    words = "Each amount is the total owed; it replaces what stood there."
    rows = tuple(_added_row(one, frame) for one in fresh)
    return Table("Added or changed", "+", "info", words, ("Who", "Why", "Total owed"), rows, number, cents, "hold")


def _added_row(one: Told, frame: Frame) -> Row:
    line = one.line
    what = f"Replaces {shown(line.before_cents)}" if line.before_cents and line.before_cents != line.cents else "New" if line.verb == "place" else ""
    who = frame.person(line.account) or f"Hold {line.reference}"
    return Row((tuple(filter(None, (who, what))), tuple(filter(None, (one.cause, since(line.since_on, frame.today))))), line.cents)


def _released(found: HoldFacts, frame: Frame) -> Table:
    fresh = [one for one in found.released if not one.line.again][:SHOWN]
    number = sum(total for (_code, _reason, verb), (total, _cents) in found.totals.items() if verb == "release")
    rows = tuple(
        Row(((frame.person(one.line.account) or f"Hold {one.line.reference}",), (_sentence(one.cause),)), one.line.before_cents) for one in fresh
    )
    words = "Nothing that counts is owed any more, or somebody ordered it. Each is told again until it is confirmed."
    return Table("Released", "✓", "ok", words, ("Who", "What cleared it", "Was"), rows, number, 0, "hold", money=False)


def _documents(found: HoldFacts, frame: Frame) -> Table:
    rows = tuple(Row(((one.name, count(one.lines, "hold")), tuple(filter(None, _state(one, frame)))), one.cents) for one in found.documents)
    return Table("Files to the bursar", "↗", "info", "", ("File", "What the bursar has said", "Total owed"), rows, len(rows), 0, "file", money=False)


def _state(one: DocumentView, frame: Frame) -> tuple[str, ...]:
    """What is known of a document, the newest first."""
    sent = f"Sent {moment(one.sent_at, frame.zone)}{', read back and verified' if one.proof == 'read_back' else ''}" if one.sent_at else ""
    if one.state == "POSTED":
        said = "Taken, as assumed" if one.assumed else "Seen in the bursar's list, or told again since"
        return f"{said}: {moment(one.answered_at, frame.zone)}", sent
    if one.state in ("SENT", "RECEIVED"):
        late = f"; expected by {moment(one.expected_at, frame.zone)}" if one.expected_at else ""
        return f"Not confirmed yet{late}", sent
    return ("Not certain to have arrived" if one.state == "IN_DOUBT" else "Not sent yet",)


_DIFFERENT = {
    "missing": "Missing at the bursar's",
    "amount": "Another amount at the bursar's",
    "still": "Still there after its release",
    "theirs": "Under our code, and not ours",
}
_REPAIRED = {
    "missing": "missing there",
    "amount": "with another amount there",
    "still": "still there after its release",
    "former": "there under a former code",
}


def _differences(found: HoldFacts, frame: Frame) -> tuple[Table, ...]:
    repaired = found.run.summary["holds"]["differences"]
    if not found.differences and not repaired:
        return ()
    seen = ", ".join(f"{number:,} {_REPAIRED[kind]}" for kind, number in repaired.items())
    found_out = f"Found by this run and told again: {seen}." if seen else ""
    foreign = "Rows that are not ours are never touched." if any(one.kind == "theirs" for one in found.differences) else ""
    words = " ".join(filter(None, (found_out, foreign)))
    rows = tuple(_different(one, frame) for one in found.differences[:SHOWN])
    number = len(found.differences) or sum(repaired.values())
    columns = ("Who", "What differs", "There")
    return (Table("The bursar's list and ours differ", "≠", "warn", words, columns, rows, number, 0, "hold", bool(found.differences), money=False),)


def _different(one: Difference, frame: Frame) -> Row:
    ours = f"Ours: {shown(one.ours_cents)}" if one.ours_cents else ""
    return Row(((frame.person(one.account) or "Somebody",), tuple(filter(None, (_DIFFERENT[one.kind], ours)))), max(0, one.theirs_cents))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _sheet(name: str, title: str, told: Sequence[Told], found: HoldFacts, frame: Frame) -> Sheet:
    rows = tuple(
        (
            frame.person(one.line.account),
            "",
            found.source,
            one.line.code,
            one.line.reason,
            one.line.cents,
            str(one.item_count or ""),
            one.oldest_on or one.line.since_on,
            f"{_ACTIONS[one.line.verb]}{' again' if one.line.again else ''}",
            one.cause,
            found.run.name,
            f"{one.line.confirmed_at}{' assumed' if one.line.state == 'assumed' else ''}",
        )
        for one in told
    )
    return Sheet(name, 1, _COLUMNS, frozenset({"student_id"}), rows, title)
