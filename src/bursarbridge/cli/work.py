"""work: run flows and take over what dead workers left, until stopped. Beside it, in `serve`, the same in a thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bursarbridge.cli.campus import Where, bridge_of, ending
from bursarbridge.cli.options import File, Folder, NoColor, Quiet
from bursarbridge.cli.screen import Screen
from bursarbridge.errors import BridgeError

if TYPE_CHECKING:
    from bursarbridge.wiring import Bridge


def work(folder: Folder = None, file: File = None, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Run what is due and take over what dead workers left, until stopped (Ctrl-C, or SIGTERM); any number of machines on one PostgreSQL.

    \b
    bursarbridge work -C campus
    """
    screen = Screen(as_json=False, quiet=quiet, no_color=no_color)
    where = Where(folder, file)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda _number, _frame: bridge.stopping.set())
        _work(screen, bridge)
        screen.note("stopped")


@contextmanager
def working_beside(screen: Screen, bridge: Bridge) -> Iterator[None]:
    """Works in a thread for the length of the block; ends after the step under way. A worker that cannot begin is told, and the block goes on."""

    def beside() -> None:
        try:
            _work(screen, bridge)
        except BridgeError as error:
            screen.fail(f"the worker ended, calls are still heard: {error}")

    thread = threading.Thread(target=beside, name="worker")
    thread.start()
    try:
        yield
    finally:
        bridge.stopping.set()
        thread.join()


def _work(screen: Screen, bridge: Bridge) -> None:
    from bursarbridge.wiring.working import work as keep_working

    keep_working(bridge, bridge.sync, screen.note)
