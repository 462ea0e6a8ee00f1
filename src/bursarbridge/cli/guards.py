"""held, approve, reject: what a guard stopped, and deciding about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli import told
from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.runs import carry_out
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.who import logged_in, started
from bursarbridge.cli.words import count, moment

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.store.guarded import Guarded
    from bursarbridge.wiring import Bridge

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, from `held`.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept with the decision for ever.")]
Actor = Annotated[str, typer.Option("--by", "--as", metavar="NAME", help="Who decides (default: who is logged in).")]
RunNow = Annotated[bool, typer.Option("--run", help="Once it is approved, run its flow at once.")]


def held(folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """List what a guard holds for a person: in numbers, why, and who may approve it.

    \b
    bursarbridge held -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        found = _open(bridge)
        screen.give({"held": [fields_of(one) for one in found]})
        for line in held_lines(found, bridge.settings.campus.timezone):
            screen.say(line)
        waiting = [one for one in found if one.state == "held"]
        screen.say(f"{count(len(waiting), 'thing')} held for a person." if waiting else "Nothing is held for a person.")
        if waiting:
            screen.next(where.command(f'approve {waiting[0].id} --reason "..."'), where.command(f'reject {waiting[0].id} --reason "..."'))
        else:
            screen.next(where.command(f"run {found[0].flow}" if found else "status"))


def approve(
    number: Number,
    reason: Reason,
    actor: Actor = "",
    run: RunNow = False,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Approve what a guard holds; the next run of its flow carries it on, or with --run at once.

    \b
    bursarbridge approve 1 --reason "amnesty week, agreed with the bursar" -C campus
    """
    _decide(Screen(as_json, quiet, no_color), Where(folder, file), number, "approve", reason, actor, run=run)


def reject(
    number: Number,
    reason: Reason,
    actor: Actor = "",
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Reject what a guard holds; nothing of it leaves, and nothing of a file is posted.

    \b
    bursarbridge reject 1 --reason "the column was mapped wrongly" -C campus
    """
    _decide(Screen(as_json, quiet, no_color), Where(folder, file), number, "reject", reason, actor, run=False)


def held_lines(found: list[Guarded], zone: ZoneInfo) -> list[str]:
    """What is held, for people."""
    from bursarbridge.flows.guarding import NOT_DONE, about
    from bursarbridge.flows.held import who_approves

    lines = []
    for one in found:
        lines.append(f"  {one.id}  {one.flow}, {about(one)}; since {moment(one.opened_at, zone)}{started(one.start, one.started_by, ', started ')}")
        lines += [f"      {trip.words}" for trip in one.trips]
        done = f"{NOT_DONE[one.kind]} {who_approves(one)[:1].upper()}{who_approves(one)[1:]}."
        lines.append(f"      {done if one.state == 'held' else f'Approved; the next run of {one.flow} carries it on.'}")
    return lines


def fields_of(one: Guarded) -> dict[str, object]:
    """What is held, for programs."""
    trips = [{"guard": trip.code, "words": trip.words, "approvers": trip.approvers} for trip in one.trips]
    numbers = {name: number for name, number in one.numbers.items() if not isinstance(number, str)}
    return {
        **one._asdict(),
        "trips": trips,
        "numbers": numbers,
        "missing": one.missing,
        "votes": [vote._asdict() for vote in one.votes],
    }


def _open(bridge: Bridge) -> list[Guarded]:
    from bursarbridge.store import guarded

    with bridge.books() as books:
        return guarded.open_ones(books)


def _decide(screen: Screen, where: Where, number: int, verdict: str, reason: str, actor: str, *, run: bool) -> None:
    code = 0
    with ending(screen, where, where.command("held")), bridge_of(screen, where) as bridge:
        who = actor or logged_in()
        words, after = bridge.decide(number, who, verdict, reason)
        screen.say(bold(f"{words[:1].upper()}{words[1:]}."))
        screen.note(f"Decided by {who}: {reason}")
        if run and after.state == "approved":
            where.zeros = told.empty(after.flow)
            code = carry_out(screen, where, bridge, after.flow, who)
        else:
            screen.give({"outcome": "completed", "words": words, "held": fields_of(after)})
            screen.next(where.command(f"run {after.flow}" if after.state == "approved" else "held"))
    raise typer.Exit(code)
