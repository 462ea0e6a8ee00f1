"""The verbs of the program, in the order a newcomer meets them. Importing this loads nothing heavy: each verb does that for itself."""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from bursarbridge.cli import (
    demo,
    explain,
    files,
    guards,
    health,
    holds,
    keeping,
    reconcile,
    report,
    returned,
    runs,
    sandbox_cli,
    serve,
    settings,
    status,
    suspense,
    timetable,
    work,
    workers,
)

_EXAMPLES = """\b
Begin here:
  bursarbridge demo                             two days and a morning on an invented campus
  bursarbridge init --example campus            a campus of folders, to try things on
  bursarbridge preview library-charges -C campus
  bursarbridge run library-charges -C campus
  bursarbridge status -C campus
  bursarbridge explain 0012345 -C campus

\b
Exit codes: 0 ok, 1 failed and nothing sent, 2 usage or settings, 3 held for a person,
4 done with exceptions, 5 another system cannot be reached (safe to retry), 6 another run is under way.
"""

_CYCLES_AT = 50_000
"""New objects until cycles among them are looked for: at Python's 700, loading the program and a long list is looked through hundreds of times."""

app = typer.Typer(
    name="bursarbridge",
    help="Carries fees and payments between campus offices and the student account, to the cent.",
    epilog=_EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo", short_help="Live two days and a morning on an invented campus.")(demo.demo)
app.command("init", short_help="Write an example campus.")(settings.init)
app.command("check", short_help="Name every fault of the settings.")(settings.check)
app.command("preview", short_help="Show what a run would do.")(runs.preview)
app.command("run", short_help="Run one flow now.")(runs.run)
app.command("status", short_help="Say where the money is.")(status.status)
app.command("explain", short_help="Say why a fee is still here.")(explain.explain)
app.command("report", short_help="Show or mail a report.")(report.report)
app.command("returned", short_help="List what came back and is still charged.")(returned.returned)
app.command("held", short_help="List what a guard holds.")(guards.held)
app.command("approve", short_help="Approve what a guard holds.")(guards.approve)
app.command("reject", short_help="Reject what a guard holds.")(guards.reject)
app.command("serve", short_help="Listen for webhook calls, and work.")(serve.serve)
app.command("work", short_help="Work: one of any number of workers.")(work.work)
app.command("workers", short_help="List who is at work.")(workers.workers)
app.command("sync", short_help="Run what is due by the timetable.")(timetable.sync)
app.command("schedule", short_help="Show the next runs.")(timetable.schedule)
app.command("backup", short_help="Copy everything the bridge knows.")(keeping.backup)
app.command("restore", short_help="Put a backup back.")(keeping.restore)
app.command("reconcile", short_help="After a restore: find what left since.")(reconcile.reconcile)
app.command("health", short_help="Say whether the bridge is well.")(health.health)
app.add_typer(suspense.group, name="suspense")
app.add_typer(files.group, name="files")
app.add_typer(holds.group, name="holds")
app.add_typer(sandbox_cli.group, name="sandbox")


def main() -> None:
    """Runs the program on the words it was called with, and ends the process with an exit code of the table in docs/cli.md."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that knows fewer characters than we print shows a mark for them instead of breaking off.
            stream.reconfigure(errors="replace")
    gc.set_threshold(_CYCLES_AT)
    app(prog_name="bursarbridge")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bursarbridge {version('bursarbridge')}")
        raise typer.Exit


@app.callback()
def _program(
    _wanted: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")] = False,
) -> None:
    """Carries fees and payments between campus offices and the student account, to the cent."""
