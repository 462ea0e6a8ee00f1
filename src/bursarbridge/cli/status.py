"""status: where all the money is, what is late, what waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.guards import fields_of, held_lines
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.report import mail_lines
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.timetable import legs_as_json, say_legs
from bursarbridge.cli.told import BILLING, HOLDING, NOUNS, OUTCOMES
from bursarbridge.cli.who import started
from bursarbridge.cli.words import count, moment
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.store.guarded import Guarded
    from bursarbridge.store.outbox_mail import MailView
    from bursarbridge.store.tally import Count
    from bursarbridge.store.views import BatchView, LastRun

_PLACES = (
    ("source", "assessed, the bursar does not know yet"),
    ("in_transit", "on its way, no answer yet"),
    ("bursar", "open on student accounts"),
    ("paid", "paid, the office it is owed to does not know yet"),
    ("waived", "forgiven, the bursar does not know yet"),
    ("settled", "settled, both sides know"),
    ("student_credit", "paid beyond what was owed, the cashier decides"),
)

_UNSENT = {"IN_DOUBT": "it is not certain that it arrived"}


def status(folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Show where the money is, which files have no answer, and what waits for a person.

    \b
    bursarbridge status -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where, where.command("check")), bridge_of(screen, where) as bridge:
        from bursarbridge.store import epochs, guarded, outbox_mail, suspense, views

        zone = bridge.settings.campus.timezone
        with bridge.books() as books:
            places, unexplained = views.places(books), views.unexplained_cents(books)
            batches, runs = views.batches(books, only_open=True), views.last_runs(books)
            held = guarded.open_ones(books)
            waiting, mails = suspense.open_total(books), outbox_mail.waiting(books)
            blocked = epochs.waiting(books)
        legs, alarms = bridge.legs(), bridge.alarms()
        screen.give(
            {
                "places": places,
                "unexplained_cents": unexplained,
                "batches": {
                    "open": _sum(batches),
                    "late": _sum([one for one in batches if one.late]),
                    "list": [one._asdict() for one in batches],
                },
                "suspense": {"open": waiting.as_json()},
                "runs": [one._asdict() for one in runs],
                "mail": [one._asdict() for one in mails],
                "held": [fields_of(one) for one in held],
                "timetable": legs_as_json(legs, alarms, zone),
                "blocked": blocked._asdict() if blocked else None,
            }
        )
        if blocked:
            screen.say(bold(f"Nothing runs and nothing leaves: {blocked.because}. `bursarbridge reconcile` goes on from here."))
        _held(screen, held, zone)
        _places(screen, places, unexplained)
        _batches(screen, batches, zone)
        say_legs(screen, legs, alarms, zone)
        _runs(screen, [one for one in runs if one.flow in NOUNS or one.flow.endswith((*BILLING, *HOLDING))], zone)
        _mails(screen, mails, zone)
        _next(screen, where, held, waiting, runs)


def _sum(batches: list[BatchView]) -> dict[str, int]:
    return {"count": len(batches), "cents": sum(one.cents for one in batches)}


def _held(screen: Screen, held: list[Guarded], zone: ZoneInfo) -> None:
    if held:
        screen.say(bold("Held for a person"))
        for line in held_lines(held, zone):
            screen.say(line)
        screen.say()


def _places(screen: Screen, places: dict[str, int], unexplained: int) -> None:
    screen.say(bold("Where the money is"))
    rows = [[words, shown(places[place])] for place, words in _PLACES]
    rows.append(["taken in altogether", shown(-places["outside"])])
    rows.append(["unexplained", shown(unexplained)])
    screen.table(rows, right=(1,))
    if unexplained:
        screen.say("The books do not agree with themselves. Stop, keep a copy of the database, and ask whoever maintains the bridge.")


def _batches(screen: Screen, batches: list[BatchView], zone: ZoneInfo) -> None:
    if not batches:
        return
    screen.say()
    screen.say(bold("Files without an answer"))
    for one in batches:
        told = f"sent {moment(one.sent_at, zone)}" if one.sent_at else _UNSENT.get(one.state, "not sent yet")
        due = f"; {'LATE, was ' if one.late else ''}expected by {moment(one.expected_at, zone)}" if one.expected_at else ""
        screen.say(f"  {one.document} to the {one.destination}: {count(one.lines, 'line')}, {shown(one.cents)}; {told}{due}")


def _mails(screen: Screen, mails: list[MailView], zone: ZoneInfo) -> None:
    if mails:
        screen.say()
        screen.say(bold("Mail that has not arrived"))
        for line in mail_lines(mails, zone):
            screen.say(line)


def _runs(screen: Screen, runs: list[LastRun], zone: ZoneInfo) -> None:
    screen.say()
    screen.say(bold("Last runs"))
    if not runs:
        screen.say("  none yet")
    told = [(one, OUTCOMES.get(one.outcome, "not finished")) for one in runs]
    screen.table([one.flow, moment(one.started_at, zone), outcome, started(one.start, one.started_by)] for one, outcome in told)


def _next(screen: Screen, where: Where, held: list[Guarded], waiting: Count, runs: list[LastRun]) -> None:
    screen.say()
    stopped = sum(one.state == "held" for one in held)
    if stopped:
        screen.say(f"{count(stopped, 'thing')} {'is' if stopped == 1 else 'are'} held for a person.")
    if waiting.count:
        screen.say(f"{count(waiting.count, 'item')} {'waits' if waiting.count == 1 else 'wait'} for a person, {shown(waiting.cents)}.")
    if stopped or waiting.count:
        screen.next(where.command("held" if stopped else "suspense list"))
        return
    screen.say("Nothing waits for a person.")
    screen.next(where.command("explain PERSON") if runs else where.command("run library-charges"))
