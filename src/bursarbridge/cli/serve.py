"""serve: listen for the webhook calls of the campus's systems, work off what is due, and show numbers and health, until stopped."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, NoColor, Quiet
from bursarbridge.cli.screen import Screen
from bursarbridge.cli.work import working_beside

_NoWorker = Annotated[bool, typer.Option("--no-worker", help="Only listen; `bursarbridge work` runs somewhere else.")]


def serve(folder: Folder = None, file: File = None, quiet: Quiet = False, no_color: NoColor = False, no_worker: _NoWorker = False) -> None:
    """Listen for webhook calls, store them, and work off what is due, until stopped (Ctrl-C, or SIGTERM).

    Shows the bridge's numbers at /metrics and its health at /health, with or without webhooks.

    \b
    bursarbridge serve -C campus
    """
    screen = Screen(as_json=False, quiet=quiet, no_color=no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        place = bridge.settings.serve
        from bursarbridge.console.serving import bound, run

        with bound(place.host, place.port) as listener, bridge.listening() as app:
            for source in bridge.settings.libraries:
                if source.webhooks:
                    screen.note(f"listening on http://{place.host}:{listener.getsockname()[1]}/webhooks/{source.name}")
            screen.note(f"numbers and health on http://{place.host}:{listener.getsockname()[1]}/metrics and /health")
            with nullcontext() if no_worker else working_beside(screen, bridge):
                run(app, listener)
        screen.note("stopped")
