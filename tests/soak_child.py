"""Runs a campus again and again, or looks at it, and prints memory and handles: `python -m tests.soak_child WHAT FOLDER WARM TURNS`."""

import gc
import json
import os
import sys
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bursarbridge import config
from bursarbridge.console.metrics import Answered
from bursarbridge.examples.example import write_example
from bursarbridge.wiring import Bridge, build
from bursarbridge.wiring.outward import Outward
from tests.campus_files import Fee, export_bytes


def measured() -> dict[str, int]:
    """Live objects, KiB in memory, open handles, threads.

    A weak reference to something that is gone is not counted: a sqlite3 connection sweeps those of its cursors once in two hundred.
    """
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "objects": sum(not (type(one) is weakref.ref and one() is None) for one in gc.get_objects()),
        "kib": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "handles": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - the list holds its own handle, as it does each time
        "threads": len(os.listdir("/proc/self/task")),  # noqa: PTH208
    }


def main(what: str, folder: Path, warm: int, turns: int) -> None:
    """Measures after so many turns, and after so many more."""
    settings_file = write_example(folder)[0]
    with settings_file.open("a", encoding="utf-8") as settings:
        settings.write('\n[log]\nfile = "log.jsonl"\n')
    bridge = build(config.load(settings_file), wait=lambda _seconds: None)
    with ExitStack() as stack:
        turn = _turn(what, bridge, folder, stack)
        for number in range(warm):
            turn(number)
        before = measured()
        for number in range(warm, warm + turns):
            turn(number)
        sys.stdout.write(json.dumps([before, measured()]) + "\n")
    bridge.close()


def _turn(what: str, bridge: Bridge, folder: Path, stack: ExitStack) -> Callable[[int], object]:
    """A look from outside; a run; or a run with an engine of its own, as a round of a worker on SQLite has it."""
    outward = Outward(bridge.settings, bridge.clock, bridge.ledger, bridge.watch)
    answered = Answered()
    if what == "looks":
        bridge.run("library-charges")
        return lambda _number: (outward.metrics(answered), outward.unhealthy())
    if what == "rounds":
        return lambda _number: bridge.run("library-payments")
    start = stack.enter_context(bridge.running())

    def run(number: int) -> None:
        if number % 4 == 0:
            (folder / "alma/out" / f"export-{number}.xml").write_bytes(export_bytes([Fee(str(number), 500)]))
        start("library-charges" if number % 2 == 0 else "library-payments")

    return run


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
