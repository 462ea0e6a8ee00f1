"""serve: listen for the webhook calls of the campus's systems, until stopped."""

from __future__ import annotations

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, NoColor, Quiet
from bursarbridge.cli.screen import Screen
from bursarbridge.errors import Refused


def serve(folder: Folder = None, file: File = None, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Listen for webhook calls and store them, until stopped (Ctrl-C, or SIGTERM); `run library-returns` works them off.

    \b
    bursarbridge serve -C campus
    """
    screen = Screen(as_json=False, quiet=quiet, no_color=no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        place = bridge.settings.serve
        if not any(source.webhooks for source in bridge.settings.libraries):
            raise Refused("no source has a section webhooks, so there is nothing to listen for (docs/webhooks.md)")
        from bursarbridge.console.serving import bound, run

        with bound(place.host, place.port) as listener, bridge.listening() as app:
            for source in bridge.settings.libraries:
                if source.webhooks:
                    screen.note(f"listening on http://{place.host}:{listener.getsockname()[1]}/webhooks/{source.name}")
            run(app, listener)
        screen.note("stopped")
