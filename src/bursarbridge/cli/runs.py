"""run and preview: one flow now, for real or only to look."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bursarbridge.cli import told
from bursarbridge.cli.campus import EXCEPTIONS, FAILED, HELD, Where, bridge_of, ending, usage
from bursarbridge.cli.hold_words import plan_lines
from bursarbridge.cli.options import File, Folder, Json, NoColor, Quiet
from bursarbridge.cli.screen import Screen, bold
from bursarbridge.cli.who import starter
from bursarbridge.errors import BridgeError, Refused
from bursarbridge.ledger.money import shown

if TYPE_CHECKING:
    from bursarbridge.cli.told import Told
    from bursarbridge.wiring import Bridge

_CODES = {"completed_with_exceptions": EXCEPTIONS, "held": HELD, "failed": FAILED}
_STEPS = {
    "collect.fetched": "a file is copied",
    "collect.kept": "a file is in the vault",
    "collect.posting": "its records are decided",
    "submit.writing": "a file is written",
    "submit.sealed": "the batch is sealed",
    "holds.carried": "people's balances are compared",
    "holds.sealed": "the holds are decided",
    "deliver.uploaded": "a file is uploaded",
    "deliver.verified": "a file is read back",
}
"""What people see on a terminal as a run goes on, by the named points of the flows."""


def _flows(incomplete: str) -> list[str]:
    from bursarbridge.assembly.names import ALL_FLOWS

    return [flow for flow in ALL_FLOWS if flow.startswith(incomplete)]


Actor = Annotated[str, typer.Option("--by", metavar="NAME", help="Who starts it (default: who is logged in).")]
_HELP = "library-charges, library-payments, library-credits, library-returns, or SOURCE-holds; where parking bills, SOURCE-charges and so on."
FlowName = Annotated[str, typer.Argument(metavar="FLOW", autocompletion=_flows, help=_HELP)]


def run(
    flow: FlowName,
    actor: Actor = "",
    folder: Folder = None,
    file: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Run one flow now: read what waits, post it, send what is due. Whoever starts it approves nothing that it made.

    \b
    bursarbridge run library-charges -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, told.empty(flow))
    _known(screen, where, flow)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        code = carry_out(screen, where, bridge, flow, starter(actor))
    raise typer.Exit(code)


def carry_out(screen: Screen, where: Where, bridge: Bridge, flow: str, actor: str) -> int:
    """Runs a flow now, started by a person, and tells of it; returns the exit code."""
    _holds_known(bridge, flow)
    with _shown_steps(screen, bridge) as seen:
        ran = _run(seen, where, flow, actor)
    _tell(screen, where, ran)
    return _CODES.get(ran["outcome"], 0)


def preview(flow: FlowName, folder: Folder = None, file: File = None, as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Show what a run would do with the files that wait now; nothing leaves and nothing changes.

    \b
    bursarbridge preview library-charges -C campus
    """
    screen = Screen(as_json, quiet, no_color)
    where = Where(folder, file, told.empty(flow))
    _known(screen, where, flow)
    with ending(screen, where), bridge_of(screen, where) as bridge:
        _holds_known(bridge, flow)
        seen = cast("Told", bridge.preview(flow))
        screen.give(seen)
        screen.say(f"{bold(f'{flow}: a preview')}; nothing leaves, nothing changes")
        for line in told.lines(seen, only_looked=True):
            screen.say(line)
        for line in plan_lines(seen):
            screen.say(line)
        screen.say(f"  Control total: {seen['sent']['count']:,} lines, {shown(seen['sent']['cents'])}")
        screen.next(where.command(f"run {flow}"))


def _known(screen: Screen, where: Where, flow: str) -> None:
    if flow not in told.NOUNS and not flow.endswith((*told.BILLING, *told.HOLDING)):
        *most, last = told.NOUNS
        usage(screen, where, f'there is no flow "{flow}"; the flows are {", ".join(most)} and {last}', where.command("run library-charges"))


def _holds_known(bridge: Bridge, flow: str) -> None:
    """Raises Refused for a flow that would hold or bill, and that the settings do not have."""
    if flow.endswith(told.HOLDING):
        from bursarbridge.assembly.holds import holding_of

        holding_of(bridge.settings, flow)
    if flow not in told.NOUNS and flow.endswith(tuple(told.BILLING)):
        from bursarbridge.assembly.names import ALL_FLOWS, billing_flows

        if flow not in billing_flows(bridge.settings):
            known = (*ALL_FLOWS, *billing_flows(bridge.settings))
            raise Refused(f'there is no flow "{flow}"; the flows are {", ".join(known[:-1])} and {known[-1]}')


def _run(bridge: Bridge, where: Where, flow: str, actor: str) -> Told:
    """The run; when it fails, the name it was recorded under goes into the failed call's object."""
    with bridge.running(actor) as start:
        try:
            return cast("Told", start(flow))
        except BridgeError:
            where.zeros = {**where.zeros, "run": _last(bridge, flow)}
            raise


def _last(bridge: Bridge, flow: str) -> str:
    from bursarbridge.store import views

    with bridge.books() as books:
        return next((one.name for one in views.last_runs(books) if one.flow == flow), "")


def _tell(screen: Screen, where: Where, ran: Told) -> None:
    screen.give(ran)
    screen.say(bold(f"{ran['flow']}: {told.OUTCOMES[ran['outcome']]}"))
    for line in told.lines(ran, only_looked=False):
        screen.say(line)
    following = {"completed_with_exceptions": "suspense list", "held": "held"}
    screen.next(where.command(following.get(ran["outcome"], "status")))


@contextmanager
def _shown_steps(screen: Screen, bridge: Bridge) -> Iterator[Bridge]:
    """The bridge; on a terminal one that says, in a line that goes away at the end, what the run is doing now."""
    if screen.quiet or screen.as_json or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield bridge
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=screen.no_color or None)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("looking for files")

        def reached(point: str) -> None:
            if point in _STEPS:
                bar.update(task, description=_STEPS[point])
            bridge.reached(point)

        yield replace(bridge, reached=reached)
