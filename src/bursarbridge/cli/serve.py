"""serve: listen for the webhook calls of the campus's systems and show numbers and health, until stopped."""

from __future__ import annotations

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, NoColor, Quiet
from bursarbridge.cli.screen import Screen


def serve(folder: Folder = None, file: File = None, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Listen for webhook calls and store them, until stopped (Ctrl-C, or SIGTERM); `run library-returns` works them off.

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
            for name, source in bridge.settings.sources.items():
                if source.webhooks:
                    screen.note(f"listening on http://{place.host}:{listener.getsockname()[1]}/webhooks/{name}")
            screen.note(f"numbers and health on http://{place.host}:{listener.getsockname()[1]}/metrics and /health")
            run(app, listener)
        screen.note("stopped")
