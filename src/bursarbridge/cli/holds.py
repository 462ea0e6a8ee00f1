"""holds: who has one, why, and the release that one person may order for one student."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import SHOWN, All, File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.who import logged_in
from bursarbridge.cli.words import count, day, moment
from bursarbridge.errors import Refused
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.flows.hold_desk import Explained
    from bursarbridge.store.hold_views import HoldView
    from bursarbridge.wiring import Bridge

group = typer.Typer(help="Holds: list, explain, release.", no_args_is_help=True, rich_markup_mode=None)

Person = Annotated[str, typer.Argument(metavar="ID", help="A person's id.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept with the order for ever.")]
Until = Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which what is open now places no hold (default: as set).")]
Source = Annotated[str, typer.Option("--source", metavar="NAME", help="Whose hold, where several sources have holds.")]
Actor = Annotated[str, typer.Option("--by", metavar="NAME", help="Who orders it (default: who is logged in).")]
Now = Annotated[bool, typer.Option("--run", help="Run the flow at once, so that the release leaves now.")]
_KNOWN = {"seen": "seen at the bursar's", "assumed": "assumed", "": "not confirmed yet"}
_REPAIR = {"missing": "MISSING at the bursar's", "amount": "another amount at the bursar's", "still": "STILL THERE at the bursar's", "": ""}


@group.command("list")
def list_(
    every: All = False, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """List the holds that are on or whose release is not confirmed, stuck ones first.

    \b
    bursarbridge holds list -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, {"holds": []})
    with ending(screen, where), bridge_of(screen, where) as bridge:
        from bursarbridge.store import hold_views

        with bridge.books() as books:
            found = hold_views.board(books)
        screen.give({"holds": [one._asdict() for one in found]})
        listed = found if every else found[:SHOWN]
        screen.table([_row(one, bridge.settings.campus.timezone) for one in listed], right=(2,))
        if len(listed) < len(found):
            screen.say(f"  and {len(found) - len(listed):,} more; --all shows them")
        on = [one for one in found if one.verb != "release"]
        screen.say(f"{count(len(on), 'hold')} on, {shown(sum(one.cents for one in on))}; {sum(one.stuck for one in found):,} stuck.")
        screen.next(where.command(f"holds explain {found[0].account}" if found else "status"))


@group.command("explain")
def explain(person: Person, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Say why somebody has a hold, or none: what is owed, what the bursar was told, and who moves next.

    \b
    bursarbridge holds explain 0012345 -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, {"holds": []})
    with ending(screen, where), bridge_of(screen, where) as bridge:
        found = _explained(bridge, person.strip())
        screen.give({"holds": [_as_json(one) for one in found]})
        for one in found:
            _show(screen, one, bridge.settings.campus.timezone)
        on = next((one for one in found if one.told.active), None)
        screen.next(where.command(f'holds release {person.strip()} --source {on.source} --reason "..."' if on else "holds list"))


@group.command("release")
def release(
    person: Person,
    reason: Reason,
    until: Until = "",
    source: Source = "",
    actor: Actor = "",
    run: Now = False,
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Order that somebody be released although money is open; no guard stops it, and it is kept for ever who said so and why.

    \b
    bursarbridge holds release 0012345 --reason "registers today, pays Friday" -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    code = 0
    with ending(screen, where), bridge_of(screen, where) as bridge:
        named = source or _meant(bridge, person.strip())
        said = bridge.release_hold(named, person.strip(), actor or logged_in(), reason, _day(until))
        screen.say(f"{person.strip()}: {said}.")
        if run:
            from bursarbridge.cli.runs import carry_out

            code = carry_out(screen, where, bridge, f"{named}-holds", actor or logged_in())
        else:
            screen.give({"source": named, "account": person.strip(), "words": said})
            screen.next(where.command(f"run {named}-holds"))
    raise typer.Exit(code)


def _explained(bridge: Bridge, person: str) -> list[Explained]:
    """Of every source that holds."""
    from bursarbridge.flows.hold_desk import explain

    if not bridge.settings.holds:
        raise Refused("these settings have no [holds] section, so the bridge places no holds")
    today = bridge.clock().astimezone(bridge.settings.campus.timezone).date().isoformat()
    with bridge.books() as books:
        return [explain(books, bridge.hold_flow_of(one.name), person, today) for one in bridge.settings.holds]


def _meant(bridge: Bridge, person: str) -> str:
    """The source whose hold is meant: the only one, or the only one that has a hold on that person."""
    found = _explained(bridge, person)
    on = [one.source for one in found if one.told.active] or [one.source for one in found]
    if len(on) > 1:
        raise Refused(f"{person} can be held by {' and '.join(on)}; say which: --source {on[0]}")
    return on[0]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise Refused(f'"{text}" is not a date: year, month and day, --until 2026-11-20') from None


def _row(one: HoldView, zone: ZoneInfo) -> list[str]:
    what = "release" if one.verb == "release" else "on"
    state = _REPAIR[one.repair] or _KNOWN[one.confirmed]
    stuck = "STUCK" if one.stuck else ""
    return [stuck, f"{one.source} {one.account}", shown(one.cents), f"{what}, told {moment(one.told_at, zone)}, {state}", f"{one.code} {one.reason}"]


def _show(screen: Screen, one: Explained, zone: ZoneInfo) -> None:
    screen.say(bold(one.verdict))
    rows = [["Waiting on", one.waiting_on], ["Owed", shown(one.owed_cents)]]
    if one.told.on:
        rows.append(["Told last", f"{one.told.verb}, {day(one.told.on)}, {_KNOWN[one.told.confirmed]}"])
    screen.table(rows)
    screen.table([[moment(event.at, zone), event.verb, shown(event.cents), event.state, event.because] for event in one.history], (2,), "    ")
    screen.say()


def _as_json(one: Explained) -> dict[str, object]:
    return {
        "source": one.source,
        "verdict": one.verdict,
        "waiting_on": one.waiting_on,
        "owed_cents": one.owed_cents,
        "told": one.told._asdict(),
        "next": one.verb,
        "history": [event._asdict() for event in one.history],
    }
