"""The mail about what guards hold: what happened, what did not, in numbers, and the one next step (ux.md 5). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bursarbridge.flows.guarding import NOT_DONE, about
from bursarbridge.flows.report import SHOWN, Frame, Report, Row, Table
from bursarbridge.flows.sheet import Sheet
from bursarbridge.ledger.words import count, moment
from bursarbridge.store.guarded import Guarded

HELD = "held"
_COMES = "This mail comes when a guard has stopped something, and once a day until somebody decides."


def held_report(found: Sequence[Guarded], frame: Frame) -> Report:
    """What waits for a person, and what was approved and is about to go on."""
    waiting = [one for one in found if one.state == "held"]
    going = [one for one in found if one.state == "approved"]
    kinds = dict.fromkeys(one.kind for one in waiting)
    tables = (
        _table("Held for a person", "!", "bad", " ".join(NOT_DONE[kind] for kind in kinds), waiting, frame),
        _table("Approved", "↗", "info", "The next run of the flow carries it on.", going, frame),
    )
    columns = ("held", "flow", "kind", "state", "guard", "found", "amount", "approvers", "approved", "since")
    rows = tuple(
        (str(one.id), one.flow, one.kind, one.state, trip.code, trip.words, cents_of(one), str(one.approvers), str(approved(one)), one.opened_at)
        for one in found
        for trip in one.trips
    )
    return Report(
        HELD,
        f"Held: {_numbers(waiting)} ({frame.day})",
        _verdict(waiting),
        tables,
        steps_for(waiting),
        Sheet(HELD, 1, columns, frozenset(), rows),
        comes=_COMES,
    )


def cents_of(one: Guarded) -> int:
    """The money it is about."""
    return int(one.numbers.get("cents", 0))


def approved(one: Guarded) -> int:
    """How many people have approved it."""
    return sum(vote.verdict == "approve" for vote in one.votes)


def who_approves(one: Guarded) -> str:
    """Who must approve, in words: "two different people must approve, not R. Diaz, who started the run; Imre has"."""
    names = [vote.actor for vote in one.votes if vote.verdict == "approve"]
    must = "two different people must approve" if one.approvers > 1 else "one person must approve"
    must += f", not {one.started_by}, who started the run" if one.started_by else ""
    return f"{must}; {' and '.join(names)} {'has' if len(names) == 1 else 'have'}" if names else must


def _numbers(waiting: Sequence[Guarded]) -> str:
    if not waiting:
        return "nothing"
    first = waiting[0]
    more = f" and {count(len(waiting) - 1, 'more thing')}" if len(waiting) > 1 else ""
    return f"{_title(first)}, {first.trips[0].short}{more}"


def _verdict(waiting: Sequence[Guarded]) -> str:
    if not waiting:
        return "Nothing is held."
    first = waiting[0]
    more = f" {count(len(waiting) - 1, 'more thing')} {'is' if len(waiting) == 2 else 'are'} held." if len(waiting) > 1 else ""
    return f"{_title(first)} held for a person: {first.trips[0].words}. {NOT_DONE[first.kind]}{more}"


def _title(one: Guarded) -> str:
    name = one.flow.replace("-", " ")
    return f"{name[:1].upper()}{name[1:]}{' file' if one.kind == 'file' else ''}"


def steps_for(waiting: Sequence[Guarded]) -> tuple[str, ...]:
    """What to type about the first that waits, each step with one command."""
    if not waiting:
        return ()
    number = waiting[0].id
    return (
        "Look at it: bursarbridge held",
        f'Approve it ({who_approves(waiting[0])}): bursarbridge approve {number} --reason "..."',
        f'Or reject it: bursarbridge reject {number} --reason "..."',
    )


def _table(title: str, mark: str, tone: str, words: str, found: Sequence[Guarded], frame: Frame) -> Table:
    rows = tuple(_row(one, frame) for one in found[:SHOWN])
    return Table(title, mark, tone, words, ("Held", "Since and who", "Amount"), rows, len(found), sum(map(cents_of, found)), "thing")


def _row(one: Guarded, frame: Frame) -> Row:
    first = (f"{one.id}: {one.flow}, {about(one)}", *(trip.words for trip in one.trips))
    return Row((first, (moment(one.opened_at, frame.zone), who_approves(one))), cents_of(one))
