"""sync and schedule: what is due now, once; and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bursarbridge.cli.campus import EXCEPTIONS, FAILED, HELD, UNREACHABLE, Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import count, moment

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bursarbridge.assembly.timetable import LegView
    from bursarbridge.store.alarms import AlarmRow
    from bursarbridge.wiring.syncing import Synced

_WORST = (("failed", FAILED), ("held", HELD), ("unreachable", UNREACHABLE), ("completed_with_exceptions", EXCEPTIONS))
"""A round's exit code is that of its worst run, gravest first."""
_SAID = {"unreachable": "another system cannot be reached; tried again by itself", "completed_with_exceptions": "completed with exceptions"}
_LOUD = ("late", "missed", "failed", "held")
_RUNS = 10

Due = Annotated[bool, typer.Option("--due", help="Only what is due, which is what sync always does; for crontabs that should say so.")]
Number = Annotated[int, typer.Option("-n", min=1, max=200, help="How many runs to show.")]


def sync(folder: Folder = None, file: File = None, _due: Due = True, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Run what is due by the timetable, each slot once, tell of what is late, and end. For cron and systemd, every few minutes.

    \b
    bursarbridge sync --due -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, {"ran": [], "skipped": [], "missed": []})
    with ending(screen, where), bridge_of(screen, where) as bridge:
        done = bridge.sync()
        outcomes = {one["outcome"] for one in done["ran"]}
        code = next((number for name, number in _WORST if name in outcomes), 0)
        screen.give({**done, "exit_code": code})
        _say_round(screen, done)
        screen.next(where.command("status" if code else "schedule"))
    raise typer.Exit(code)


def schedule(
    folder: Folder = None, file: File = None, number: Number = _RUNS, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """Show the next runs in campus time. Nothing is changed.

    \b
    bursarbridge schedule -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        zone = bridge.settings.campus.timezone
        runs, legs = bridge.upcoming(number), bridge.legs()
        waiting = bridge.due()
        screen.give(
            {
                "timezone": zone.key,
                "due": [{"flow": one.flow, "local_date": one.local_date.isoformat(), "slot": one.name} for one in waiting],
                "runs": [
                    {
                        "flow": one.flow,
                        "local_date": one.local_date.isoformat(),
                        "slot": one.name,
                        "due_at": f"{one.due_at:%Y-%m-%dT%H:%M:%SZ}",
                        "local": one.due_at.astimezone(zone).isoformat(),
                    }
                    for one in runs
                ],
                "flows": legs_as_json(legs, [], zone)["flows"],
            }
        )
        if waiting:
            screen.say(f"Due now: {', '.join(dict.fromkeys(one.flow for one in waiting))}")
        head = f"The next {count(len(runs), 'run')}, in the time of {zone.key}"
        screen.say(bold(head) if runs else "The settings have no timetable ([flows], docs/timetable.md).")
        screen.table([moment(one.due_at, zone), one.flow, _stands_for(one.name, moment(one.due_at, zone))] for one in runs)
        screen.next(where.command("sync --due" if waiting else "status"))


def _stands_for(name: str, shown: str) -> str:
    """The slot's own time where it is not the one shown: in the hour that the clock skips."""
    hour, _, minute = name.partition(":")
    same = f" {int(hour) % 12 or 12}:{minute} {'AM' if int(hour) < 12 else 'PM'}" in shown
    return "" if same else f"for {name}"


def _say_round(screen: Screen, done: Synced) -> None:
    rows = [[one["flow"], f"{one['local_date']} {one['slot']}", _SAID.get(one["outcome"], one["outcome"].replace("_", " "))] for one in done["ran"]]
    for state, passed in (("skipped", done["skipped"]), ("missed", done["missed"])):
        rows += [[one["flow"], f"{one['local_date']} {one['slot']}", f"{state}: {one['words']}"] for one in passed]
    screen.table(rows)
    for one in done["ran"]:
        if one["words"]:
            screen.say(f"  {one['flow']}: {one['words']}")
    if not rows:
        screen.say("Nothing is due.")
    told = done["alarms"]
    if any(told.values()):
        screen.say(f"Alarms: {told['raised']} raised, {told['escalated']} told again, {told['resolved']} resolved")


def legs_as_json(legs: Sequence[LegView], alarms: Sequence[AlarmRow], zone: ZoneInfo) -> dict[str, list[dict[str, object]]]:
    """The timetable's part of an answer: every leg, and the alarms that stand open."""
    return {
        "flows": [{**one._asdict(), "next": moment(one.next_at, zone)} for one in legs],
        "alarms": [{"leg": one.leg, "kind": one.kind, "subject": one.subject, "opened_at": one.opened_at, "level": one.level} for one in alarms],
    }


def say_legs(screen: Screen, legs: Sequence[LegView], alarms: Sequence[AlarmRow], zone: ZoneInfo) -> None:
    """The timetable for people: alarms first, then every leg with its state, its last time and its next."""
    if alarms:
        screen.say()
        screen.say(bold("Alarms"))
        screen.table([one.subject, f"since {moment(one.opened_at, zone)}"] for one in alarms)
    if not legs:
        return
    screen.say()
    screen.say(bold("Timetable"))
    screen.table([one.flow, one.state.upper() if one.state in _LOUD else one.state, moment(one.due_at, zone), _next(one, zone)] for one in legs)
    for one in legs:
        if one.state in _LOUD and one.words:
            screen.say(f"  {one.flow}, {one.slot}: {one.words}")
    looked = max(one.seen_at for one in legs)
    screen.say(f"  last looked at {moment(looked, zone)}" if looked else "  never looked at yet: `bursarbridge sync --due` does it")


def _next(one: LegView, zone: ZoneInfo) -> str:
    return f"next {moment(one.next_at, zone) or 'never'}"
