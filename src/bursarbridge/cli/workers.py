"""workers: who is at work on the ledger now, on any machine, and who ran what last."""

from __future__ import annotations

from typing import Annotated

import typer

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.words import count, moment

_SHOWN = 20

Number = Annotated[int, typer.Option("-n", min=1, max=1000, help="How many of the last runs to show.")]


def workers(
    folder: Folder = None, file: File = None, number: Number = _SHOWN, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """Show which workers are at work now, on any machine, and which of them ran what last. Nothing is changed.

    \b
    bursarbridge workers -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        from bursarbridge.jobs.crew import at_work, who_ran
        from bursarbridge.store import runs

        with bridge.books() as books:
            hands, found = at_work(books.connection), runs.newest(books, number)
            slots = who_ran(books.connection, [one.run for one in found])
            postgres = books.postgres
        screen.give(
            {"at_work": [one._asdict() for one in hands], "runs": [{**one._asdict(), "slot": slots.get(one.run, "")} for one in found]},
        )
        zone = bridge.settings.campus.timezone
        nobody = "Nobody is at work." if postgres else "The ledger is a SQLite file: one process at a time works on it, and has no slot."
        screen.say(bold(f"{count(len(hands), 'worker')} at work") if hands else nobody)
        screen.table([one.slot, one.machine, f"process {one.pid}"] for one in hands)
        screen.say(bold("The last runs, newest first") if found else "Nothing has run yet.")
        screen.table([moment(one.started_at, zone), one.run, slots.get(one.run, ""), one.outcome.replace("_", " ") or "under way"] for one in found)
        screen.next(where.command("status"))
