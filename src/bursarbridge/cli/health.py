"""health: whether the bridge is well, for cron and other watches that read exit codes."""

from __future__ import annotations

import typer

from bursarbridge.cli.campus import FAILED, Where, ending, heading, settings_of
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen
from bursarbridge.cli.words import moment


def health(folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Say whether the bridge is well: exit code 0 when it is, 1 with every reason when it is not. Nothing is changed.

    \b
    bursarbridge health -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file)
    with ending(screen, where, where.command("status")):
        settings = settings_of(screen, where)
        from bursarbridge import wiring
        from bursarbridge.wiring.outward import unhealthy_unopened

        now = wiring.clock_of(settings)()
        screen.note(heading(settings, moment(now, settings.campus.timezone)))
        reasons = unhealthy_unopened(settings, now)
        screen.give({"healthy": not reasons, "reasons": reasons, "exit_code": FAILED if reasons else 0})
        for reason in reasons:
            screen.say(f"  {reason}")
        screen.say("The bridge is not well." if reasons else "The bridge is well.")
        if reasons:
            screen.next(where.command("status"))
            raise typer.Exit(FAILED)
